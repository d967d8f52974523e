import FuseDBSystem
import ProgramSupport
import Testing

struct PathSpellingTests {
  @Test(arguments: [
    ("plain/é.fsdb", Array("plain/é.fsdb".utf8)), ("", []),
    ("caf\u{FFFD}e9.fsdb", Array("caf".utf8) + [0xE9] + Array(".fsdb".utf8)),
    ("\u{FFFD}ff\u{FFFD}fe", [0xFF, 0xFE]), ("\u{FFFD}", [0xEF, 0xBF, 0xBD]), ("\u{FFFD}x", [0xEF, 0xBF, 0xBD, 0x78]),
    ("\u{FFFD}ef\u{FFFD}bf\u{FFFD}bde9", [0xEF, 0xBF, 0xBD, 0x65, 0x39]),
    ("\u{FFFD}\u{FFFD}c3", [0xEF, 0xBF, 0xBD, 0xC3]),
    ("\u{FFFD}41", [0xEF, 0xBF, 0xBD, 0x34, 0x31]), ("\u{FFFD}E9", [0xEF, 0xBF, 0xBD, 0x45, 0x39]),
    ("\u{FFFD}e2\u{FFFD}82", [0xE2, 0x82]),
  ])
  func `a text spells the bytes of a path, and they have one text`(text: String, bytes: [UInt8]) {
    #expect(String(path: bytes) == text)
    #expect(text.pathBytes == bytes)
  }

  @Test func `any bytes come back from their text, and no two share one`() {
    // Of these few, everything comes up that could be taken for something else.
    let letters: [UInt8] = [0xEF, 0xBF, 0xBD, 0xE9, 0x80, 0x65, 0x39, 0x66, 0x2F]
    var random = SeededRandom(seed: 20)
    var known: [String: [UInt8]] = [:]
    for _ in 0..<20_000 {
      let bytes = (0..<Int(random.next() % 9)).map { _ in letters[Int(random.next() % UInt64(letters.count))] }
      let text = String(path: bytes)
      #expect(text.pathBytes == bytes)
      #expect(known.updateValue(bytes, forKey: text) ?? bytes == bytes)
    }
  }
}
