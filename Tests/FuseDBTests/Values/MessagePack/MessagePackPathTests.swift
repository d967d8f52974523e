import Testing

@testable import FuseDB

struct `A path into a value` {
  private static func at(_ path: String, in json: String) throws -> String? {
    let bytes = try FuseJSON.messagePack(from: json)
    guard let range = try MessagePackPath(Array(path.utf8)).range(in: bytes.rawSpan) else { return nil }
    return try FuseJSON.text(from: [UInt8](bytes[range]))
  }

  static let sample = #"{"a":{"b":[10,[20],{"c":"x"}],"":7,"d.e":1,"f\\g":2},"0":"zero","n":null,"a2":{"$bin":"00ff"}}"#

  @Test(arguments: [
    ("a.b.0", "10"), ("a.b.1", "[20]"), ("a.b.1.0", "20"), ("a.b.2.c", #""x""#), ("a.", "7"), (#"a.d\.e"#, "1"),
    (#"a.f\\g"#, "2"),
    ("0", #""zero""#), ("n", "null"), ("a2", #"{"$bin":"00ff"}"#), ("a.b", #"[10,[20],{"c":"x"}]"#), ("a.b.00", "10"),
    (#"\a.b.0"#, "10"),
  ])
  func `leads through names and numbers`(path: String, text: String) throws {
    #expect(try Self.at(path, in: Self.sample) == text)
  }

  @Test(arguments: [
    "b", "a.b.3", "a.b.-1", "a.b.+1", "a.b.x", "a.b.", "n.x", "0.0", "a.d.e", "", "a.b.99999999999999999999", "a.b. 0",
    "A",
  ])
  func `that leads nowhere is nil`(path: String) throws { #expect(try Self.at(path, in: Self.sample) == nil) }

  @Test func `takes the last of equal names, and passes over keys that are no text`() throws {
    #expect(try Self.at("a", in: #"{"a":1,"a":2}"#) == "2")
    #expect(try Self.at("1", in: #"{"$map":[[1,"number"],["1","text"]]}"#) == #""text""#)
    #expect(try Self.at("x", in: #"{"$map":[[["x",{"y":1}],"no"],["x",3]]}"#) == "3")
    #expect(try Self.at("b", in: "[1,2]") == nil)
    #expect(try Self.at("1", in: "[1,[2]]") == "[2]")
    #expect(try Self.at("a", in: "5") == nil)
  }

  @Test func `through bytes that are no value is an error`() throws {
    for hex in ["", "81a161", "81a161c1", "8101", "0101"] {
      let bytes = [UInt8](hex: hex)
      #expect(
        failure { _ = try MessagePackPath(Array("a".utf8)).range(in: bytes.rawSpan) }?.code == .invalidValue, "\(hex)")
    }
  }

  @Test func `and the members of a map name the same places`() throws {
    let bytes = try FuseJSON.messagePack(from: Self.sample)
    var members = MessagePackMembers()
    let isMap = try members.read(bytes.rawSpan)
    #expect(isMap)
    #expect(members.names.map { String(decoding: bytes[$0], as: UTF8.self) } == ["a", "0", "n", "a2"])
    #expect(try FuseJSON.text(from: [UInt8](bytes[members.values[1]])) == #""zero""#)
    for other in [
      "[]", "1", "null", #"{"$map":[[1,2]]}"#, #"{"$map":[[{"$str":"ff"},2]]}"#, #"{"$map":[["a",1],[null,2]]}"#,
    ] {
      let bytes = try FuseJSON.messagePack(from: other)
      let isMap = try members.read(bytes.rawSpan)
      #expect(!isMap, "\(other)")
    }
    let none: [UInt8] = [0x80]
    let isEmptyMap = try members.read(none.rawSpan)
    #expect(isEmptyMap)
    #expect(members.names.isEmpty && members.values.isEmpty)
  }

  @Test func `ends at values of some kind`() throws {
    for (hex, kind) in [
      ("c0", .null), ("a161", .string(1..<2)), ("d90161", .string(2..<3)), ("05", .other), ("90", .other),
      ("c400", .other),
    ]
      as [(String, MessagePackKind)]
    {
      let bytes = [UInt8](hex: hex)
      let found = try MessagePackKind(of: bytes.rawSpan)
      #expect(found == kind, "\(hex)")
    }
  }
}
