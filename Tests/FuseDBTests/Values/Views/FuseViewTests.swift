import Testing

import FuseDB

struct `A view of a value` {
  static let sample =
    #"{"org":"Google LLC","asn":15169,"geo":{"at":[37.4,-122.1],"city":"Zürich"},"tags":["cdn","dns"]}"#

  /// Every type at the edges of its widths: bytes, kind, and what accessors give; all others give nil.
  private struct Row {
    let hex: String
    let kind: FuseValueKind
    var int: Int?
    var uint64: UInt64?
    var double: Double?
    var float: Float?
    var string: String?
    var count: Int?

    init(_ hex: String, _ kind: FuseValueKind) { (self.hex, self.kind) = (hex, kind) }

    init(_ hex: String, _ int: Int) {
      self.init(hex, .integer)
      (self.int, uint64) = (int, UInt64(exactly: int))
      (double, float) = (Double(exactly: int), Float(exactly: int))
    }

    init(_ hex: String, large: UInt64) {
      self.init(hex, .integer)
      uint64 = large
      (double, float) = (Double(exactly: large), Float(exactly: large))
    }

    init(_ hex: String, _ kind: FuseValueKind, count: Int) {
      self.init(hex, kind)
      self.count = count
    }

    init(_ hex: String, text: String) {
      self.init(hex, .string)
      string = text
    }

    init(_ hex: String, float: Float) {
      self.init(hex, .float)
      (self.float, double) = (float, Double(float))
    }

    init(_ hex: String, wide: Double) {
      self.init(hex, .double)
      (double, float) = (wide, Float(exactly: wide))
    }
  }

  private static let table = [
    Row("c0", .null), Row("c2", .bool), Row("c3", .bool),
    Row("00", 0), Row("7f", 127), Row("cc80", 128), Row("cc00", 0), Row("ccff", 255), Row("cd0100", 256),
    Row("cdffff", 65_535), Row("cd0001", 1), Row("ce00010000", 65_536), Row("ceffffffff", 4_294_967_295),
    Row("ce00000001", 1), Row("cf0000000100000000", 4_294_967_296), Row("cf7fffffffffffffff", .max),
    Row("cf8000000000000000", large: 1 << 63), Row("cfffffffffffffffff", large: .max), Row("cf0000000000000001", 1),
    Row("ff", -1), Row("e0", -32), Row("d0df", -33), Row("d080", -128), Row("d07f", 127), Row("d1ff7f", -129),
    Row("d18000", -32_768), Row("d17fff", 32_767), Row("d2ffff7fff", -32_769), Row("d280000000", -2_147_483_648),
    Row("d27fffffff", 2_147_483_647), Row("d3ffffffff7fffffff", -2_147_483_649), Row("d38000000000000000", .min),
    Row("d37fffffffffffffff", .max), Row("d3ffffffffffffffff", -1), Row("cf0020000000000000", 1 << 53),
    Row("cf0020000000000001", (1 << 53) + 1), Row("ce01000000", 1 << 24), Row("ce01000001", (1 << 24) + 1),
    Row("ca3fc00000", float: 1.5), Row("ca00000000", float: 0), Row("ca7f800000", float: .infinity),
    Row("ca3dcccccd", float: 0.1),
    Row("cb3ff8000000000000", wide: 1.5), Row("cb3fb999999999999a", wide: 0.1),
    Row("cb0000000000000000", wide: 0), Row("cbfff0000000000000", wide: -.infinity),
    Row("cb4008000000000000", wide: 3),
    Row("a0", text: ""), Row("a3616263", text: "abc"), Row("a2c3a9", text: "é"), Row("d90161", text: "a"),
    Row("da000161", text: "a"), Row("db0000000161", text: "a"), Row("a1ff", .string), Row("a2c328", .string),
    Row("c400", .bytes), Row("c40161", .bytes), Row("c5000161", .bytes), Row("c60000000161", .bytes),
    Row("90", .array, count: 0), Row("9101", .array, count: 1), Row("dc000101", .array, count: 1),
    Row("dd0000000101", .array, count: 1), Row("80", .map, count: 0), Row("8101c0", .map, count: 1),
    Row("de000101c0", .map, count: 1), Row("df0000000101c0", .map, count: 1),
    Row("d40500", .extension), Row("c70005", .extension), Row("d6ff00000000", .timestamp),
    Row("d7ff0000000000000000", .timestamp), Row("c70cff000000000000000000000000", .timestamp),
    // Payloads of other lengths, and of a second or more, say no moment.
    Row("d5ff0000", .extension), Row("c704ff00000000", .timestamp), Row("d7ffee6b280000000000", .extension),
    Row("c70cff3b9aca000000000000000000", .extension), Row("d6fe00000000", .extension),
  ]

  @Test func `gives a value as what it is, and as nothing else [W19]`() throws {
    for row in Self.table {
      let bytes = [UInt8](hex: row.hex)
      // At the end of the bytes, and before others.
      for tail in [0, 16] {
        let longer = bytes + [UInt8](repeating: 0xFF, count: tail)
        let view = FuseView(validated: longer.rawSpan)
        #expect(view.kind == row.kind, "\(row.hex)")
        #expect(view.isNil == (row.kind == .null), "\(row.hex)")
        #expect(view.bool == (row.kind == .bool ? row.hex == "c3" : nil), "\(row.hex)")
        #expect(view.int == row.int && view.int64 == row.int.map { Int64($0) }, "\(row.hex)")
        #expect(view.uint64 == row.uint64, "\(row.hex)")
        #expect(view.double == row.double && view.float == row.float, "\(row.hex)")
        #expect(view.string == row.string && view.count == row.count, "\(row.hex)")
        #expect((view.timestamp != nil) == (row.kind == .timestamp), "\(row.hex)")
        #expect((view.extensionType != nil) == [.extension, .timestamp].contains(row.kind), "\(row.hex)")
        let (hasText, hasBytes, hasPayload) = (view.stringBytes != nil, view.bytes != nil, view.extensionPayload != nil)
        #expect(hasText == (row.kind == .string) && hasBytes == (row.kind == .bytes), "\(row.hex)")
        #expect(hasPayload == (view.extensionType != nil), "\(row.hex)")
      }
    }
  }

  /// An integer is one type, whatever its width and sign in the file; what does not fit is nil.
  @Test func `gives integers in every Swift type that holds them`() throws {
    for row in Self.table where row.kind == .integer {
      let bytes = [UInt8](hex: row.hex)
      let view = FuseView(validated: bytes.rawSpan)
      let value = row.int.map { Int128($0) } ?? Int128(row.uint64!)
      #expect(view.integer(Int8.self) == Int8(exactly: value), "\(row.hex)")
      #expect(view.integer(UInt8.self) == UInt8(exactly: value), "\(row.hex)")
      #expect(view.integer(Int16.self) == Int16(exactly: value), "\(row.hex)")
      #expect(view.integer(UInt16.self) == UInt16(exactly: value), "\(row.hex)")
      #expect(view.integer(Int32.self) == Int32(exactly: value), "\(row.hex)")
      #expect(view.integer(UInt32.self) == UInt32(exactly: value), "\(row.hex)")
      #expect(view.integer(Int64.self) == Int64(exactly: value), "\(row.hex)")
      #expect(view.integer(UInt64.self) == UInt64(exactly: value), "\(row.hex)")
      #expect(view.integer(Int128.self) == value, "\(row.hex)")
      #expect(view.integer(UInt128.self) == UInt128(exactly: value), "\(row.hex)")
    }
  }

  @Test func `reaches names and numbers, and walks through them`() throws {
    let bytes = try FuseJSON.messagePack(from: Self.sample)
    let value = try FuseView(validating: bytes.rawSpan)
    #expect(value["org"]?.string == "Google LLC")
    #expect(value["asn"]?.int == 15169 && value["asn"]?.string == nil && value["asn"]?.double == 15169)
    #expect(value["geo"]?["at"]?[1]?.double == -122.1)
    #expect(value["geo"]?["city"]?.string == "Zürich")
    #expect(value["tags"]?[2] == nil && value["tags"]?[-1] == nil && value["tags"]?["0"] == nil)
    #expect(value["or"] == nil && value["orgs"] == nil && value["Org"] == nil && value[""] == nil && value[0] == nil)
    #expect(value["tags".dropLast(0)]?.json == #"["cdn","dns"]"#)
    #expect(value[[0x61, 0x73, 0x6E]]?.json == "15169")
    #expect(value.json == Self.sample)
    var names: [String] = []
    value.pairs?.forEach { names.append($0.key.string ?? "?") }
    #expect(names == ["org", "asn", "geo", "tags"])
    var tags: [String] = []
    value["tags"]?.elements?.forEach { tags.append($0.string ?? "?") }
    #expect(tags == ["cdn", "dns"])
  }

  @Test func `takes the last of equal names and keys [W18]`() throws {
    let bytes = try FuseJSON.messagePack(
      from: #"{"$map":[["a",1],["b",2],["a",3],[7,4],[{"$msgpack":"cc07"},5],[{"$msgpack":"d90162"},6],["c",null]]}"#)
    let value = try FuseView(validating: bytes.rawSpan)
    #expect(value["a"]?.int == 3 && value["b"]?.int == 6 && value[integerKey: 7]?.int == 5)
    #expect(value["7"] == nil && value[integerKey: 8] == nil && value["c"]?.isNil == true)
  }

  /// The search compares seven bytes of a name at once, and the rest after that; longer names have longer heads.
  @Test(arguments: 0...40)
  func `finds names of every length among those that differ in one byte`(count: Int) throws {
    let name = (0..<count).map { UInt8(0x61 + $0 % 26) }
    var others = (0..<count).map { place in name.flipping(bit: 8 * place + 3) }
    others.append(name + [0x61])
    if count > 0 { others.append([UInt8](name.dropLast())) }
    // Every encoding of a head, before and after the others.
    let heads = [
      [0xA0 | UInt8(min(count, 31))], [0xD9, UInt8(count)], [0xDA, 0, UInt8(count)], [0xDB, 0, 0, 0, UInt8(count)],
    ]
    for head in heads where head[0] > 0xBF || count <= 31 {
      for place in [0, others.count / 2, others.count] {
        var bytes: [UInt8] = [0xDE, 0, UInt8(others.count + 1)]
        for number in 0...others.count {
          if number == place { bytes += head + name + [99] }
          guard number < others.count else { continue }
          let other = others[number]
          bytes += (other.count < 32 ? [0xA0 | UInt8(other.count)] : [0xD9, UInt8(other.count)]) + other
          bytes.append(UInt8(number % 50))
        }
        let value = try FuseView(validating: bytes.rawSpan)
        #expect(value[name]?.int == 99)
        for (number, other) in others.enumerated() {
          let last = others.lastIndex(of: other)!
          #expect(value[other]?.int == (other == name ? 99 : last % 50), "\(number)")
        }
      }
    }
  }
}
