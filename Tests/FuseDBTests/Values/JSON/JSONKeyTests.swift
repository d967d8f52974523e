import ProgramSupport
import Testing

import FuseDB

struct `A key in JSON [K1]` {
  private static func text(_ key: [UInt8]) -> String {
    var writer = JSONWriter()
    writer.append(key: key.rawSpan)
    return String(decoding: writer.out, as: UTF8.self)
  }

  private static func key(_ text: String) throws -> [UInt8]? {
    try JSONParser().withNode(of: text.keyBytes) { node throws(FuseError) in
      try withKeyBytes(of: node) { key throws(FuseError) in key.array() }
    }
  }

  @Test(arguments: [
    ("", #""""#), ("61", #""a""#), ("382e382e382e38", #""8.8.8.8""#), ("c3a9", #""é""#),
    ("0009225c", #""\u0000\t\"\\""#),
    ("ff", #"{"$bin":"ff"}"#), ("c328", #"{"$bin":"c328"}"#), ("61e282", #"{"$bin":"61e282"}"#),
    ("eda080", #"{"$bin":"eda080"}"#),
  ])
  func `is a string, or $bin where it is not UTF-8`(hex: String, text: String) throws {
    #expect(Self.text([UInt8](hex: hex)) == text)
    #expect(try Self.key(text) == [UInt8](hex: hex))
    #expect(try Self.key("{\"$bin\":\"\(hex)\"}") == [UInt8](hex: hex))
  }

  @Test func `reads back, for random bytes`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<500 {
      let key = random.below(2) == 0 ? random.bytes(random.below(10)) : Array("ключ \(random.below(100))".utf8)
      #expect(try Self.key(Self.text(key)) == key)
    }
  }

  @Test(arguments: [
    "1", "1.5", "null", "true", "[]", "[\"a\"]", "{}", #"{"a":"61"}"#, #"{"$str":"61"}"#, #"{"$bin":"6"}"#,
    #"{"$bin":"zz"}"#, #"{"$bin":1}"#,
    #"{"$bin":"61","x":1}"#, #"{"$msgpack":"a161"}"#,
  ])
  func `is nothing else`(text: String) throws { #expect(try Self.key(text) == nil) }
}
