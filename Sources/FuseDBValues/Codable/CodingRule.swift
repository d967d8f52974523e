internal import FuseDBFormat
internal import Synchronization

/// How a type is coded, where it is not left to the type itself. See spec/values.md §2.
enum CodingRule: UInt {
  /// As the type says in `encode(to:)` and `init(from:)`.
  case own = 1
  /// As bin.
  case bytes
  /// As a map, whatever its keys are.
  case map
  /// As an array, in order.
  case set
  /// As an array, without a container.
  case array
  /// By the strategy for dates.
  case date
  /// As text.
  case url
}

/// The rules of types that were met before.
///
/// To find a rule, the runtime is asked for conformances: some hundred nanoseconds. So what was found stays in a table
/// that all threads share: of a few hundred slots, by the type's address, the last one met. A slot is one word, and a
/// thread that finds another type there asks the runtime itself.
struct CodingRules: ~Copyable, Sendable {
  private static var slotCount: Int { 256 }
  private static var ruleMask: UInt { 7 }

  private let slots = InlineArray<256, Atomic<UInt>> { _ in Atomic(0) }
  private let find: @Sendable (Any.Type) -> CodingRule

  init(_ find: @escaping @Sendable (Any.Type) -> CodingRule) { self.find = find }

  @inline(__always)
  func rule(of type: Any.Type) -> CodingRule {
    // Descriptions of types stand at multiples of 8, so three bits are left for the rule.
    let address = UInt(bitPattern: ObjectIdentifier(type))
    let slot = Int(truncatingIfNeeded: (address >> 3) ^ (address >> 11)) & (Self.slotCount - 1)
    let known = slots[slot].load(ordering: .relaxed)
    if known & ~Self.ruleMask == address, let rule = CodingRule(rawValue: known & Self.ruleMask) { return rule }
    return remember(type, address, slot)
  }

  @inline(never)
  private func remember(_ type: Any.Type, _ address: UInt, _ slot: Int) -> CodingRule {
    let rule = find(type)
    if address & Self.ruleMask == 0 { slots[slot].store(address | rule.rawValue, ordering: .relaxed) }
    return rule
  }
}

extension CodingRule {
  /// Types that look like `Data`: bytes in an order that can be replaced. A `Range<UInt8>` is none.
  static func isLikeData(_ type: Any.Type) -> Bool {
    type is any RangeReplaceableCollection<UInt8>.Type && type is any RandomAccessCollection<UInt8>.Type
  }

  /// Types of Foundation that are known by their names, because this library does without it.
  static func ofFoundation(_ type: Any.Type) -> CodingRule {
    switch String(reflecting: type) {
    case "FoundationEssentials.Date", "Foundation.Date": .date
    case "FoundationEssentials.URL", "Foundation.URL": .url
    default: .own
    }
  }
}

/// One step of a coding path.
enum CodingStep {
  case key(any CodingKey)
  case index(Int)
  /// A dictionary's key. Its text may take long, and only an error needs it.
  case entry(Any)

  var key: any CodingKey {
    switch self {
    case .key(let key): key
    case .index(let number): PathKey(index: number)
    case .entry(let key): PathKey(stringValue: "\(key)")
    }
  }
}

/// A key for what has none in any type: an element of an array, an entry of a map, the part of a superclass.
struct PathKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(stringValue: String) {
    self.stringValue = stringValue
    intValue = nil
  }

  init(intValue: Int) {
    stringValue = String(intValue)
    self.intValue = intValue
  }

  /// A dictionary's key, with the number that its text may be: a type with numbers for its keys asks for that.
  init(textOfKey text: String) {
    stringValue = text
    intValue = Int(text).flatMap { String($0) == text ? $0 : nil }
  }

  init(index: Int) { self.init(intValue: index) }

  static let superclass = PathKey(stringValue: "super")
}

extension FuseError {
  /// The steps of `path` as `get --field` takes them.
  static func text(of path: [any CodingKey]) -> String {
    path.map { key in
      key.stringValue.unicodeScalars.reduce(into: "") { text, character in
        if character == "." || character == "\\" { text.append("\\") }
        text.unicodeScalars.append(character)
      }
    }.joined(separator: ".")
  }
}
