internal import FuseDBFormat
internal import FuseDBReading

/// One level of the tree that the keys in their order make, by counts alone: no level reads more of the file than a few hundred searches do.
struct KeyTree: Sendable {
  /// So many children has a level at most.
  static let mostChildren = 256
  /// Where no more keys than this are left, they are listed.
  static let fewKeys = 100
  /// A beginning that is longer has no children: its keys are listed.
  static let longestBeginning = 128
  /// So much of what all keys of a child have in common is passed over at once.
  private static let mostPassedOver = 64

  /// What keys have in common, and how many they are.
  struct Child: Sendable {
    var beginning: [UInt8]
    var count: Int
    /// The number of the first.
    var number: Int
  }

  /// A key, and its number in the order.
  struct Listed: Sendable {
    var key: [UInt8]
    var number: Int
    var offset: UInt64
  }

  var beginning: [UInt8]
  /// The numbers of all keys that begin so.
  var numbers: Range<Int>
  /// The next level; empty where keys are listed.
  var children: [Child] = []
  /// Keys that are no child's.
  var keys: [Listed] = []
  /// How many keys are no child's and not listed.
  var otherCount = 0
  /// Where the list of children or keys goes on: a number.
  var next: Int?

  /// Which level is shown.
  enum Manner: Sendable {
    /// By the next byte.
    case bytes
    /// By the next part of an address.
    case networks
    /// The same, without IPv4: at the root.
    case others
  }

  /// - Parameter start: the number of the first key to look at; nil for all.
  init(_ reader: FuseReader, beginning: [UInt8], from start: Int? = nil, _ manner: Manner = .bytes) throws(FuseError) {
    self.beginning = beginning
    numbers = try Self.numbers(of: beginning, reader)
    let first = min(max(start ?? 0, numbers.lowerBound), numbers.upperBound)
    let dots = Self.dotCount(beginning)
    if numbers.count <= Self.fewKeys || beginning.count > Self.longestBeginning || manner == .networks && dots == 3 {
      try list(reader, from: first)
    } else if manner == .networks, let dots, dots < 3 {
      try findBytesOfAddress(reader)
    } else {
      try findChildren(reader, from: first, manner)
    }
  }

  /// How many parts of an IPv4 address a beginning has; nil where it is none.
  private static func dotCount(_ beginning: [UInt8]) -> Int? {
    guard beginning.allSatisfy({ $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      beginning.last.map({ $0 == UInt8(ascii: ".") }) ?? true
    else { return nil }
    return beginning.count { $0 == UInt8(ascii: ".") }
  }

  /// The children of a beginning of IPv4 addresses, in the order of numbers. Keys that are left over are of other kinds.
  private mutating func findBytesOfAddress(_ reader: FuseReader) throws(FuseError) {
    for byte in 0...255 {
      let child = beginning + Array("\(byte).".utf8)
      let found = try Self.numbers(of: child, reader)
      if !found.isEmpty { children.append(Child(beginning: child, count: found.count, number: found.lowerBound)) }
    }
    let counted = children.reduce(0) { $0 + $1.count }
    otherCount = max(0, numbers.count - counted)
  }

  /// The numbers of the keys that begin so. They are next to each other.
  static func numbers(of beginning: [UInt8], _ reader: FuseReader) throws(FuseError) -> Range<Int> {
    let first = try reader.position(ofFirstKeyNotBefore: beginning.rawSpan).number
    return first..<first + (try reader.prefix(beginning).count)
  }

  private mutating func list(_ reader: FuseReader, from first: Int) throws(FuseError) {
    let end = min(numbers.upperBound, first + Self.fewKeys)
    var scan = try reader.entries(numbered: first..<end)
    var number = first
    while let entry = try scan.next() {
      keys.append(Listed(key: try entry.key, number: number, offset: entry.objectOffset))
      number += 1
    }
    next = end < numbers.upperBound ? end : nil
  }

  private mutating func findChildren(_ reader: FuseReader, from first: Int, _ manner: Manner) throws(FuseError) {
    let mostChildren = beginning.count > 32 ? Self.mostChildren / 4 : Self.mostChildren
    var number = first
    while number < numbers.upperBound {
      guard children.count + keys.count < mostChildren else {
        next = number
        return
      }
      let entry = try reader.entry(number: number)
      let key = try entry.key
      let depth = beginning.count
      let end = manner != .bytes ? Self.endOfPart(of: key, from: depth) : key.count > depth ? depth + 1 : nil
      guard let end else {
        keys.append(Listed(key: key, number: number, offset: entry.objectOffset))
        number += 1
        continue
      }
      var child = Array(key[..<end])
      let count = try reader.prefix(child).count
      // A damaged index must not keep this from going on.
      guard count > 0, number + count <= numbers.upperBound else {
        throw FuseError.corrupted("keys that begin alike are not next to each other", at: entry.entry.offset).at(
          path: reader.path)
      }
      if manner == .others, Self.dotCount(child) == 1 {
        number += count
        continue
      }
      guard count > 1 else {
        keys.append(Listed(key: key, number: number, offset: entry.objectOffset))
        number += 1
        continue
      }
      if manner == .bytes {
        let last = try reader.entry(number: number + count - 1).key
        let shared = zip(key, last).prefix { $0 == $1 }.count
        child = Array(key[..<min(shared, end + Self.mostPassedOver)])
      }
      children.append(Child(beginning: child, count: count, number: number))
      number += count
    }
  }

  /// Where the part of an address ends that begins at a place: after a dot or colon; nil where none follows.
  private static func endOfPart(of key: [UInt8], from start: Int) -> Int? {
    guard start <= key.count else { return nil }
    return key[start...].firstIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }.map { $0 + 1 }
  }
}

extension KeyTree {
  /// The block of addresses that begin with some text of dotted numbers or groups, such as `8.8.` or `2001:db8:`.
  static func block(of beginning: [UInt8]) -> FuseNetwork? {
    guard let last = beginning.last else { return nil }
    let text = String(decoding: beginning, as: UTF8.self)
    if last == UInt8(ascii: ".") {
      let count = beginning.count { $0 == last }
      guard count < 4 else { return nil }
      return FuseNetwork(text.dropLast() + String(repeating: ".0", count: 4 - count) + "/\(8 * count)")
    }
    guard last == UInt8(ascii: ":"), !text.contains("::") else { return nil }
    let count = beginning.count { $0 == last }
    guard count < 7 else { return nil }
    return FuseNetwork("\(text):/\(16 * count)")
  }

  /// The text with which the keys of all networks begin that are in an IPv4 block of whole bytes: `8.8.` of 8.8.0.0/16.
  static func beginning(of block: FuseNetwork) -> [UInt8]? {
    guard block.family == .ipv4, block.prefixLength % 8 == 0, block.prefixLength > 0, block.prefixLength < 32 else {
      return nil
    }
    let parts = block.address.description.split(separator: ".").prefix(block.prefixLength / 8)
    return Array(parts.joined(separator: ".").utf8) + [UInt8(ascii: ".")]
  }
}
