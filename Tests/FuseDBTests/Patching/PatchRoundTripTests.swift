import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBPatching

struct `Patches make the new file of the old one` {
  /// Each file with itself and with every eighth other, beginning with another one each time: making files durable takes
  /// longer than all the rest.
  @Test(arguments: Fixtures.goodNames.indices)
  func `between sound files of all kinds, byte for byte [U8] [U9] [U12] [U15] [U16]`(number: Int) throws {
    let bench = try PatchBench()
    let name = Fixtures.goodNames[number]
    let old = try contents(Fixtures.path(good: name))
    for other in [name] + stride(from: number % 8, to: Fixtures.goodNames.count, by: 8).map({ Fixtures.goodNames[$0] })
    {
      let new = try contents(Fixtures.path(good: other))
      let patch = try bench.patch(from: old, to: new)
      #expect(try bench.apply(patch, to: old) == new, "\(name) -> \(other)")
    }
  }

  @Test func `after random changes, byte for byte`() throws {
    var random = SeededRandom.announced()
    let bench = try PatchBench()
    for _ in 0..<200 {
      let subject = PatchSubject(&random)
      let (old, new) = (subject.bytes, subject.changed(&random).bytes)
      let patch = try bench.patch(from: old, to: new)
      try #require(try bench.apply(patch, to: old) == new, "\(old.hex) -> \(new.hex)")
    }
  }

  @Test func `of large keys, large objects and many of them, byte for byte`() throws {
    var random = SeededRandom.announced()
    let bench = try PatchBench()
    var subject = PatchSubject(&random)
    subject.objects = (0..<40).map { _ in random.bytes(random.below(40_000)) }
    subject.keys = [:]
    for number in 0..<3000 { subject.keys[Key(random.bytes(random.below(40)) + [UInt8(number & 0xFF)])] = number % 40 }
    subject.keys[Key([UInt8](repeating: 0x61, count: 65_535))] = 0
    var next = subject
    next.objects[7].insert(0, at: next.objects[7].count / 2)
    next.objects.insert(random.bytes(200_000), at: 0)
    next.keys = next.keys.mapValues { $0 + 1 }
    for _ in 0..<500 { next.keys[Key(random.bytes(12))] = random.below(41) }
    next.keys[Key([UInt8](repeating: 0x61, count: 65_534) + [0x62])] = 0
    for form in 0..<2 {
      (subject.form, next.form) = (form, 1 - form)
      let (old, new) = (subject.bytes, next.bytes)
      #expect(try bench.apply(try bench.patch(from: old, to: new), to: old) == new)
      #expect(try bench.apply(try bench.patch(from: new, to: old), to: new) == old)
    }
  }

  @Test func `the output may be the old file itself, which open readers keep`() throws {
    let bench = try PatchBench()
    let (old, new) = (Samples.small.bytes, Samples.twoSamples.bytes)
    try bench.folder.write(try bench.patch(from: old, to: new), as: "p")
    let path = try bench.folder.write(old, as: "x.fsdb")
    let reader = try FuseReader(path: path)
    let made = try FusePatch.apply(bench.folder.path("p"), to: reader, output: path)
    #expect(made == PatchedFile(keyCount: 34, objectCount: 5, byteCount: new.count, replacedKeyCount: 5))
    #expect(try bench.folder.read("x.fsdb") == new)
    #expect(try reader.copy(of: [UInt8]("a".utf8)) != nil)
  }

  @Test func `a block that another program made is in the patch, and one of ours is not [U15]`() throws {
    let bench = try PatchBench()
    for (name, hasBytes) in [("block-seed-7", true), ("block-unknown", true), ("block-meta", false)] {
      let new = try FuseReader(path: Fixtures.path(good: name + ".fsdb"))
      let report = try FusePatch.make(from: new, to: new, at: bench.folder.path("p"))
      #expect(report.hasBlockBytes == hasBytes, "\(name)")
    }
  }
}

struct `Patches are small` {
  /// Objects of a hundred bytes and ten keys for each; `grown` says which objects are one byte longer.
  private func file(objectCount: Int, grown: Set<Int>, _ seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    var objects: [[UInt8]] = []
    var keys: [(Key, Int)] = []
    for number in 0..<objectCount {
      objects.append(random.bytes(99 + random.below(3)))
      if grown.contains(number) { objects[number].insert(0x78, at: 50) }
      for _ in 0..<10 { keys.append((Key(random.bytes(14)), number)) }
    }
    keys.sort { $0.0 < $1.0 }
    return ReferenceFile(objects: objects.map(\.asBin), keys: keys.map { ($0.0.bytes, $0.1) }).bytes(.plain)
  }

  /// The accepted size is 60 kB for 500 objects that grew: 120 bytes for each. It must not depend on the file's length.
  @Test func `where objects grew by a byte`() throws {
    let bench = try PatchBench()
    let grown = Set((0..<50).map { 7 + $0 * 39 })
    let old = file(objectCount: 2000, grown: [], 1)
    let new = file(objectCount: 2000, grown: grown, 1)
    #expect(new.count == old.count + 50)
    let report = try FusePatch.make(
      from: FuseReader(bytes: old), to: FuseReader(bytes: new), at: bench.folder.path("p"))
    #expect(report.byteCount < 50 * 120)
    #expect(report.byteCount == (try bench.folder.read("p")).count)
    #expect((report.copiedObjectCount, report.editedObjectCount, report.newObjectCount) == (1950, 50, 0))
    #expect((report.addedKeyCount, report.redirectedKeyCount, report.hasBlockBytes) == (0, 0, false))
    #expect(try bench.apply(try bench.folder.read("p"), to: old) == new)
  }

  @Test func `where objects stand in another order, or lost all their keys`() throws {
    let bench = try PatchBench()
    var random = SeededRandom(seed: 5)
    let objects = (0..<100).map { _ in random.bytes(500) }
    func file(_ objects: [[UInt8]], _ name: String) -> [UInt8] {
      let keys = (0..<100).map { ([UInt8]("\(name) \(1000 + $0)".utf8), $0) }
      return ReferenceFile(objects: objects.map(\.asBin), keys: keys).bytes
    }
    let old = file(objects, "a")
    // 500 bytes an object: only what is copied can be so small.
    #expect(try bench.patch(from: old, to: file(objects.reversed(), "a")).count < 1000)
    #expect(try bench.patch(from: old, to: file(objects, "b")).count < 1500)
  }
}
