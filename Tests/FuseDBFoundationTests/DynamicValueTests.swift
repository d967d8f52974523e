import Foundation
import FuseDB
import ProgramSupport
import Testing

/// A `FuseValue` with coders that are not the library's.
struct `A dynamic value` {
  /// What JSON has words for. Numbers that are whole have no fraction in JSON, and come back as integers.
  private static func value(_ random: inout SeededRandom, depth: Int = 0) -> FuseValue {
    switch random.below(depth < 4 ? 9 : 7) {
    case 0: .null
    case 1: .bool(random.bool())
    case 2: .int(random.integer())
    case 3: .uint(random.next() | 1 << 63)
    case 4: .double(Double(random.below(1 << 20)) + 0.5)
    case 5, 6: .string(random.text())
    case 7: .array((0..<random.below(5)).map { _ in value(&random, depth: depth + 1) })
    default:
      .map(
        random.map({ $0.text() }, { value(&$0, depth: depth + 1) }).sorted {
          $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
        }
        .map { FuseValue.Pair(key: .string($0.key), value: $0.value) })
    }
  }

  @Test func `goes through JSON's coders and comes back`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<300 {
      let value = Self.value(&random)
      let json = try JSONEncoder().encode(value)
      #expect(try JSONDecoder().decode(FuseValue.self, from: json) == value)
      // The same text as the value's own, but for the order of names.
      let own = try JSONSerialization.jsonObject(with: Data(value.json.utf8), options: .fragmentsAllowed)
      let theirs = try JSONSerialization.jsonObject(with: json, options: .fragmentsAllowed)
      #expect(own as? NSObject == theirs as? NSObject)
    }
  }

  @Test func `goes through the coders of property lists and comes back`() throws {
    let value: FuseValue = ["a": [1, "two", true], "b": [:], "c": ["d": -5, "e": 2.5]]
    let list = try PropertyListEncoder().encode(value)
    #expect(try PropertyListDecoder().decode(FuseValue.self, from: list) == value)
  }

  @Test func `is in JSON what its parts are`() throws {
    let time = FuseTimestamp(seconds: 0, nanoseconds: 500_000_000)
    let value: FuseValue = ["bin": .bytes([0, 255]), "time": .timestamp(time), "single": .float(1.5)]
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(value), as: UTF8.self)
    #expect(text == #"{"bin":[0,255],"single":1.5,"time":"1970-01-01T00:00:00.5Z"}"#)
  }

  @Test(
    arguments: [
      ["x": [.ext(type: 5, bytes: [])]], ["x": [[1: 2]]], ["x": [["a": 1, "a": 2]]],
      ["x": [try FuseValue(messagePack: [0xA1, 0xFF])]],
    ] as [FuseValue])
  func `that JSON has no word for is refused with its place`(value: FuseValue) {
    let error = #expect(throws: EncodingError.self) { try JSONEncoder().encode(value) }
    guard case .invalidValue(_, let context) = error else { return }
    #expect(context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue } == ["x", "0"])
  }

  @Test func `is a member of a type like any other`() throws {
    struct Holder: Codable, Equatable {
      var id: Int
      var extra: FuseValue
      var more: FuseValue?
    }
    let holder = Holder(id: 1, extra: ["a": [1, nil, .bytes([1])]], more: nil)
    #expect(try FuseDecoder().decode(Holder.self, from: try FuseEncoder().encode(holder)) == holder)
    let plain = Holder(id: 1, extra: ["a": [1, nil]], more: nil)
    #expect(try JSONDecoder().decode(Holder.self, from: try JSONEncoder().encode(plain)) == plain)
  }
}
