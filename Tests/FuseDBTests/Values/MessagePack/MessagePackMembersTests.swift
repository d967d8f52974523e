import Testing

import FuseDB

struct `The members of a map` {
  @Test func `are names and values, each with its place`() throws {
    let bytes = try FuseJSON.messagePack(from: #"{"a":{"b":1},"0":"zero","n":null,"a2":{"$bin":"00ff"}}"#)
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

  @Test func `are those of one value: what is cut, goes on or is too deep is refused [V1] [V2] [V3]`() throws {
    let deep = "81a161" + String(repeating: "91", count: 128) + "c0"
    for (hex, offset) in [("81a161", 3), ("80c0", 1), ("81a16101c0", 4), ("81a161c1", 3), (deep, 3 + 127)] {
      var members = MessagePackMembers()
      let error = failure { _ = try members.read([UInt8](hex: hex).rawSpan) }
      #expect(error?.code == .invalidValue, "\(hex)")
      #expect(error?.offset == UInt64(offset), "\(hex)")
    }
  }

  @Test func `have a kind`() throws {
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
