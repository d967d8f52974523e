import FuseDB
import Testing

struct `Keys` {
  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `of every single byte and of none come out as they went in [I3]`(layout: FuseWriter.Layout) throws {
    let folder = try TemporaryFolder()
    var mapping: [Key: [UInt8]] = [Key(""): [0xC0]]
    for byte in UInt8.min...UInt8.max { mapping[Key([byte])] = [0xCC, byte] }
    let writer = FuseWriter(.init(layout: layout))
    for (key, object) in mapping { try writer.add([key.bytes], messagePack: object) }
    try writer.build(to: folder.path("keys.fsdb"))
    let reader = try FuseReader(path: folder.path("keys.fsdb"))
    var scan = try reader.entries()
    #expect(try scan.restOfKeys() == mapping.keys.sorted())
    for (key, object) in mapping { #expect(try reader.copy(of: key.bytes) == object) }
  }

  @Test(arguments: [0, 1, 255, 256, 65_534, 65_535], [FuseWriter.Layout.indexed, .plain])
  func `of any length come out as they went in [L1]`(byteCount: Int, layout: FuseWriter.Layout) throws {
    let folder = try TemporaryFolder()
    let key = [UInt8](repeating: 0xFF, count: byteCount)
    let writer = FuseWriter(.init(layout: layout))
    try writer.add([key], messagePack: [0xC0])
    try writer.build(to: folder.path("key.fsdb"))
    let reader = try FuseReader(path: folder.path("key.fsdb"))
    #expect(try reader.copy(of: key) == [0xC0])
    var scan = try reader.prefix(key.dropLast())
    #expect(try scan.restOfKeys() == [Key(key)])
    #expect(try !reader.contains(key.dropLast()) || byteCount == 0)
  }

  @Test func `are not normalized`() throws {
    let folder = try TemporaryFolder()
    let composed = [UInt8]("é".unicodeScalars.count == 1 ? "é".utf8 : "\u{E9}".utf8)
    let decomposed = [UInt8]("e\u{301}".utf8)
    let writer = FuseWriter()
    try writer.add([composed], messagePack: [1])
    try writer.add([decomposed], messagePack: [2])
    #expect(try writer.build(to: folder.path("keys.fsdb")).keyCount == 2)
    let reader = try FuseReader(path: folder.path("keys.fsdb"))
    #expect(try reader.copy(of: composed) == [1])
    #expect(try reader.copy(of: decomposed) == [2])
    #expect(try reader.contains("e\u{301}"))
  }
}
