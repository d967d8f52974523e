import Testing

import FuseDB

struct `A path into a value [W18]` {
  private static func at(_ path: String, in json: String) throws -> String? {
    let bytes = try FuseJSON.messagePack(from: json)
    let value = try FuseView(validating: bytes.rawSpan)
    return value[path: FusePath(path)]?.json
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

  @Test func `is bytes, which need be no UTF-8`() throws {
    let bytes: [UInt8] = [0x82, 0xA2, 0xFF, 0x2E, 0x01, 0xA1, 0xFE, 0x92, 0x02, 0x03]
    let value = try FuseView(validating: bytes.rawSpan)
    #expect(value[path: FusePath([0xFF, 0x5C, 0x2E])]?.int == 1)
    #expect(value[path: FusePath([0xFE, 0x2E, 0x31])]?.int == 3)
  }
}
