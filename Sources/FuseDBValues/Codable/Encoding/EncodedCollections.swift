internal import FuseDBFormat

// What the standard library would write through containers, and dictionaries with other keys than text as arrays.

/// An array of what can be encoded.
protocol EncodedArray {
  func append(to state: EncodingState) throws
}

/// A set of what can be encoded.
protocol EncodedSet {
  func append(to state: EncodingState) throws
}

/// A dictionary whose keys and values can be encoded.
protocol EncodedMap {
  func append(to state: EncodingState) throws
}

extension Array: EncodedArray where Element: Encodable {
  func append(to state: EncodingState) throws {
    state.packer.packArray(count: count)
    for number in indices { try state.append(self[number], at: .index(number)) }
  }
}

extension Set: EncodedSet where Element: Encodable {
  func append(to state: EncodingState) throws {
    state.packer.packArray(count: count)
    var entries = SortedEntries(state.packer)
    for (number, element) in enumerated() {
      entries.begin()
      try state.append(element, at: .index(number))
    }
    entries.sort()
  }
}

extension Dictionary: EncodedMap where Key: Encodable, Value: Encodable {
  func append(to state: EncodingState) throws {
    state.packer.packMap(count: count)
    var entries = SortedEntries(state.packer)
    for (key, value) in self {
      entries.begin()
      if Key.self != String.self, let key = key as? any CodingKeyRepresentable, !(key is any BinaryInteger) {
        state.packer.pack(text: key.codingKey.stringValue)
      } else {
        try state.append(key, at: .entry(key))
      }
      try state.append(value, at: .entry(key))
    }
    guard entries.sort() else { throw state.refusal(self, "two keys of this dictionary are written alike") }
  }
}

/// A value that is being encoded: what its type has asked its encoder for so far.
struct EncodingFrame {
  enum Shape { case nothing, single, keyed, unkeyed }

  /// Where its bytes begin.
  let start: Int
  /// How many steps of the coding path lead to it.
  let pathCount: Int
  var shape = Shape.nothing
  /// Whether a dictionary encodes itself here, in any order.
  var isDictionary = false
  /// Pairs or elements so far.
  var count = 0
  /// Parts that are encoded elsewhere, because their containers may be filled later.
  var parts: [Part] = []

  /// Whether a part of it would stand in too many arrays and maps.
  var isTooDeep = false

  struct Part {
    /// Where its bytes belong.
    let offset: Int
    let state: EncodingState
  }
}

/// Entries that were packed one after the other and are to stand in ascending order: texts by their bytes, then integers
/// by their number, then anything else by its encoding. So Rust's `BTreeMap` and `BTreeSet` have them. [W5]
struct SortedEntries {
  private let packer: MessagePackPacker
  private var starts: [Int] = []

  /// - Parameter packer: where the entries will be packed, from its end on.
  init(_ packer: MessagePackPacker) { self.packer = packer }

  /// The `count` pairs that were packed from `first` on.
  init(_ packer: MessagePackPacker, pairs count: Int, from first: Int) {
    self.packer = packer
    var start = first
    for _ in 0..<count {
      starts.append(start)
      let value = MessagePackHead.end(ofValueAt: start, in: packer.bytes)
      start = MessagePackHead.end(ofValueAt: value, in: packer.bytes)
    }
  }

  /// The next entry begins: a value, or a key with its value.
  mutating func begin() { starts.append(packer.byteCount) }

  /// Puts the entries into order; returns whether no two begin with the same value. The last one ends with the packer.
  @discardableResult
  func sort() -> Bool {
    guard let first = starts.first, starts.count > 1 else { return true }
    let entries = packer.bytes.extracting(droppingFirst: first).array()
    let ends = starts.dropFirst() + [packer.byteCount]
    let ranges = zip(starts, ends).map { $0 - first..<$1 - first }
    func isAscending(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
      MessagePackHead.isAscending(left.lowerBound, right.lowerBound, in: entries.rawSpan)
    }
    var sorted = ranges.sorted(by: isAscending)
    let areAllOthers = zip(sorted, sorted.dropFirst()).allSatisfy(isAscending)
    // Equal numbers and texts in encodings of different lengths, which only a `FuseValue` has: by their bytes.
    if !areAllOthers {
      sorted.sort { isAscending($0, $1) || !isAscending($1, $0) && entries.rawSpan.isAscending($0, $1) }
    }
    packer.truncate(to: first)
    for range in sorted { packer.append(entries.rawSpan.extracting(range)) }
    return areAllOthers
  }
}
