import Testing

import FuseDB

struct `What a dynamic value is asked for` {
  /// All that a value answers, as text: what it is not asked for is nil.
  private static func answers(_ value: FuseValue) -> [String: String] {
    var answers: [String: String] = [:]
    func add(_ name: String, _ answer: (some Any)?) { if let answer { answers[name] = "\(answer)" } }
    if value.isNil { answers["isNil"] = "true" }
    add("bool", value.bool)
    add("int", value.int)
    add("int64", value.int64)
    add("uint64", value.uint64)
    add("int8", value.integer(Int8.self))
    add("uint8", value.integer(UInt8.self))
    add("int32", value.integer(Int32.self))
    add("int128", value.integer(Int128.self))
    add("double", value.double?.bitPattern)
    add("float", value.float?.bitPattern)
    add("string", value.string)
    add("stringBytes", value.stringBytes)
    add("bytes", value.bytes)
    add("timestamp", value.timestamp.map { "\($0.seconds).\($0.nanoseconds)" })
    add("type", value.extensionType)
    add("payload", value.extensionPayload)
    add("elements", value.elements)
    add("pairs", value.pairs?.map { [$0.key, $0.value] })
    add("count", value.count)
    return answers
  }

  /// What an integer answers.
  private static func integer(_ number: Int128) -> [String: String] {
    var answers = ["int128": "\(number)"]
    if let number = Int8(exactly: number) { answers["int8"] = "\(number)" }
    if let number = UInt8(exactly: number) { answers["uint8"] = "\(number)" }
    if let number = Int32(exactly: number) { answers["int32"] = "\(number)" }
    if Int128(Double(number)) == number { answers["double"] = "\(Double(number).bitPattern)" }
    if Int128(Float(number)) == number { answers["float"] = "\(Float(number).bitPattern)" }
    if let number = UInt64(exactly: number) { answers["uint64"] = "\(number)" }
    if let number = Int64(exactly: number) {
      answers["int"] = "\(number)"
      answers["int64"] = "\(number)"
    }
    return answers
  }

  /// What the case of a value answers.
  private static func expected(_ value: FuseValue) throws -> [String: String] {
    switch value {
    case .null: return ["isNil": "true"]
    case .bool(let value): return ["bool": "\(value)"]
    case .int(let number): return integer(Int128(number))
    case .uint(let number): return integer(Int128(number))
    case .float(let value): return ["float": "\(value.bitPattern)", "double": "\(Double(value).bitPattern)"]
    case .double(let value):
      guard value.isNaN || Double(Float(value)) == value else { return ["double": "\(value.bitPattern)"] }
      return ["double": "\(value.bitPattern)", "float": "\(Float(value).bitPattern)"]
    case .string(let text): return ["string": text, "stringBytes": "\(Array(text.utf8))"]
    case .bytes(let bytes): return ["bytes": "\(bytes)"]
    case .array(let values): return ["elements": "\(values)", "count": "\(values.count)"]
    case .map(let pairs): return ["pairs": "\(pairs.map { [$0.key, $0.value] })", "count": "\(pairs.count)"]
    case .ext(let type, let bytes): return ["type": "\(type)", "payload": "\(bytes)"]
    case .timestamp(let moment):
      let bytes = try value.messagePack
      return [
        "type": "-1", "timestamp": "\(moment.seconds).\(moment.nanoseconds)",
        "payload": "\(Array(bytes.dropFirst(bytes[0] == 0xC7 ? 3 : 2)))",
      ]
    case .verbatim: throw FuseError(.invalidValue, "not here")
    }
  }

  @Test func `is answered by values of that type alone`() throws {
    for (value, _) in ValueSamples.all where value != .ext(type: -1, bytes: [0, 0, 0, 0, 0, 0, 0, 5]) {
      #expect(Self.answers(value) == (try Self.expected(value)))
    }
  }

  @Test(
    arguments: [
      ("cc05", 5), ("cd0005", 5), ("ce00000005", 5), ("cf0000000000000005", 5), ("d005", 5), ("d0ff", -1),
      ("d1ffff", -1),
      ("d200000005", 5), ("d3ffffffffffffffff", -1), ("cd00ff", 255), ("d100ff", 255), ("ce0000ffff", 0xFFFF),
      ("d38000000000000000", Int128(Int64.min)), ("cfffffffffffffffff", Int128(UInt64.max)),
      // The last integers of which a Double and a Float hold each, and the next ones.
      ("cf0020000000000000", 1 << 53), ("cf0020000000000001", (1 << 53) + 1), ("d3ffdfffffffffffff", -(1 << 53) - 1),
      ("ce01000000", 1 << 24), ("ce01000001", (1 << 24) + 1), ("cf8000000000000000", 1 << 63),
    ] as [(String, Int128)])
  func `is answered by integers of every width`(hex: String, number: Int128) throws {
    #expect(Self.answers(try FuseValue(messagePack: [UInt8](hex: hex))) == Self.integer(number))
  }

  @Test(arguments: [
    ("d90161", ["string": "a", "stringBytes": "[97]"]), ("db0000000161", ["string": "a", "stringBytes": "[97]"]),
    ("a1ff", ["stringBytes": "[255]"]), ("a2c328", ["stringBytes": "[195, 40]"]), ("d901ff", ["stringBytes": "[255]"]),
    ("c5000107", ["bytes": "[7]"]), ("c7010507", ["type": "5", "payload": "[7]"]),
    // A moment in a longer head, and in a longer payload.
    ("c704ff00000005", ["type": "-1", "payload": "[0, 0, 0, 5]", "timestamp": "5.0"]),
    ("d7ff0000000000000005", ["type": "-1", "payload": "[0, 0, 0, 0, 0, 0, 0, 5]", "timestamp": "5.0"]),
    ("dc000101", ["elements": "[1]", "count": "1"]), ("de000101c3", ["pairs": "[[1, true]]", "count": "1"]),
    ("dd00000001cc05", ["elements": #"[{"$msgpack":"cc05"}]"#, "count": "1"]),
  ])
  func `is answered by longer encodings too`(hex: String, answers: [String: String]) throws {
    #expect(Self.answers(try FuseValue(messagePack: [UInt8](hex: hex))) == answers)
  }

  @Test(arguments: [Int.min, -1, 2, 3, 1 << 40, Int.max])
  func `is nil for an element that is not there`(index: Int) {
    let value: FuseValue = [1, 2]
    #expect(value[index] == nil)
    #expect(FuseValue.null[index] == nil && FuseValue.string("ab")[index] == nil)
  }

  @Test func `is the last of equal names, in the bytes of the name`() throws {
    // {"a": 1, "a": 2, ff: 3, "a" in a longer head: 4, "b": nil, 1: 5, nil: 6}
    let value = try FuseValue(messagePack: [UInt8](hex: "87 a16101 a16102 a1ff03 d9016104 a162c0 0105 c006"))
    #expect(value["a"] == 4)
    #expect(value[[0xFF] as [UInt8]] == 3)
    #expect(value["b"] == .some(.null))
    #expect(value["c"] == nil && value["1"] == nil && value[1] == nil)
    #expect(value[key: 1] == 5 && value[key: nil] == 6 && value[key: "a"] == 4 && value[key: 2] == nil)
    let key = try FuseValue(messagePack: [0xD0, 1])
    #expect(value[key: key] == 5)
    let short: FuseValue = ["e\u{301}": 1, "é": 2]
    #expect(short["e\u{301}"] == 1 && short["é"] == 2)
    #expect(FuseValue.null["a"] == nil && FuseValue.array([])["a"] == nil && FuseValue.null[key: nil] == nil)
  }

  @Test func `may be fields of fields`() {
    let value: FuseValue = ["org": ["name": "Google LLC"], "tags": ["cdn", "dns"]]
    #expect(value["org"]?["name"]?.string == "Google LLC")
    #expect(value["tags"]?[1]?.string == "dns")
    #expect(value["tags"]?[2]?.string == nil)
    #expect(value["tags"]?.count == 2)
    #expect(value["org"]?["name"]?["x"] == nil)
  }
}
