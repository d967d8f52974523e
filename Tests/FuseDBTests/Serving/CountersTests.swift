import Testing

import FuseDB

@testable import FuseDBServing

struct `The counters of a store` {
  private struct Mine: Error {}

  private static func counts(_ store: any Reloadable) -> [Int] {
    let counters = store.counters
    #expect(counters.lookupCount == counters.hitCount + counters.missCount + counters.failureCount)
    return [counters.hitCount, counters.missCount, counters.failureCount]
  }

  @Test(arguments: ServingBench.Kind.allCases)
  func `count hits, misses and failures, when asked to`(kind: ServingBench.Kind) throws {
    for isOn in [true, false] {
      let bench = try ServingBench(kind) { $0.countsLookups = isOn }
      let store = bench.store
      var hits = 0
      var misses = 0
      var failures = 0
      func expectCounts(_ place: SourceLocation = #_sourceLocation) {
        #expect(Self.counts(store) == (isOn ? [hits, misses, failures] : [0, 0, 0]), sourceLocation: place)
      }
      #expect(store.countsLookups == isOn)
      _ = try store.withBytes(forKey: "key 1") { $0.byteCount }
      _ = try store.withBytes(forKey: Array("key 2".utf8).keyBytes) { $0.byteCount }
      _ = try store.contains("key 3")
      hits += 3
      expectCounts()
      _ = try store.withBytes(forKey: "none") { $0.byteCount }
      _ = try store.contains("none")
      misses += 2
      expectCounts()
      // A closure that returns nil has had its bytes.
      let nothing: Int?? = try store.withBytes(forKey: "key 1") { _ -> Int? in nil }
      #expect(nothing == .some(nil))
      hits += 1
      expectCounts()
      #expect(throws: Mine.self) { try store.withBytes(forKey: "key 1") { _ in throw Mine() } }
      failures += 1
      expectCounts()
      try store.withBytes(forKeys: ["key 1", "none", "key 2"]) { _, _ in }
      #expect(try store.contains(keys: ["none", "key 1"]) == [false, true])
      hits += 3
      misses += 2
      expectCounts()
      #expect(throws: Mine.self) {
        try store.withBytes(forKeys: ["key 1", "none", "key 2"]) { number, _ in if number == 1 { throw Mine() } }
      }
      hits += 1
      misses += 1
      failures += 1
      expectCounts()
      // What is not asked of the store is counted by whoever asks.
      _ = try store.snapshot().contains("key 1")
      _ = try store.withReader { try $0.contains("key 1") }
      expectCounts()
      store.countLookups(hits: 2, misses: 5, failures: 7)
      hits += 2
      misses += 5
      failures += 7
      expectCounts()
      // Counts go on through a swap.
      try store.reload()
      _ = try store.contains("key 3")
      hits += 1
      expectCounts()
    }
  }

  @Test func `lose no look-up of many threads, of which some begin when others have ended`() throws {
    let bench = try ServingBench { $0.countsLookups = true }
    let store = bench.store
    for _ in 0..<4 {
      let right = onThreads(8) { number in
        var right = 0
        for round in 0..<2_000
        where (try? store.contains("key \((round + number) % 80)")) == ((round + number) % 80 < 40) {
          right += 1
        }
        return right
      }
      #expect(right == [Int](repeating: 2_000, count: 8))
    }
    #expect(Self.counts(store) == [32_000, 32_000, 0])
  }

  @Test func `have a cell for each thread, whatever its number`() {
    var next = 0
    for block in 0..<8 {
      for cell in 0..<64 << block {
        if LookupCounters.position(ofThread: next) != (block, cell) { Issue.record("thread \(next)") }
        next += 1
      }
    }
    #expect(LookupCounters.position(ofThread: Int(UInt32.max)) == (26, 63))
    let counters = LookupCounters()
    for thread in 0..<1_000 { counters.count(onThread: thread, hits: thread, misses: 1, failures: 0) }
    #expect(counters.sums == LookupSums(hits: 499_500, misses: 1_000, failures: 0))
  }

  @Test func `say when data were built, and how old they are`() throws {
    for (metadata, built) in [
      (["built": "2026-11-21T16:11:12Z"], 1_795_277_472.0), (["built": "1795277472"], 1_795_277_472),
      (["built": "yesterday"], nil), (["source": "x"], nil), ([:], nil), (["built": ""], nil),
    ] {
      let bench = try ServingBench()
      #expect(bench.store.counters.builtAt == nil)
      #expect(bench.store.counters.dataAge == nil)
      try bench.put(ServingBench.file(2, metadata: metadata))
      try bench.store.reload()
      let counters = bench.store.counters
      #expect(counters.builtAt == built)
      #expect(counters.dataAge == built.map { counters.gatheredAt - $0 })
      #expect(counters.loadedAt <= counters.gatheredAt)
    }
    // What is no text is a number, too.
    let plain = ReferenceFile(canonical: [Key("key 0"): [0x92, 2, 0]])
    let folder = try TemporaryFolder()
    for (value, built) in [
      ([0xCE, 0x6B, 0x01, 0x84, 0xA0], 1_795_261_600.0), ([0xCB, 0x40, 0x9F, 0x40, 0, 0, 0, 0, 0], 2000.0),
      ([0xC0], nil),
    ] as [([UInt8], Double?)] {
      let map = [0x81, 0xA5] + [UInt8]("built".utf8) + value
      let sections = ReferenceBlock.sections(of: plain) + [ReferenceBlock.Section(kind: "META", bytes: map)]
      let path = try folder.write(ReferenceBlock(after: plain, sections).bytes)
      #expect(try ReloadableReader(path: path).counters.builtAt == built)
    }
  }

  @Test func `do not mind metadata that are damaged where nothing checks them`() throws {
    let bench = try ServingBench { $0.rules.check = nil }
    var block = ReferenceBlock(ServingBench.file(2, metadata: ["built": "2026-11-21"]))
    let place = try #require(block.range("META")?.lowerBound)
    block.bytes[place + 8] ^= 1
    try bench.put(block.bytes)
    try bench.store.reload()
    #expect(bench.store.counters.builtAt == nil)
    #expect(try bench.said == [2])
  }
}
