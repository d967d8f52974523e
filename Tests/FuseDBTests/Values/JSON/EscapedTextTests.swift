import ProgramSupport
import Testing

import FuseDB

struct `A key on a line of text [K2]` {
  private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    EscapedText.append(bytes.rawSpan, to: &out)
    return out
  }

  /// The bytes that a line stands for, or nil where it is none.
  private static func unescaped(_ line: [UInt8]) -> [UInt8]? {
    var bytes: [UInt8] = []
    var place = 0
    while place < line.count {
      guard line[place] == UInt8(ascii: "\\") else {
        bytes.append(line[place])
        place += 1
        continue
      }
      guard place + 1 < line.count else { return nil }
      switch Character(UnicodeScalar(line[place + 1])) {
      case "\\": bytes.append(UInt8(ascii: "\\"))
      case "t": bytes.append(9)
      case "n": bytes.append(10)
      case "r": bytes.append(13)
      case "x":
        guard place + 3 < line.count else { return nil }
        bytes += [UInt8](hex: String(decoding: line[place + 2...place + 3], as: UTF8.self))
        place += 2
      default: return nil
      }
      place += 2
    }
    return bytes
  }

  /// The length of the well-formed sequence of UTF-8 at the start of `bytes`, by table 3-7 of the Unicode standard; 0 where there is none.
  private static func sequence(_ bytes: ArraySlice<UInt8>) -> Int {
    let b = Array(bytes.prefix(4))
    func tail(_ place: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
      b.count > place && range.contains(b[place])
    }
    switch b.first ?? 0x80 {
    case 0x00...0x7F: return 1
    case 0xC2...0xDF: return tail(1) ? 2 : 0
    case 0xE0: return tail(1, 0xA0...0xBF) && tail(2) ? 3 : 0
    case 0xED: return tail(1, 0x80...0x9F) && tail(2) ? 3 : 0
    case 0xE1...0xEF: return tail(1) && tail(2) ? 3 : 0
    case 0xF0: return tail(1, 0x90...0xBF) && tail(2) && tail(3) ? 4 : 0
    case 0xF1...0xF3: return tail(1) && tail(2) && tail(3) ? 4 : 0
    case 0xF4: return tail(1, 0x80...0x8F) && tail(2) && tail(3) ? 4 : 0
    default: return 0
    }
  }

  private static func model(_ bytes: [UInt8]) -> [UInt8] {
    var out = ""
    var raw: [UInt8] = []
    var place = 0
    while place < bytes.count {
      let length = sequence(bytes[place...])
      out = ""
      switch bytes[place] {
      case UInt8(ascii: "\\"): out = "\\\\"
      case 9: out = "\\t"
      case 10: out = "\\n"
      case 13: out = "\\r"
      case 0..<0x20, 0x7F: out = "\\x" + [bytes[place]].hex
      default: if length == 0 { out = "\\x" + [bytes[place]].hex }
      }
      raw += out.isEmpty ? Array(bytes[place..<place + length]) : Array(out.utf8)
      place += max(1, length)
    }
    return raw
  }

  @Test(arguments: [
    ("382e382e382e38", "8.8.8.8"), ("610962", #"a\tb"#), ("433a5c", #"C:\\"#), ("007f", #"\x00\x7f"#), ("c3a9", "é"),
    ("e9", #"\xe9"#), ("e282", #"\xe2\x82"#), ("", ""), ("0a0d", #"\n\r"#), ("1f20", #"\x1f "#), ("5c78", #"\\x"#),
    ("c080", #"\xc0\x80"#), ("eda080", #"\xed\xa0\x80"#), ("f4908080", #"\xf4\x90\x80\x80"#), ("e2823f", #"\xe2\x82?"#),
    ("f09f9bb0", "🛰"), ("f09f9b", #"\xf0\x9f\x9b"#), ("c3a9c3", #"é\xc3"#), ("22", "\""), ("c285", "\u{85}"),
    ("e280a8", "\u{2028}"),
  ])
  func `is as the table has it`(hex: String, line: String) {
    #expect(Self.escaped([UInt8](hex: hex)) == Array(line.utf8))
  }

  @Test func `is one line and one field, valid UTF-8, and reads back, for bytes at every edge of UTF-8`() {
    let edges: [UInt8] = [
      0x00, 0x09, 0x0A, 0x0D, 0x1F, 0x20, 0x5C, 0x61, 0x7E, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2,
      0xDF, 0xE0, 0xE1,
      0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]
    var wrong: [String] = []
    func check(_ bytes: [UInt8]) {
      let line = Self.escaped(bytes)
      if line != Self.model(bytes) || Self.unescaped(line) != bytes || String(validating: line, as: UTF8.self) == nil {
        wrong.append(bytes.hex)
      }
      if line.contains(where: { $0 < 0x20 || $0 == 0x7F }) { wrong.append(bytes.hex) }
      let isUTF8 = bytes.rawSpan.isUTF8
      if isUTF8 != (String(validating: bytes, as: UTF8.self) != nil) { wrong.append(bytes.hex) }
    }
    for first in edges {
      check([first])
      for second in edges {
        check([first, second])
        for third in edges { check([first, second, third]) }
      }
    }
    for first in edges where first >= 0xE0 {
      for second in edges where second >= 0x80 && second < 0xC0 {
        for third: UInt8 in [0x20, 0x7F, 0x80, 0xBF, 0xC2] {
          for fourth: UInt8 in [0x41, 0x7F, 0x80, 0xBF, 0xC0] { check([first, second, third, fourth]) }
        }
      }
    }
    #expect(wrong == [])
  }

  private static func read(_ line: [UInt8]) throws -> [UInt8] { try EscapedText.bytes(of: line.rawSpan) }

  @Test(arguments: [
    (#"C:\\\\"#, "433a5c5c"), (#"a\x09b"#, "610962"), ("", ""), ("é", "c3a9"), (#"\xC3\xa9"#, "c3a9"),
    (#"\\x61"#, "5c783631"), ("a\r", "610d"), (" a ", "206120"), (#"\x00"#, "00"),
  ])
  func `in a list stands for these bytes [K4]`(line: String, hex: String) throws {
    #expect(try Self.read(Array(line.utf8)) == [UInt8](hex: hex))
  }

  @Test(arguments: [
    (#"\"#, 0), (#"C:\"#, 2), (#"C:\new\q"#, 6), (#"\x"#, 0), (#"\x6"#, 0), (#"\x6g"#, 0), (#"a\0"#, 1), (#"\T"#, 0),
    ("a\tb", 1), (#"\u0061"#, 0), (#"\\\"#, 2),
  ])
  func `in a list has no other escapes and no tab [K4]`(line: String, place: UInt64) {
    let error = failure { _ = try Self.read(Array(line.utf8)) }
    #expect(error?.code == .invalidValue)
    #expect(error?.offset == place)
  }

  @Test func `reads back, for random bytes`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<2000 {
      let bytes = random.bytes(random.below(20))
      #expect(try Self.read(Self.escaped(bytes)) == bytes)
      #expect(Self.unescaped(Self.escaped(bytes)) == bytes)
      #expect(Self.escaped(bytes) == Self.model(bytes))
    }
  }

  @Test func `in messages is quoted, and cut when it is long`() {
    let short = [UInt8]("a\tb".utf8)
    let long = [UInt8](repeating: 0x61, count: 61)
    let texts = [quoted(short.rawSpan), quoted(long.rawSpan)]
    #expect(texts == [#""a\tb""#, "\"" + String(repeating: "a", count: 60) + "…\""])
  }
}
