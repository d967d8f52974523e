import FuseDB
import Testing

struct `A key that is added more than once` {
  /// "b" three times, "a" twice.
  private static func fill(_ writer: FuseWriter) throws {
    try writer.add(["b", "c"], messagePack: [1])
    try writer.add(["a"], messagePack: [2])
    try writer.add(["b"], messagePack: [3])
    try writer.add(["a"], messagePack: [4])
    try writer.add(["b"], messagePack: [5])
  }

  @Test(arguments: [(.last, [4, 5, 1]), (.first, [2, 1, 1])] as [(FuseWriter.DuplicatePolicy, [UInt8])])
  func `has one entry, and the last or the first counts [C6]`(policy: FuseWriter.DuplicatePolicy, expected: [UInt8])
    throws
  {
    let folder = try TemporaryFolder()
    for order in [FuseWriter.Order.key, .insertion] {
      let writer = FuseWriter(.init(order: order, onDuplicate: policy))
      try Self.fill(writer)
      #expect(writer.addedKeyCount == 6)
      let report = try writer.build(to: folder.path("file.fsdb"))
      #expect(report.keyCount == 3)
      #expect(report.duplicateKeyCount == 3)
      let reader = try FuseReader(path: folder.path("file.fsdb"))
      #expect(try ["a", "b", "c"].map { try reader.copy(of: Array($0.utf8)) } == expected.map { [$0] })
    }
  }

  @Test func `is refused by the number of its addition, when that is an error [C6]`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], as: "file.fsdb")
    let writer = FuseWriter(.init(onDuplicate: .error))
    try Self.fill(writer)
    let error = try #require(failure { try writer.build(to: folder.path("file.fsdb")) })
    #expect(error.code == .duplicateKey)
    // The second addition of "a", the smallest of the keys added again: call 4, counted from 0.
    #expect(error.offset == 4)
    #expect(error.message.contains("\"a\""))
    #expect(try folder.names == ["file.fsdb"])
    #expect(try folder.read("file.fsdb") == [1, 2, 3])
  }

  @Test func `is refused at its second addition, however often it was sorted before`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(onDuplicate: .error))
    for key in ["z", "y", "x"] { try writer.add([key], messagePack: [1]) }
    #expect(try writer.build(to: folder.path("file.fsdb")).keyCount == 3)
    for key in ["w", "y", "v"] { try writer.add([key], messagePack: [1]) }
    #expect(failure { try writer.build(to: folder.path("file.fsdb")) }?.offset == 4)
  }

  @Test func `once each is no error`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(onDuplicate: .error))
    let keys: [[UInt8]] = [
      [], [0], [0, 0], [0x61], [0x61, 0], Array("12345678".utf8), Array("12345678".utf8) + [0], Array("123456789".utf8),
    ]
    try writer.add(keys, messagePack: [1])
    #expect(try writer.build(to: folder.path("file.fsdb")).keyCount == keys.count)
  }
}
