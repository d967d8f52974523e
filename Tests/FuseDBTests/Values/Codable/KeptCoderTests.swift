import Glibc
import Testing

import FuseDB

/// Coders and containers that are used otherwise than they should be.
struct `A coder that was kept` {
  /// Keeps all that it is given.
  struct Keeper: Decodable {
    let decoder: any Decoder
    let keyed: KeyedDecodingContainer<AnyName>
    let unkeyed: any UnkeyedDecodingContainer
    let single: any SingleValueDecodingContainer

    init(from decoder: any Decoder) throws {
      self.decoder = decoder
      keyed = try decoder.container(keyedBy: AnyName.self)
      unkeyed = try keyed.nestedUnkeyedContainer(forKey: AnyName("list"))
      single = try decoder.singleValueContainer()
    }
  }

  @Test func `when its value is decoded finds nothing`() throws {
    let bytes = try FuseEncoder().encode(["list": [1, 2, 3]])
    let keeper = try FuseDecoder().decode(Keeper.self, from: bytes)
    let list = AnyName("list")
    var unkeyed = keeper.unkeyed
    #expect(throws: DecodingError.self) { try unkeyed.decode(Int.self) }
    #expect(throws: DecodingError.self) { try unkeyed.nestedUnkeyedContainer() }
    #expect(throws: DecodingError.self) { try unkeyed.nestedContainer(keyedBy: AnyName.self) }
    #expect(throws: DecodingError.self) { try unkeyed.superDecoder().singleValueContainer().decode(Int.self) }
    #expect(throws: DecodingError.self) { try unkeyed.superDecoder().container(keyedBy: AnyName.self) }
    #expect(unkeyed.codingPath.isEmpty)
    #expect(throws: DecodingError.self) { try keeper.keyed.decode([Int].self, forKey: list) }
    #expect(try keeper.keyed.decodeIfPresent([Int].self, forKey: list) == nil)
    #expect(keeper.keyed.allKeys.isEmpty)
    #expect(!keeper.keyed.contains(list))
    #expect(keeper.keyed.codingPath.isEmpty)
    #expect(throws: DecodingError.self) { try keeper.single.decode([String: [Int]].self) }
    #expect(throws: DecodingError.self) { try keeper.single.decode(Int.self) }
    #expect(throws: DecodingError.self) { try keeper.decoder.container(keyedBy: AnyName.self) }
    #expect(throws: DecodingError.self) { try keeper.decoder.unkeyedContainer() }
    #expect(!keeper.single.decodeNil())
  }

  final class Box: @unchecked Sendable { var encoder: (any Encoder)? }

  struct Giver: Encodable {
    let box: Box
    func encode(to encoder: any Encoder) throws {
      box.encoder = encoder
      var container = encoder.unkeyedContainer()
      try container.encode(1)
    }
  }

  @Test func `for encoding traps when it is used after its value`() async {
    await #expect(processExitsWith: .failure) {
      let box = Box()
      _ = try FuseEncoder().encode(Giver(box: box))
      var container = box.encoder?.unkeyedContainer()
      try container?.encode(2)
    }
  }

  struct Outer: Encodable {
    struct Inner: Encodable {
      let box: Box
      func encode(to encoder: any Encoder) throws {
        var outer = box.encoder?.unkeyedContainer()
        try outer?.encode(1)
      }
    }
    let box = Box()
    func encode(to encoder: any Encoder) throws {
      box.encoder = encoder
      var container = encoder.unkeyedContainer()
      try container.encode(Inner(box: box))
    }
  }

  @Test func `for encoding traps when it is used while a value inside it is encoded`() async {
    await #expect(processExitsWith: .failure) { _ = try FuseEncoder().encode(Outer()) }
  }

  struct TwoShapes: Encodable {
    func encode(to encoder: any Encoder) throws {
      var list = encoder.unkeyedContainer()
      try list.encode(1)
      var map = encoder.container(keyedBy: AnyName.self)
      try map.encode(1, forKey: AnyName("a"))
    }
  }

  struct TwoSingles: Encodable {
    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(1)
      try container.encode(2)
    }
  }

  @Test func `for encoding traps when a value is two things`() async {
    await #expect(processExitsWith: .failure) { _ = try FuseEncoder().encode(TwoShapes()) }
    await #expect(processExitsWith: .failure) { _ = try FuseEncoder().encode(TwoSingles()) }
  }

  struct Silent: Encodable { func encode(to encoder: any Encoder) throws {} }

  @Test func `for encoding that is given nothing is an error with its place [W8]`() {
    let error = failure { _ = try FuseEncoder().encode(["a": [Silent()]]) }
    #expect(error?.code == .invalidValue)
    #expect(error?.codingPath == "a.0")
  }

  /// Changes its mind when an element cannot be written.
  struct Second: Encodable {
    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      do { try container.encode([[Int128(5)], [Int128.max]]) } catch { try container.encode("second") }
    }
  }

  struct Tries: Encodable {
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: AnyName.self)
      try container.encode(1, forKey: AnyName("a"))
      do { try container.encode(["x": [Int128.max]], forKey: AnyName("b")) } catch {}
      try container.encode(Second(), forKey: AnyName("c"))
    }
  }

  @Test func `for encoding goes on where a part could not be written`() throws {
    #expect(try FuseValue(messagePack: FuseEncoder().encode(Tries())) == ["a": 1, "c": "second"])
  }

  /// Encodes these names, each with its number.
  struct Names: Encodable {
    let names: [String]
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: AnyName.self)
      for (number, name) in names.enumerated() { try container.encode(number, forKey: AnyName(name)) }
    }
  }

  @Test(arguments: [0, 5, 14, 15, 1000])
  func `for encoding refuses a name that is encoded twice`(others: Int) throws {
    let names = (0..<others).map { "name \($0)" }
    #expect(try FuseValue(messagePack: FuseEncoder().encode(Names(names: names + ["a", "b"]))).count == others + 2)
    let error = failure { _ = try FuseEncoder().encode(["x": Names(names: ["a"] + names + ["a"])]) }
    #expect(error?.code == .invalidValue)
    #expect(error?.codingPath == "x")
    #expect(error?.message == "Names encodes two members with the name \"a\"")
  }

  /// Asks for containers in each other, in a loop.
  struct Deepening: Encodable {
    let count: Int
    func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      for _ in 0..<count { container = container.nestedUnkeyedContainer() }
    }
  }

  @Test func `for encoding refuses containers that are too deep in each other, however many`() throws {
    #expect(try FuseEncoder().encode(Deepening(count: 127)) == [UInt8](repeating: 0x91, count: 127) + [0x90])
    for count in [128, 129, 1000, 200_000] {
      #expect(failure { _ = try FuseEncoder().encode(Deepening(count: count)) }?.code == .invalidValue)
    }
  }
}
