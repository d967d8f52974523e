import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBWriting

struct `A build that collects the objects of each key` {
  /// Room for about so many bytes of objects and keys.
  private static func plan(objects: Int, keys: Int) -> MemoryPlan {
    var plan = MemoryPlan(byteCount: MemoryPlan.leastByteCount, shardCount: 1)
    plan.objects = objects
    plan.keys = keys
    plan.keyBuffer = KeyBuffer.leastByteCount
    plan.extensionBlock = 1 << 16
    plan.runWindows = 1 << 16
    plan.spillChunk = 4096
    return plan
  }

  /// Additions of objects, most of them short, to few keys.
  private static func additions(_ count: Int, _ random: inout SeededRandom) -> [(key: Key, object: [UInt8])] {
    let lengths = [0, 1, 30, 300, 5000]
    return (0..<count).map { _ in
      let text = [UInt8](repeating: .random(in: 0x61...0x7A, using: &random), count: random.element(lengths))
      let packer = MessagePackPacker()
      packer.pack(string: text.rawSpan)
      return (Key("key \(Int.random(in: 0..<max(1, count / 4), using: &random))"), packer.bytes.array())
    }
  }

  /// The lists, packed by hand.
  private static func lists(_ additions: [(key: Key, object: [UInt8])]) -> [Key: [UInt8]] {
    Dictionary(grouping: additions) { $0.key }.mapValues { group in
      let head =
        group.count < 16 ? [0x90 | UInt8(group.count)] : [0xDC, UInt8(group.count >> 8), UInt8(group.count & 0xFF)]
      return group.reduce(head) { $0 + $1.object }
    }
  }

  @Test(arguments: [(1 << 26, 1 << 26), (0, 1 << 15), (1 << 22, 0), (0, 1 << 22), (1 << 15, 1 << 18)])
  func `gives each key their list in the order of the additions, whatever fits into memory [S10] [S13]`(
    objects: Int, keys: Int
  ) throws {
    var random = SeededRandom.announced()
    for count in [1, 40, 3000] {
      let additions = Self.additions(count, &random)
      let expected = ReferenceFile(canonical: Self.lists(additions)).bytes(.indexed)
      let folder = try TemporaryFolder()
      let writer = FuseWriter(
        .init(onDuplicate: .collect, temporaryFolder: folder.path("")), plan: Self.plan(objects: objects, keys: keys))
      for (key, object) in additions { try writer.add([key.bytes], messagePack: object) }
      for _ in 1...2 {
        let report = try writer.build(to: folder.path("file.fsdb"))
        let isEqual = try folder.read("file.fsdb") == expected
        #expect(isEqual, "\(count) additions")
        #expect(report.duplicateKeyCount == count - Set(additions.map { $0.key }).count)
        #expect(report.duplicates.isEmpty)
        #expect(try folder.names == ["file.fsdb"])
      }
      #expect(count < 3000 || objects > 1 << 25 || writer.spilledByteCount > 0)
    }
  }

  @Test func `stores lists of the same objects once, and none without a key [S11]`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(onDuplicate: .collect))
    try writer.add(["a", "b"], messagePack: [1])
    try writer.add(["b", "a", "c"], messagePack: [2])
    _ = try writer.addObject([3])
    let report = try writer.build(to: folder.path("file.fsdb"))
    #expect(report.keyCount == 3 && report.objectCount == 2)
    let reader = try FuseReader(path: folder.path("file.fsdb"))
    #expect(try reader.value(forKey: "a") == [1, 2] && reader.value(forKey: "b") == [1, 2])
    #expect(try reader.value(forKey: "c") == [2])
    // And it goes on.
    try writer.add(["c"], messagePack: [1])
    try writer.build(to: folder.path("file.fsdb"))
    #expect(try FuseReader(path: folder.path("file.fsdb")).value(forKey: "c") == [2, 1])
  }

  @Test func `refuses a list that is too long, and leaves what stood there [S12]`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], as: "file.fsdb")
    var options = FuseWriter.Options(onDuplicate: .collect)
    options.mostListBytes = 100
    let writer = FuseWriter(options)
    for _ in 0..<100 { try writer.add(["a"], messagePack: [7]) }
    try writer.add(["b"], messagePack: [7])
    #expect(throws: Never.self) { try writer.build(to: folder.path("other.fsdb")) }
    try writer.add(["a"], messagePack: [7])
    let error = try #require(failure { try writer.build(to: folder.path("file.fsdb")) })
    #expect(error.code == .limitExceeded && error.message.contains("\"a\""))
    #expect(try folder.read("file.fsdb") == [1, 2, 3])
  }

  @Test func `refuses an order that lists do not have`() async {
    await #expect(processExitsWith: .failure) {
      _ = FuseWriter(.init(order: .insertion, onDuplicate: .collect))
    }
  }

  @Test func `refuses a list that is nested deeper than a value may be [V3]`() throws {
    func nested(_ depth: Int) -> [UInt8] { [UInt8](repeating: 0x91, count: depth - 1) + [0x90] }
    for (depth, isRefused) in [(127, false), (128, true)] {
      let folder = try TemporaryFolder()
      let writer = FuseWriter(.init(onDuplicate: .collect))
      try writer.add(["k"], messagePack: nested(depth))
      let error = failure { _ = try writer.build(to: folder.path("file.fsdb")) }
      #expect(error?.code == (isRefused ? .invalidValue : nil), "\(depth) deep")
    }
  }
}
