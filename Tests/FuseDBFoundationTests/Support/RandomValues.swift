import Foundation
import ProgramSupport

/// Values beside random numbers.
extension SeededRandom {
  /// An integer of a random width, or one at an end of its type.
  mutating func integer<T: FixedWidthInteger>(_: T.Type = T.self) -> T {
    switch below(8) {
    case 0: T.max
    case 1: T.min
    case 2: 0
    default: T(truncatingIfNeeded: next()) >> T(below(T.bitWidth))
    }
  }

  /// A number that JSON has too: neither infinite nor NaN.
  mutating func double() -> Double {
    switch below(8) {
    case 0: 0
    case 1: -0.0
    case 2: .greatestFiniteMagnitude
    case 3: .leastNonzeroMagnitude
    case 4: Double(below(1000))
    default: Double.random(in: -1e6...1e6, using: &self)
    }
  }

  mutating func float() -> Float {
    switch below(6) {
    case 0: 0
    case 1: .greatestFiniteMagnitude
    case 2: .leastNonzeroMagnitude
    default: Float.random(in: -1e6...1e6, using: &self)
    }
  }

  mutating func text() -> String {
    let letters = ["a", "Z", "0", ".", "\\", "\"", " ", "\n", "é", "e\u{301}", "日", "👩‍👩‍👧", "\u{0}", "\u{10FFFF}"]
    let count = element([0, 1, 3, 10, 31, 32, 40, 256])
    return (0..<count).map { _ in element(letters) }.joined()
  }

  mutating func data() -> Data {
    Data((0..<element([0, 1, 5, 255, 256])).map { _ in UInt8.random(in: 0...255, using: &self) })
  }

  mutating func list<Element>(_ element: (inout SeededRandom) -> Element) -> [Element] {
    let count = self.element([0, 0, 1, 2, 3, 17])
    return (0..<count).map { _ in element(&self) }
  }

  mutating func map<Key: Hashable, Value>(
    _ key: (inout SeededRandom) -> Key, _ value: (inout SeededRandom) -> Value
  ) -> [Key: Value] {
    Dictionary(list { (key(&$0), value(&$0)) }) { first, _ in first }
  }

  mutating func optional<Value>(_ value: (inout SeededRandom) -> Value) -> Value? { bool() ? value(&self) : nil }
}

/// A value of which there are random ones.
protocol Randomized {
  init(random: inout SeededRandom)
}
