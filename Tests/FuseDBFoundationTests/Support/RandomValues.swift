import Foundation

/// Random values under a seed that is printed, and that `FUSEDB_TEST_SEED` brings back: SplitMix64.
struct RandomValues: RandomNumberGenerator {
  private var state: UInt64

  static func announced(_ name: String = #function) -> RandomValues {
    let given = ProcessInfo.processInfo.environment["FUSEDB_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("FUSEDB_TEST_SEED=\(seed) for: \(name)")
    return RandomValues(state: seed)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
  mutating func bool() -> Bool { next() & 1 == 0 }
  mutating func element<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

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

  mutating func list<Element>(_ element: (inout RandomValues) -> Element) -> [Element] {
    let count = self.element([0, 0, 1, 2, 3, 17])
    return (0..<count).map { _ in element(&self) }
  }

  mutating func map<Key: Hashable, Value>(
    _ key: (inout RandomValues) -> Key, _ value: (inout RandomValues) -> Value
  ) -> [Key: Value] {
    Dictionary(list { (key(&$0), value(&$0)) }) { first, _ in first }
  }

  mutating func optional<Value>(_ value: (inout RandomValues) -> Value) -> Value? { bool() ? value(&self) : nil }
}

/// A value of which there are random ones.
protocol Randomized {
  init(random: inout RandomValues)
}
