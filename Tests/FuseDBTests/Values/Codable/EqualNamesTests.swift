import Testing

import FuseDB

/// Names that stand twice in a map. [W12]
struct `Equal names in a map` {
  struct Three: Decodable, Equatable {
    var first: Int
    var last: Int
    var missing: Int?
  }

  private func packed(_ names: some Collection<String>) -> [UInt8] {
    Packed.map(names.count) + names.enumerated().flatMap { Packed.text($0.element) + [UInt8($0.offset & 0x7F)] }
  }

  private func error<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> FuseError? {
    failure { _ = try FuseDecoder().decode(type, from: bytes) }
  }

  @Test(arguments: [0, 1, 3, 13, 14, 15, 16, 100, 20_000])
  func `are refused wherever they stand, with the place of the second`(others: Int) throws {
    let names = ["first", "last"] + (0..<others).map { "name \($0)" }
    let sound = packed(names)
    #expect(try FuseDecoder().decode(Three.self, from: sound) == Three(first: 0, last: 1, missing: nil))
    for name in Set([names[0], names[1], names[names.count / 2], names[names.count - 1]]) {
      let bytes = packed(names + [name])
      let place = UInt64(bytes.count - Packed.text(name).count - 1)
      let error = error(Three.self, bytes)
      #expect(error?.offset == place)
      #expect(error?.message.contains("\"\(name)\" stands twice") == true)
      #expect(error?.codingPath == "")
      let another = self.error([String: Int].self, bytes)
      #expect(another?.offset == place)
      #expect(another?.message.contains("stands twice") == true)
    }
  }

  @Test func `with heads of other lengths are equal`() {
    // {"a": 1, str8 "a": 2}
    #expect(error(Three.self, [0x82, 0xA1, 0x61, 1, 0xD9, 1, 0x61, 2])?.message.contains("twice") == true)
    #expect(error([String: Int].self, [0x82, 0xA1, 0x61, 1, 0xD9, 1, 0x61, 2])?.message.contains("twice") == true)
    #expect(error([Int: Int].self, [0x82, 5, 1, 0xCC, 5, 2])?.message.contains("twice") == true)
    // {"5": 1, 5: 2} has one key, 5, for a dictionary with integers.
    #expect(error([Int: Int].self, [0x82, 0xA1, 0x35, 1, 5, 2])?.message.contains("twice") == true)
  }

  @Test func `deep inside are refused with their path`() {
    // [{"x": {"a": 1, "a": 2}}]
    let error = error([[String: Three]].self, [0x91, 0x81, 0xA1, 0x78, 0x82, 0xA1, 0x61, 1, 0xA1, 0x61, 2])
    #expect(error?.codingPath == "0.x")
    #expect(error?.offset == 8)
  }

  @Test func `in what nobody asks for are passed over`() throws {
    struct Small: Decodable { var a: Int }
    // {"b": {"c": 1, "c": 2}, "a": 3}
    let bytes: [UInt8] = [0x82, 0xA1, 0x62, 0x82, 0xA1, 0x63, 1, 0xA1, 0x63, 2, 0xA1, 0x61, 3]
    #expect(try FuseDecoder().decode(Small.self, from: bytes).a == 3)
  }

  @Test func `are told from names that look alike to a quick look`() throws {
    // All of one length, with the same first and last eight bytes.
    let names = (0..<30_000).map { "firstfir\(100_000 + $0)lastlast" }
    let bytes = packed(["first", "last"] + names)
    #expect(try FuseDecoder().decode(Three.self, from: bytes).last == 1)
    let twice = packed(["first", "last"] + names + [names[15_000]])
    #expect(error(Three.self, twice)?.message.contains("twice") == true)
  }

  @Test func `that look alike to a quick look are found one by one, in any order`() throws {
    struct Backwards: Decodable {
      var sum = 0
      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyName.self)
        for name in container.allKeys.reversed() { sum += try container.decode(Int.self, forKey: name) }
        if container.contains(AnyName("firstfir000000lastlast")) { sum = -1 }
      }
    }
    let names = (0..<100_000).map { "firstfir\(100_000 + $0)lastlast" }
    let bytes = packed(names)
    let sum = (0..<100_000).reduce(0) { $0 + ($1 & 0x7F) }
    #expect(try FuseDecoder().decode(Backwards.self, from: bytes).sum == sum)
  }
}
