import FuseDB

/// A type with a part of each kind.
struct Sample: Codable, Equatable, Sendable {
  var name: String
  var port: UInt16
  var ratio: Double?
  var isOn: Bool
  var tags: [String]
  var byName: [String: Int8]
  var byNumber: [Int: [Bool]]
  var blob: [UInt8]
  var chain: Chain?
  var choice: Choice
  var when: FuseTimestamp
  var any: FuseValue
  var set: Set<Int>

  enum Choice: Codable, Equatable, Sendable {
    case none
    case some(Int, name: String)
  }

  static let full = Sample(
    name: "näme", port: 443, ratio: 0.5, isOn: true, tags: ["a", "", "long enough to need a head of its own"],
    byName: ["x": -1, "y": 2], byNumber: [-5: [true, false], 70000: []], blob: [0, 255],
    chain: Chain(Chain(nil)), choice: .some(-300, name: "n"), when: FuseTimestamp(seconds: 1, nanoseconds: 5),
    any: ["k": [1, .ext(type: 4, bytes: [1]), nil]], set: [1, 2])
}

/// A class inside itself.
final class Chain: Codable, Equatable, Sendable {
  let next: Chain?
  init(_ next: Chain?) { self.next = next }

  /// So many objects inside each other.
  init(length: Int) { next = length > 1 ? Chain(length: length - 1) : nil }

  static func == (left: Chain, right: Chain) -> Bool { left.next == right.next }
  var length: Int { 1 + (next?.length ?? 0) }
}

/// An enum inside itself.
indirect enum Nest: Codable, Equatable {
  case end
  case list([Nest])
  case inside(Nest)
}

/// A value of any kind, found by trying.
enum Tried: Decodable, Equatable {
  case null, bool(Bool), int(Int), double(Double), text(String), list([Tried]), map([String: Tried])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .int(value)
    } else if let value = try? container.decode(Double.self) {
      self = .double(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([Tried].self) {
      self = .list(value)
    } else {
      self = .map(try container.decode([String: Tried].self))
    }
  }
}

/// A name that is not known before.
struct AnyName: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// MessagePack bytes in parts.
enum Packed {
  static func array(_ count: Int) -> [UInt8] { [0xDD] + bigEndian(count) }
  static func map(_ count: Int) -> [UInt8] { [0xDF] + bigEndian(count) }
  static func text(_ text: String) -> [UInt8] { [0xDB] + bigEndian(text.utf8.count) + Array(text.utf8) }

  private static func bigEndian(_ count: Int) -> [UInt8] {
    stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: count >> $0) }
  }
}
