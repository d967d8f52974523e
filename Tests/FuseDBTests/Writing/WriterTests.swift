import Glibc
import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBWriting

struct `A writer` {
  @Test func `with a rule for keys writes them by it, names it in the metadata, and refuses others [F1] [F2]`() throws {
    let folder = try TemporaryFolder()
    let options = FuseWriter.Options(
      metadata: ["normalise": "lower", "source": "here"], networks: .always, normalisation: .domain, masksHostBits: true
    )
    let writer = FuseWriter(options)
    let object = try writer.addObject([7])
    for key in ["Example.COM.", "8.8.8.8/16", "8.8.0.0/16"] { try writer.addKey(key, for: object) }
    for key in ["a..b", "2001:db8::/129"] {
      #expect(failure { try writer.addKey(key, for: object) }?.code == .invalidValue)
    }
    #expect(writer.addedKeyCount == 3)
    try writer.build(to: folder.path("file.fsdb"))
    let reader = try FuseReader(path: folder.path("file.fsdb"))
    #expect(try reader.metadata == ["normalise": "domain", "source": "here"])
    #expect(reader.keyCount == 2)
    for key in ["example.com", "8.8.0.0/16"] { #expect(try reader.contains(key)) }
  }

  @Test(arguments: [
    "", "c1", "91c1", "81c100", "0000", "c0c0", "cc", "cd00", "ce000000", "cf00000000000000", "ca000000", "cb00", "d0",
    "d3", "a1",
    "d9", "d905", "da0001", "dbffffffff", "c4", "c401", "c6ffffffff00", "c70105", "c7ff0500", "d4", "d405", "d80500",
    "91", "9201",
    "81", "8101", "dc0001", "ddffffffff", "de000101", "dfffffffff", "dd7fffffff", "df80000000", "dc000200",
  ])
  func `refuses bytes that are not exactly one value, and is as before [V1] [V2] [V4] [D4]`(hex: String) throws {
    let folder = try TemporaryFolder()
    for options in [FuseWriter.Options(layout: .indexed), .init(layout: .plain), .compatible] {
      let writer = FuseWriter(options)
      let object = try writer.addObject([0x07])
      let error = try #require(failure { _ = try writer.addObject([UInt8](hex: hex)) })
      #expect(error.code == .invalidValue)
      #expect(try #require(error.offset) <= [UInt8](hex: hex).count)
      #expect(failure { try writer.add(["never"], messagePack: [UInt8](hex: hex)) }?.code == .invalidValue)
      try writer.addKey("k", for: object)
      #expect(writer.addedKeyCount == 1)
      unsafe unlink(folder.path("file.fsdb"))
      let report = try writer.build(to: folder.path("file.fsdb"))
      let expected = ReferenceFile(objects: [[7]], keys: [([0x6B], 0)]).bytes(options.layout)
      #expect(report == BuildReport(keys: 1, objects: 1, bytes: expected.count))
      #expect(try folder.read("file.fsdb") == expected)
    }
  }

  @Test(arguments: [(128, true), (129, false), (200, false), (100_000, false)])
  func `takes 128 arrays or maps inside each other and no more [V3] [L4] [L8]`(depth: Int, isTaken: Bool) throws {
    let heads: [[UInt8]] = [
      [0x91], [0x81, 0x00], [0xDC, 0, 1], [0xDF, 0, 0, 0, 1, 0xC0], [0xDD, 0, 0, 0, 1], [0xDE, 0, 1, 0x01],
    ]
    for head in heads {
      for last: [UInt8] in [[0x90], [0x80], [0xDC, 0, 0]] {
        let writer = FuseWriter()
        let object = [UInt8](head, times: depth - 1) + last
        let error = failure { _ = try writer.addObject(object) }
        #expect((error == nil) == isTaken)
        #expect(error == nil || error?.code == .invalidValue)
      }
      // A scalar adds no level.
      let writer = FuseWriter()
      let error = failure { _ = try writer.addObject([UInt8](head, times: depth) + [0xC0]) }
      #expect((error == nil) == isTaken)
    }
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `keeps the bytes of objects as they are [V6]`(layout: FuseWriter.Layout) throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom.announced()
    let writer = FuseWriter(.init(layout: layout))
    let objects = (0..<500).map { _ in ReferenceValue.random(&random).bytes }
    for (number, object) in objects.enumerated() { try writer.add(["key \(number)"], messagePack: object) }
    try writer.build(to: folder.path("file.fsdb"))
    let reader = try FuseReader(path: folder.path("file.fsdb"))
    for (number, object) in objects.enumerated() { #expect(try reader.copy(of: Array("key \(number)".utf8)) == object) }
    #expect(try reader.verify().isSound)
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `keeps objects and keys larger than what it copies at once`(layout: FuseWriter.Layout) throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(layout: layout))
    let sizes = [1, 65_535, 1 << 20 - 6, 1 << 20 - 5, 1 << 20, 3 << 20, 17]
    for size in sizes {
      let body = [UInt8](repeating: UInt8(truncatingIfNeeded: size * 31), count: size)
      try writer.add(
        [[UInt8](repeating: 0x6B, count: min(size, 65_535))], messagePack: [0xC6] + ReferenceFile.big(size, 4) + body)
    }
    // The last of the keys that are alike counts.
    #expect(try writer.build(to: folder.path("file.fsdb")).keyCount == 3)
    let reader = try FuseReader(path: folder.path("file.fsdb"))
    #expect(try reader.withBytes(forKey: [UInt8](repeating: 0x6B, count: 65_535)) { $0.byteCount } == (3 << 20) + 5)
    #expect(try reader.verify().isSound)
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `goes on after it has built, and builds again`(layout: FuseWriter.Layout) throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(layout: layout))
    let first = try writer.addObject([1])
    try writer.addKey("b", for: first)
    try writer.build(to: folder.path("one.fsdb"))
    try writer.addKey("a", for: first)
    #expect(try writer.addObject([1]) == first)
    try writer.add(["c"], messagePack: [2])
    try writer.add(["b"], messagePack: [3])
    try writer.build(to: folder.path("two.fsdb"))
    #expect(try folder.read("one.fsdb") == ReferenceFile(canonical: [Key("b"): [1]]).bytes(layout))
    let second = ReferenceFile(canonical: [Key("a"): [1], Key("b"): [3], Key("c"): [2]])
    #expect(try folder.read("two.fsdb") == second.bytes(layout))
    try writer.build(to: folder.path("one.fsdb"))
    #expect(try folder.read("one.fsdb") == folder.read("two.fsdb"))
  }

  @Test func `that built in vain builds as if it had not`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    try writer.add(["b", "a"], messagePack: [1])
    #expect(failure { try writer.build(to: folder.path("missing/file.fsdb")) }?.code == .inputOutput)
    try writer.build(to: folder.path("file.fsdb"))
    #expect(try folder.read("file.fsdb") == ReferenceFile(canonical: [Key("a"): [1], Key("b"): [1]]).bytes(.indexed))
  }

  @Test func `is not to be given an object of another writer`() async {
    await #expect(processExitsWith: .failure) {
      let mine = FuseWriter()
      let other = FuseWriter()
      _ = try mine.addObject([1])
      let theirs = try other.addObject([1])
      try mine.addKey("k", for: theirs)
    }
  }

  @Test func `finds identical objects among many`() throws {
    let writer = FuseWriter()
    var ids: [ObjectID] = []
    for number in 0..<3000 { ids.append(try writer.addObject([0xCD] + ReferenceFile.big(number, 2))) }
    #expect(Set(ids).count == 3000)
    var wrong = 0
    for number in 0..<3000 where try writer.addObject([0xCD] + ReferenceFile.big(number, 2)) != ids[number] {
      wrong += 1
    }
    #expect(wrong == 0)
  }
}

extension BuildReport {
  /// A report without duplicates, sharing or unreached objects.
  fileprivate init(keys: Int, objects: Int, bytes: Int) {
    self.init()
    keyCount = keys
    objectCount = objects
    byteCount = bytes
  }
}
