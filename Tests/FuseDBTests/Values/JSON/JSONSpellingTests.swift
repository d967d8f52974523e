import Testing

import FuseDB

struct `A spelling` {
  private static func refusal(_ text: String) -> FuseError? { failure { _ = try FuseJSON.messagePack(from: text) } }

  static let names = ["$float64", "$float32", "$bin", "$str", "$ext", "$map", "$msgpack"]

  @Test(arguments: JSONExamples.refused) func `of the specification's list is refused`(text: String) {
    #expect(Self.refusal(text)?.code == .invalidValue)
    #expect(Self.refusal("[\(text)]")?.code == .invalidValue)
    #expect(Self.refusal("{\"a\":1,\"b\":\(text)}")?.code == .invalidValue)
    #expect(Self.refusal("{\"$map\":[[\(text),1]]}")?.code == .invalidValue)
  }

  @Test(arguments: names) func `has one of seven names, alone in its object [J2] [J6]`(name: String) throws {
    // With another member it is a map, and so it is as a name inside of `$map`.
    for text in ["{\"\(name)\":null,\"x\":1}", "{\"x\":1,\"\(name)\":null}", "{\"\(name)\":null,\"\(name)\":null}"] {
      let bytes = try FuseJSON.messagePack(from: text)
      #expect(bytes.first == 0x82)
      #expect(try FuseJSON.text(from: bytes) == text)
    }
    let one = [0x81, 0xA0 + UInt8(name.utf8.count)] + Array(name.utf8) + [0xC0]
    #expect(try FuseJSON.text(from: one) == "{\"$map\":[[\"\(name)\",null]]}")
    #expect(try FuseJSON.messagePack(from: "{\"$map\":[[\"\(name)\",null]]}") == one)
    for wrong in ["null", "true", "{}", "[[]]", "[1]", "\"zz\"", "-1.5e3", "[5,\"aa\",1]"]
    where !(name == "$float32" && wrong == "-1.5e3") {
      #expect(Self.refusal("{\"\(name)\":\(wrong)}")?.code == .invalidValue, "\(name): \(wrong)")
    }
  }

  @Test(arguments: [
    "$", "$$", "$bi", "$binn", "$Bin", "$BIN", "bin", " $bin", "$bin ", "$float", "$float16", "$float6", "$float640",
    "$mapp", "$msgpac",
    "$msgpacks", "$ex", "$exts", "$st", "$string", "$other", "$ref", "\u{FF04}bin", "$b\u{131}n", "$bin\u{0}",
  ])
  func `has no other name [J2]`(name: String) throws {
    let one = [0x81, 0xA0 + UInt8(name.utf8.count)] + Array(name.utf8) + [0xA2, 0x30, 0x30]
    let text = try FuseJSON.text(from: one)
    #expect(text.hasPrefix("{\"\(name == "$bin\u{0}" ? "$bin\\u0000" : name)\":"))
    #expect(try FuseJSON.messagePack(from: text) == one)
  }

  @Test(arguments: [
    "\"0\"", "\"000\"", "\"0g\"", "\"0x00\"", "\" 00\"", "\"00 \"", "\"0 0\"", "\"é\"", "0", "[\"00\"]",
    "{\"a\":\"00\"}", "null",
  ])
  func `of bytes is an even number of digits in quotes [J9]`(content: String) {
    for name in ["$bin", "$str", "$msgpack"] {
      #expect(Self.refusal("{\"\(name)\":\(content)}")?.code == .invalidValue)
    }
    #expect(Self.refusal("{\"$ext\":[1,\(content)]}")?.code == .invalidValue)
  }

  @Test func `of an ext has a type from -128 to 127 [J8]`() throws {
    for type in -128...127 {
      let bytes = try FuseJSON.messagePack(from: "{\"$ext\":[\(type),\"aabb\"]}")
      #expect(bytes == [0xD5, UInt8(truncatingIfNeeded: type), 0xAA, 0xBB])
      #expect(try FuseJSON.text(from: bytes) == "{\"$ext\":[\(type),\"aabb\"]}")
    }
    for wrong in [
      "[128,\"00\"]", "[-129,\"00\"]", "[1.0,\"00\"]", "[\"1\",\"00\"]", "[null,\"00\"]", "[1]", "[]",
      "[1,\"00\",\"00\"]", "[\"00\",1]",
      "1", "\"00\"", "{\"1\":\"00\"}", "[18446744073709551615,\"00\"]", "[9223372036854775807,\"00\"]", "[256,\"00\"]",
    ] {
      #expect(Self.refusal("{\"$ext\":\(wrong)}")?.code == .invalidValue, "\(wrong)")
    }
  }

  @Test(arguments: [1, 15, 16, 17, 300]) func `of a map takes pairs of any values [J6]`(count: Int) throws {
    let pairs = (0..<count).map { "[\($0),[\($0)]]" }.joined(separator: ",")
    let bytes = try FuseJSON.messagePack(from: "{\"$map\":[\(pairs)]}")
    #expect(try FuseJSON.text(from: bytes) == "{\"$map\":[\(pairs)]}")
    #expect(ReferenceValue.isOneValue(bytes))
    for wrong in ["[\(pairs),[1,2,3]]", "[\(pairs),[]]", "[\(pairs),1]", "[\(pairs),{\"a\":1}]"] {
      #expect(Self.refusal("{\"$map\":\(wrong)}")?.code == .invalidValue)
    }
  }

  static let heads: [(short: String, long: [String], body: String)] = [
    (
      "05",
      ["cc05", "cd0005", "ce00000005", "cf0000000000000005", "d005", "d10005", "d200000005", "d30000000000000005"], ""
    ),
    ("cc80", ["cd0080", "ce00000080", "cf0000000000000080", "d10080", "d200000080", "d30000000000000080"], ""),
    ("cd0100", ["ce00000100", "cf0000000000000100", "d10100", "d200000100"], ""),
    ("ce00010000", ["cf0000000000010000", "d200010000"], ""),
    ("ff", ["d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff"], ""),
    ("d0df", ["d1ffdf", "d2ffffffdf", "d3ffffffffffffffdf"], ""),
    ("d1ff7f", ["d2ffffff7f", "d3ffffffffffffff7f"], ""), ("d2ffff7fff", ["d3ffffffffffff7fff"], ""),
    ("a1", ["d901", "da0001", "db00000001"], "61"), ("a0", ["d900", "da0000", "db00000000"], ""),
    ("c401", ["c50001", "c600000001"], "00"),
    ("d405", ["c70105", "c8000105", "c90000000105"], "aa"), ("c70305", ["c8000305", "c90000000305"], "aabbcc"),
    ("91", ["dc0001", "dd00000001"], "c0"), ("90", ["dc0000", "dd00000000"], ""),
    ("81", ["de0001", "df00000001"], "a161c0"),
    ("80", ["de0000", "df00000000"], ""),
  ]

  @Test(arguments: heads.indices)
  func `of a longer head is $msgpack with these very bytes, alone, inside and as a key [J10]`(number: Int) throws {
    let row = Self.heads[number]
    let short = [UInt8](hex: row.short + row.body)
    #expect(try !FuseJSON.text(from: short).contains("$msgpack"))
    for head in row.long {
      let bytes = [UInt8](hex: head + row.body)
      let spelled = "{\"$msgpack\":\"\(bytes.hex)\"}"
      for (outer, text) in [
        (bytes, spelled), ([0x92, 0xC0] + bytes, "[null,\(spelled)]"),
        ([0x81, 0xA1, 0x61] + bytes, "{\"a\":\(spelled)}"),
        ([0x81] + bytes + [0xC0], "{\"$map\":[[\(spelled),null]]}"),
        ([0x82, 0xA1, 0x61, 0xC0] + bytes + [0xC0], "{\"$map\":[[\"a\",null],[\(spelled),null]]}"),
      ] {
        #expect(try FuseJSON.text(from: outer) == text)
        #expect(try FuseJSON.messagePack(from: text) == outer)
      }
    }
  }

  @Test(arguments: ["", "c1", "0101", "cc", "a1", "91", "d901", "c401", "da0001", "92c0c1", "9100ff"])
  func `of $msgpack is exactly one value [J10]`(hex: String) {
    #expect(Self.refusal("{\"$msgpack\":\"\(hex)\"}")?.code == .invalidValue)
  }

  @Test func `of 128 levels is taken and of 129 refused, plain, as $map and in $msgpack [J12]`() throws {
    func arrays(_ depth: Int, _ inner: String) -> String {
      String(repeating: "[", count: depth) + inner + String(repeating: "]", count: depth)
    }
    func maps(_ depth: Int, _ inner: String) -> String {
      String(repeating: "{\"$map\":[[1,", count: depth) + inner + String(repeating: "]]}", count: depth)
    }
    func keys(_ depth: Int, _ inner: String) -> String {
      String(repeating: "{\"$map\":[[", count: depth) + inner + String(repeating: ",1]]}", count: depth)
    }
    func objects(_ depth: Int, _ inner: String) -> String {
      String(repeating: "{\"a\":", count: depth) + inner + String(repeating: "}", count: depth)
    }
    for nested in [arrays, maps, keys, objects] {
      for inner in [
        "null", "{\"$ext\":[1,\"91\"]}", "{\"$bin\":\"91\"}", "{\"$float32\":\"nan\"}", "{\"$msgpack\":\"cc05\"}",
      ] {
        let text = nested(128, inner)
        let bytes = try FuseJSON.messagePack(from: text)
        #expect(ReferenceValue.isOneValue(bytes))
        #expect(try FuseJSON.messagePack(from: FuseJSON.text(from: bytes)) == bytes)
        #expect(Self.refusal(nested(129, inner))?.code == .invalidValue)
      }
      for inner in [
        "[]", "{}", "{\"$map\":[]}", "{\"$map\":[[1,2]]}", "{\"$msgpack\":\"90\"}", "{\"$msgpack\":\"dc0000\"}",
      ] {
        #expect(Self.refusal(nested(127, inner)) == nil, "\(inner)")
        #expect(Self.refusal(nested(128, inner))?.code == .invalidValue, "\(inner)")
      }
      #expect(Self.refusal(nested(100_000, "1"))?.code == .invalidValue)
    }
    let deep = String(repeating: "91", count: 127)
    #expect(Self.refusal("{\"$msgpack\":\"\(deep)91c0\"}") == nil)
    #expect(Self.refusal("[{\"$msgpack\":\"\(deep)c0\"}]") == nil)
    #expect(Self.refusal("{\"$msgpack\":\"\(deep)9191c0\"}")?.code == .invalidValue)
    #expect(Self.refusal("[{\"$msgpack\":\"\(deep)91c0\"}]")?.code == .invalidValue)
    #expect(Self.refusal("[[{\"$msgpack\":\"\(deep)c0\"}]]")?.code == .invalidValue)
  }

  @Test func `is written for a value of 128 levels, whatever its heads [J12]`() throws {
    let heads: [[UInt8]] = [[0x91], [0x81, 0x05], [0x81, 0xA1, 0x61], [0xDC, 0, 1], [0x81, 0xCC, 0x05]]
    for head in heads {
      let bytes = [[UInt8]](repeating: head, count: 128).flatMap(\.self) + [0xC0]
      #expect(try FuseJSON.messagePack(from: FuseJSON.text(from: bytes)) == bytes)
    }
    let keys: [UInt8] = [UInt8](repeating: 0x81, count: 128) + [UInt8](repeating: 0xC0, count: 129)
    #expect(try FuseJSON.messagePack(from: FuseJSON.text(from: keys)) == keys)
  }

  @Test(arguments: [
    "", " ", "nul", "nil", "True", "[", "]", "[1", "[1,]", "[,1]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
    "{1:2}", "'a'",
    "\"a", "1 2", "[1] 2", "01", "1.", ".5", "+1", "-", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity", "\u{0}",
    "1\u{0}", "// a\n1",
  ])
  func `that is not JSON is refused`(text: String) { #expect(Self.refusal(text)?.code == .invalidValue) }

  @Test func `of many elements keeps them all, beyond what the parser counts`() throws {
    // simdjson's own count of elements ends at 2^24 - 1; this stays below what a debug build does quickly.
    let text = "[" + String(repeating: "0,", count: 70_000) + "1]"
    let bytes = try FuseJSON.messagePack(from: text)
    #expect(bytes.count == 5 + 70_001)
    #expect(Array(bytes.prefix(5)) == [0xDD, 0x00, 0x01, 0x11, 0x71])
    #expect(try FuseJSON.text(from: bytes) == text)
  }
}
