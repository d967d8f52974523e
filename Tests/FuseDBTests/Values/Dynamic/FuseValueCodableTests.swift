import Foundation
import Testing

import FuseDB

struct `A dynamic value with another coder` {
  private struct Holder: Codable, Equatable {
    var name: String
    var extra: FuseValue
  }

  private static let plain: FuseValue = [
    "array": [1, -1, [], [[nil]]], "bool": true, "double": 1.5, "empty": [:], "int": -5, "map": ["a": ["b": "c"]],
    "most": .uint(.max), "null": nil, "string": "text é\n",
  ]

  @Test func `is the same again through JSON`() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let holder = Holder(name: "n", extra: Self.plain)
    let data = try encoder.encode(holder)
    #expect(
      String(decoding: data, as: UTF8.self)
        == #"{"extra":{"array":[1,-1,[],[[null]]],"bool":true,"double":1.5,"empty":{},"int":-5,"map":{"a":{"b":"c"}},"#
        + #""most":18446744073709551615,"null":null,"string":"text é\n"},"name":"n"}"#)
    #expect(try JSONDecoder().decode(Holder.self, from: data) == holder)
  }

  @Test(
    arguments: [
      ("null", nil), ("true", true), ("0", 0), ("-9223372036854775808", .int(.min)),
      ("9223372036854775808", .uint(1 << 63)),
      ("0.5", 0.5), ("1e30", 1e30), (#""""#, ""), ("[]", []), ("[[],{}]", [[], [:]]),
      (#"{"b":1,"a":2}"#, ["a": 2, "b": 1]),
    ] as [(String, FuseValue)])
  func `is what the text says`(json: String, value: FuseValue) throws {
    #expect(try JSONDecoder().decode(FuseValue.self, from: Data(json.utf8)) == value)
  }

  @Test func `is the same again through a property list, which has no nil`() throws {
    let value: FuseValue = ["array": [1, -1, [], "x"], "bool": true, "double": 1.5, "empty": [:], "zero": 0]
    let encoder = PropertyListEncoder()
    for format in [PropertyListSerialization.PropertyListFormat.xml, .binary] {
      encoder.outputFormat = format
      let data = try encoder.encode(Holder(name: "n", extra: value))
      #expect(try PropertyListDecoder().decode(Holder.self, from: data).extra == value)
    }
  }

  @Test func `has bytes as numbers, and a moment as text`() throws {
    let value: FuseValue = [.bytes([0, 255]), .timestamp(FuseTimestamp(seconds: 0, nanoseconds: 1)), .float(0.5)]
    let data = try JSONEncoder().encode(value)
    #expect(String(decoding: data, as: UTF8.self) == #"[[0,255],"1970-01-01T00:00:00.000000001Z",0.5]"#)
  }

  @Test func `has longer encodings as what they say`() throws {
    let value = try FuseValue(messagePack: [UInt8](hex: "dc0002 d90161 de0001a161cc05"))
    let data = try JSONEncoder().encode(value)
    #expect(String(decoding: data, as: UTF8.self) == #"["a",{"a":5}]"#)
  }

  @Test(arguments: [
    ("d40500", "an extension of type 5"), ("a1ff", "not UTF-8"), ("8101c0", "the key 1, which is no text"),
    ("82a161c0a161c0", #"has "a" twice"#), ("81a1ffc0", "which is no text"),
    // Names that other coders' dictionaries take for equal.
    ("82a2c3a9c0a365cc81c0", "twice"),
  ])
  func `is refused where the coder has no word for it`(hex: String, reason: String) throws {
    let value = try FuseValue(messagePack: [UInt8](hex: hex))
    let error = #expect(throws: EncodingError.self) { try JSONEncoder().encode(["in": [value]]) }
    guard case .invalidValue(let what, let context) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(what as? FuseValue == value)
    #expect(context.debugDescription.contains(reason))
    #expect(context.codingPath.map(\.stringValue) == ["in", "Index 0"])
  }

  /// Hands its coder on, as property wrappers do.
  private struct Forwarding: Codable {
    let value: FuseValue
    init(_ value: FuseValue) { self.value = value }
    init(from decoder: any Decoder) throws { value = try FuseValue(from: decoder) }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
  }

  @Test(arguments: ["d40500", "a1ff", "8101c0", "cc05", "82a162c0a161c0", "ca3fc00000", "c40101", "d6ff00000001"])
  func `is exact with this library's coders, also where a type hands them on`(hex: String) throws {
    let bytes = [UInt8](hex: "91" + hex)
    let back = try FuseDecoder().decode([Forwarding].self, from: bytes)
    #expect(try back[0].value == FuseValue(messagePack: [UInt8](hex: hex)))
    #expect(try FuseEncoder().encode(back) == bytes)
  }

  @Test func `has one place in a set, however it is written`() throws {
    let five = try FuseValue(messagePack: [UInt8](hex: "cc05"))
    let text = try FuseValue(messagePack: [UInt8](hex: "d90161"))
    let lists = try Set(
      (0..<64).map { number in
        var set = Set<FuseValue>(minimumCapacity: 1 << (number % 8))
        for value in [five, 5, text, "a"].shuffled() { set.insert(value) }
        return try FuseEncoder().encode(set)
      })
    #expect(lists == [[UInt8](hex: "94 a161 d90161 05 cc05")])
  }

  @Test func `is at most 128 deep`() throws {
    func nested(_ depth: Int) -> Data {
      Data((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    #expect(try JSONDecoder().decode(FuseValue.self, from: nested(128)).messagePack.count == 128)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(FuseValue.self, from: nested(129)) }
    for kind in [EndlessDecoder.Kind.array, .map, .nothing] {
      #expect(throws: DecodingError.self) { try FuseValue(from: EndlessDecoder(kind: kind)) }
    }
  }
}

/// A decoder of a value inside a value inside a value, for ever.
private struct EndlessDecoder: Decoder {
  enum Kind { case array, map, nothing }
  struct Refusal: Error {}

  let kind: Kind
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Refusal() }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard kind == .array else { throw Refusal() }
    return Elements(decoder: self)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard kind == .map else { throw Refusal() }
    return KeyedDecodingContainer(Members(decoder: self))
  }

  struct Elements: UnkeyedDecodingContainer {
    let decoder: EndlessDecoder
    var codingPath: [any CodingKey] { [] }
    var count: Int? { .max }
    var isAtEnd: Bool { false }
    var currentIndex: Int { 0 }
    func superDecoder() -> any Decoder { decoder }
    func decodeNil() throws -> Bool { throw Refusal() }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { throw Refusal() }
    func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
      throw Refusal()
    }
    func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Refusal() }
  }

  struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: EndlessDecoder
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [Key(stringValue: "a")!] }
    func contains(_ key: Key) -> Bool { true }
    func superDecoder() -> any Decoder { decoder }
    func superDecoder(forKey key: Key) -> any Decoder { decoder }
    func decodeNil(forKey key: Key) throws -> Bool { throw Refusal() }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { throw Refusal() }
    func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw Refusal() }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw Refusal() }
  }
}
