import ProgramSupport
import Testing

import FuseDB

struct `A dynamic value` {
  @Test func `is written as MessagePack says, and read back as the same case`() throws {
    for (value, bytes) in ValueSamples.all {
      #expect(try value.messagePack == bytes)
      let read = try FuseValue(messagePack: bytes)
      #expect(read == value)
      #expect(try read.messagePack == bytes)
      #expect(Self.caseName(read) == Self.caseName(value), "\(Array(bytes.prefix(12)).hex)")
    }
  }

  @Test(arguments: ValueSamples.verbatim)
  func `keeps the bytes that no other case says`(bytes: [UInt8]) throws {
    let value = try FuseValue(messagePack: bytes)
    #expect(try value.messagePack == bytes)
    #expect(Self.caseName(value) == "verbatim")
    let inside = try FuseValue(messagePack: [0x92, 0xC0] + bytes)
    #expect(try inside.messagePack == [0x92, 0xC0] + bytes)
    #expect(Self.caseName(inside) == "array")
  }

  @Test func `is equal to another exactly when their bytes are, and then has the same hash`() throws {
    var values = ValueSamples.all.filter { $0.bytes.count < 300 }.map(\.value)
    values += try ValueSamples.verbatim.map { try FuseValue(messagePack: $0) }
    // The same again, in another case.
    values += [.uint(5), .int(5), .uint(UInt64(Int64.max)), .ext(type: -1, bytes: [0, 0, 0, 0])]
    values += values.map { [$0] } + values.map { ["k": $0] } + values.map { [$0: nil] }
    let bytes = try values.map { try $0.messagePack }
    for i in values.indices {
      for j in values.indices where (values[i] == values[j]) != (bytes[i] == bytes[j]) {
        Issue.record("\(bytes[i].hex) and \(bytes[j].hex)")
      }
    }
    #expect(Set(values).count == Set(bytes).count)
    #expect(Set(bytes).count < bytes.count)
    for (value, bytes) in zip(values, bytes) {
      let read = try FuseValue(messagePack: bytes)
      #expect(read == value && read.hashValue == value.hashValue)
    }
  }

  @Test func `keeps every random value`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<5000 {
      let bytes = ReferenceValue.random(&random, depth: 5).bytes
      #expect(try FuseValue(messagePack: bytes).messagePack == bytes)
    }
  }

  @Test(arguments: Fixtures.goodNames)
  func `keeps every value of the sound files`(name: String) throws {
    let objects = try #require(try Fixtures.good()[name]).objects.map { [UInt8](hex: $0) }
    for bytes in objects { #expect(try FuseValue(messagePack: bytes).messagePack == bytes) }
  }

  @Test func `is written in code as literals`() throws {
    let value: FuseValue = [
      "s": "text", "i": -5, "d": 1.5, "b": true, "n": nil, "a": [1, [2]], "m": [1: [:]], "\(1 + 1)": [],
    ]
    #expect(
      value
        == .map([
          .init(key: .string("s"), value: .string("text")), .init(key: .string("i"), value: .int(-5)),
          .init(key: .string("d"), value: .double(1.5)), .init(key: .string("b"), value: .bool(true)),
          .init(key: .string("n"), value: .null),
          .init(key: .string("a"), value: .array([.int(1), .array([.int(2)])])),
          .init(key: .string("m"), value: .map([.init(key: .int(1), value: .map([]))])),
          .init(key: .string("2"), value: .array([])),
        ]))
  }

  @Test func `takes as little room in an array as a text and a tag do`() {
    #expect(MemoryLayout<FuseValue>.stride == 24)
    #expect(MemoryLayout<FuseValue.Pair>.stride == 48)
  }

  /// The name of the case, which `==` does not tell.
  static func caseName(_ value: FuseValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .float: "float"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .array: "array"
    case .map: "map"
    case .ext: "ext"
    case .timestamp: "timestamp"
    case .verbatim: "verbatim"
    }
  }
}
