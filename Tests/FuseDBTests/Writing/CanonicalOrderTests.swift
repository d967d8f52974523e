import FuseDB
import ProgramSupport
import Testing

struct `Canonical order` {
  private static func build(_ options: FuseWriter.Options = .init(), _ fill: (FuseWriter) throws -> Void) throws
    -> [UInt8]
  {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(options)
    try fill(writer)
    try writer.build(to: folder.path("file.fsdb"))
    return try folder.read("file.fsdb")
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `of the same mapping is the same file, however it was added [C4]`(layout: FuseWriter.Layout) throws {
    var random = SeededRandom.announced()
    for size in [1, 2, 10, 200] {
      let mapping = Samples.mapping(size, &random)
      let expected = ReferenceFile(canonical: mapping).bytes(layout)
      for way in 0..<4 {
        let pairs = Array(mapping).shuffled(using: &random)
        let bytes = try Self.build(.init(layout: layout)) { writer in
          switch way {
          case 0:
            // One object for each key.
            for (key, object) in pairs { try writer.add([key.bytes], messagePack: object) }
          case 1:
            // One object for all its keys.
            for (object, group) in Dictionary(grouping: pairs, by: \.value) {
              try writer.add(group.map(\.key.bytes), messagePack: object)
            }
          case 2:
            // First the objects, then the keys, with objects that no key reaches.
            let unused = try writer.addObject([0xA1, 0x3F])
            #expect(try writer.addObject([0xA1, 0x3F]) == unused)
            let ids = try pairs.map { try writer.addObject($0.value) }
            for (pair, id) in zip(pairs, ids).shuffled(using: &random) { try writer.addKey(pair.key.bytes, for: id) }
          default:
            // Each key at another object first.
            let wrong = try writer.addObject([0x92, 0x01, 0xC0])
            for (key, _) in pairs { try writer.addKey(key.bytes, for: wrong) }
            for (key, object) in pairs { try writer.add([key.bytes], messagePack: object) }
          }
        }
        #expect(bytes == expected, "\(size) keys, way \(way)")
      }
    }
  }

  @Test func `is that of the first keys, not of adding [C2]`() throws {
    let bytes = try Self.build(.init(layout: .plain)) { writer in
      try writer.add(["d", "z"], messagePack: [3])
      try writer.add(["c", "b"], messagePack: [2])
      try writer.add(["y", "a"], messagePack: [1])
    }
    let keys = ["a", "b", "c", "d", "y", "z"].map { [UInt8]($0.utf8) }
    #expect(
      bytes
        == ReferenceFile(
          objects: [[1], [2], [3]], keys: Array(zip(keys, [0, 1, 1, 2, 0, 2]).map { (key: $0, object: $1) })
        ).bytes)
  }

  @Test func `holds identical objects once, and no object without a key [C1] [C3]`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    for number in 0..<100 { try writer.add(["key \(number)"], messagePack: [UInt8(number % 5)]) }
    for number in 100..<110 { _ = try writer.addObject([UInt8(number)]) }
    let report = try writer.build(to: folder.path("file.fsdb"))
    #expect(report.objectCount == 5)
    #expect(report.sharedObjectCount == 95)
    #expect(report.unreachedObjectCount == 10)
    let statistics = try FuseReader(path: folder.path("file.fsdb")).statistics()
    #expect(statistics.objectCount == 5)
    #expect(statistics.unreachedObjectCount == 0)
    #expect(statistics.bytesSavedBySharing == report.bytesSavedBySharing)
  }

  @Test func `keeps objects apart that are added apart, when told so, and is still that of first keys [C4]`() throws {
    var random = SeededRandom.announced()
    // Groups of keys that share an object are part of the input now.
    let groups: [([String], [UInt8])] = [(["d", "e"], [7]), (["b"], [7]), (["a", "f"], [7]), (["c"], [9])]
    let expected = ReferenceFile(
      objects: [[7], [7], [9], [7]],
      keys: zip("abcdef", [0, 1, 2, 3, 3, 0]).map { (key: Array(String($0).utf8), object: $1) })
    for _ in 0..<10 {
      let bytes = try Self.build(.init(sharing: .none, layout: .plain)) { writer in
        _ = try writer.addObject([1])
        for (keys, object) in groups.shuffled(using: &random) {
          try writer.add(keys.shuffled(using: &random), messagePack: object)
        }
      }
      #expect(bytes == expected.bytes)
    }
  }

  @Test func `tells values apart by their bytes [C7]`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    let same: [[UInt8]] = [
      [0x05], [0xCC, 0x05], [0xCD, 0x00, 0x05], [0xD0, 0x05], [0xCB, 0x40, 0x14, 0, 0, 0, 0, 0, 0],
    ]
    for (number, object) in same.enumerated() { try writer.add(["key \(number)"], messagePack: object) }
    #expect(try writer.build(to: folder.path("file.fsdb")).objectCount == same.count)
    let reader = try FuseReader(path: folder.path("file.fsdb"))
    for (number, object) in same.enumerated() { #expect(try reader.copy(of: Array("key \(number)".utf8)) == object) }
  }
}
