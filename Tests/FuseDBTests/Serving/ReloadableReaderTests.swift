import Testing

import FuseDB

struct ReloadableReaderTests {
  @Test func `each call reads the newest file, a snapshot stays with its own`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    try Self.build(path, saying: 1)
    let store = try ReloadableReader(path: path)
    let before = store.snapshot()
    try Self.build(path, saying: 2)
    #expect(try Self.answer(store) == 1)
    #expect(try store.reloadIfChanged())
    #expect(try Self.answer(store) == 2)
    #expect(try before.withBytes(forKey: "key") { $0.byte(at: 0) } == 1)
    #expect((before.generation, store.generation) == (1, 2))
    #expect(try !store.reloadIfChanged())
  }

  static func build(_ path: String, saying number: UInt8) throws {
    let writer = FuseWriter()
    try writer.addKey("key", for: try writer.addObject([number].rawSpan))
    try writer.build(to: path)
  }

  static func answer(_ store: some Reloadable) throws -> UInt8? {
    try store.withBytes(forKey: "key") { $0.byte(at: 0) }
  }
}
