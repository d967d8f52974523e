import Testing

import FuseDB

struct `A string in JSON` {
  private static func refusal(_ bytes: [UInt8]) -> FuseError? {
    failure {
      try JSONParser().withNode(of: bytes.rawSpan) { node throws(FuseError) in try MessagePackPacker().pack(node) }
    }
  }

  @Test func `has quotes, backslashes and control characters escaped, and nothing else [J7]`() throws {
    for scalar in 0..<0x100 {
      let character = String(Character(UnicodeScalar(UInt8(scalar))))
      let bytes = [0xA0 + UInt8(character.utf8.count)] + Array(character.utf8)
      let expected: String
      switch scalar {
      case 0x22: expected = #"\""#
      case 0x5C: expected = #"\\"#
      case 9: expected = #"\t"#
      case 10: expected = #"\n"#
      case 13: expected = #"\r"#
      case 0..<0x20: expected = "\\u00" + [UInt8(scalar)].hex
      default: expected = character
      }
      #expect(try FuseJSON.text(from: bytes) == "\"\(expected)\"")
      #expect(try FuseJSON.messagePack(from: "\"\(expected)\"") == bytes)
    }
    for text in ["/", "\u{7F}", "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFF}", "\u{10FFFF}", "🛰", "e\u{301}", "é"] {
      let bytes = try FuseJSON.messagePack(from: "\"\(text)\"")
      #expect(Array(bytes.dropFirst()) == Array(text.utf8))
      #expect(Array(try FuseJSON.text(from: bytes).utf8) == Array("\"\(text)\"".utf8))
    }
  }

  @Test(arguments: [
    (#"\b\f\n\r\t\/\\\""#, "08 0c 0a 0d 09 2f 5c 22"), (#"\u0000"#, "00"), (#"a\u0000b"#, "61 00 62"),
    (#"\u00E9\u00e9"#, "c3a9 c3a9"),
    (#"\uD83D\uDEF0"#, "f09f9bb0"), (#"\ud83d\udef0"#, "f09f9bb0"), (#"\uffff"#, "efbfbf"),
    (#"\ud800\udc00"#, "f0908080"),
    (#"\udbff\udfff"#, "f48fbfbf"), (#"\u0022\u005c"#, "22 5c"),
  ])
  func `may have every escape of RFC 8259 [J7]`(text: String, hex: String) throws {
    let body = [UInt8](hex: hex)
    #expect(try FuseJSON.messagePack(from: "\"\(text)\"") == [0xA0 + UInt8(body.count)] + body)
    #expect(try FuseJSON.messagePack(from: "{\"\(text)\":1}") == [0x81, 0xA0 + UInt8(body.count)] + body + [1])
  }

  @Test(arguments: [
    #"\ud800"#, #"\udfff"#, #"\udc00\ud800"#, #"\ud800\ud800"#, #"\ud800a"#, #"\ud800\n"#, #"\ud83d\u0041"#, #"\u12"#,
    #"\u123g"#, #"\x41"#,
    #"\a"#, #"\'"#, #"\U0041"#, #"\"#, "\n", "\t", "\u{0}", "\u{1F}",
  ])
  func `has no lone surrogate, no other escape and no bare control character [J7]`(text: String) {
    #expect(Self.refusal(Array("\"\(text)\"".utf8))?.code == .invalidValue)
    #expect(Self.refusal(Array("{\"\(text)\":1}".utf8))?.code == .invalidValue)
  }

  @Test(arguments: [
    "80", "c3", "c328", "c080", "e28028", "eda080", "edbfbf", "f4908080", "f8", "ff", "fe", "e282", "f09f9b",
  ])
  func `is valid UTF-8, and otherwise refused or spelled $str [J7]`(hex: String) throws {
    let body = [UInt8](hex: hex)
    #expect(Self.refusal([0x22] + body + [0x22])?.code == .invalidValue)
    #expect(Self.refusal([0x7B, 0x22] + body + Array("\":1}".utf8))?.code == .invalidValue)
    let bytes = [0xA0 + UInt8(body.count)] + body
    #expect(try FuseJSON.text(from: bytes) == "{\"$str\":\"\(hex)\"}")
    #expect(try FuseJSON.messagePack(from: "{\"$str\":\"\(hex)\"}") == bytes)
  }

  @Test(arguments: [0, 31, 32, 255, 256, 65_535, 65_536, 200_000]) func `of any length goes back and forth`(
    byteCount: Int
  ) throws {
    let text = "\"" + String(repeating: "x", count: byteCount) + "\""
    let bytes = try FuseJSON.messagePack(from: text)
    #expect(try FuseJSON.text(from: bytes) == text)
  }
}
