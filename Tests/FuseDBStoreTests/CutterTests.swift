import CFuseCuts
import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBStore

@Suite struct CutterTests {
  struct Numbered: Codable {
    var n: Int
    var name: String
  }

  @Test func `every width finds the same places`() {
    var random = SeededRandom.announced()
    for _ in 0..<300 {
      let bytes = random.bytes(8 + random.below(3000))
      let (from, to) = (8 + random.below(bytes.count - 7), bytes.count)
      let mask: UInt64 = ~0 << UInt64(64 - 1 - random.below(12))
      // Slow and obvious: the window of eight bytes as a number, lowest byte first.
      let expected =
        (min(from, to)..<to).first { place in
          let window = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[place - 8 + $1]) << (8 * UInt64($1)) }
          return (window &* 0x9E37_79B9_7F4A_7C15 &+ 0xD1B5_4A32_D192_ED03) & mask == 0
        } ?? to
      for width: Int32 in [1, 32, 64] {
        let found = unsafe fuse_cut_find_by(width, bytes, from, to, mask)
        // SIZE_MAX, which no processor of this width says of the plain way.
        #expect(found == expected || (UInt(bitPattern: found) == .max && width > 1))
      }
      #expect(unsafe fuse_cut_find(bytes, from, to, mask) == expected)
    }
  }

  @Test(arguments: [FuseStore.Chunking.standard, .fixed(5000), .contentDefined(least: 64, average: 256, most: 1000)])
  func `cuts do not depend on the pieces in which contents come`(chunking: FuseStore.Chunking) {
    var random = SeededRandom.announced()
    let bytes = noise(400_000, seed: random.next()) + [UInt8](repeating: 0, count: 200_000)
    var whole = Cutter(chunking)
    let expected = whole.cuts(bytes.rawSpan, isLast: true)
    #expect(expected.last == bytes.count)
    var cutter = Cutter(chunking)
    var (buffer, start, ends): ([UInt8], Int, [Int]) = ([], 0, [])
    var done = 0
    while done < bytes.count {
      let count = min(bytes.count - done, 1 + random.below(150_000))
      buffer += bytes[done..<done + count]
      done += count
      let cuts = cutter.cuts(buffer.rawSpan, isLast: done == bytes.count)
      ends += cuts.map { $0 + start }
      start += cuts.last ?? 0
      buffer.removeFirst(cuts.last ?? 0)
    }
    #expect(ends == expected)
  }

  @Test func `chunks keep to their bounds, and their average is near what was asked for`() {
    let bytes = noise(16_000_000, seed: 9)
    var cutter = Cutter(.standard)
    let ends = cutter.cuts(bytes.rawSpan, isLast: true)
    let sizes = zip(ends, [0] + ends).map { $0 - $1 }
    #expect(sizes.dropLast().allSatisfy { (4096...65_536).contains($0) })
    #expect((12_000...24_000).contains(bytes.count / sizes.count))
  }

  @Test func `a sample tells noise from texts, wherever the text stands`() {
    var random = SeededRandom.announced()
    func unevenness(_ bytes: [UInt8]) -> Double { unsafe fuse_cut_sampled_unevenness(bytes, bytes.count) }
    for count in [1024, 4096, 4097, 16_000, 65_536, 1_000_003] {
      #expect((0.8...1.2).contains(unevenness(random.bytes(count))))
      #expect(unevenness(prose(count, seed: 1)) > 5)
      #expect(unevenness([UInt8](repeating: 7, count: count)) == 256)
      // A half that can be packed, first or last.
      #expect(unevenness(random.bytes(count) + prose(count, seed: 2)) > 1.5)
      #expect(unevenness(prose(count, seed: 2) + random.bytes(count)) > 1.5)
    }
  }

  @Test func `a look-up file is cut between its records, and a change touches little`() throws {
    func file(_ changed: Int?) throws -> [UInt8] {
      let scratch = Scratch()
      let writer = FuseWriter()
      for number in 0..<20_000 {
        try writer.add(["\(number)"], Numbered(n: number == changed ? -1 : number, name: "object \(number)"))
      }
      try writer.build(to: scratch.path("a.fsdb"))
      return scratch.read("a.fsdb")!
    }
    let (before, after) = (try file(nil), try file(777))
    let writer = try StoreWriter(FuseStore.create(MemoryBackend()))
    try writer.put(before, .init(chunking: .lookupFile))
    let stored = try writer.put(after, .init(chunking: .lookupFile))
    #expect(stored.newByteCount < before.count)
    try writer.commit()
    #expect(try writer.store.bytes(of: stored.id) == after)
    // What is none is cut as anything is.
    let other = noise(500_000, seed: 4)
    #expect(try writer.store.bytes(of: writer.put(other, .init(chunking: .lookupFile)).id) == nil)
    try writer.commit()
  }
}
