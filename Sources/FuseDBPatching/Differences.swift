public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Goes through the keys that two files answer differently, in order, reading both files as it goes.
///
///     var differences = try new.differences(from: old)
///     while let difference = try differences.next() {
///       try difference.entry.key            // a copy of the key's bytes
///       if case .added(let entry) = difference { try entry.bytes.byteCount }
///     }
///     differences.equalCount                // keys with the same object in both
///
/// It is no `Sequence`, because a step can fail; see ``Scan``.
public struct Differences: FuseIterator, Sendable {
  private var keys: KeyPairs
  /// How many keys were passed over because both files have the same object for them.
  public private(set) var equalCount = 0

  init(from old: FuseReader, to new: FuseReader, startingAt numbers: (old: Int, new: Int) = (0, 0)) throws(FuseError) {
    keys = try KeyPairs(from: old, to: new, startingAt: numbers)
  }

  /// The next difference, or nil after the last.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when one of the files is damaged.
  public mutating func next() throws(FuseError) -> Difference? {
    while let pair = try keys.next() {
      guard let old = pair.old else { return pair.new.map { .added($0) } }
      guard let new = pair.new else { return .removed(old) }
      guard try Self.haveEqualObjects(old, new) else { return .changed(from: old, to: new) }
      equalCount += 1
    }
    return nil
  }

  /// The next difference, unless more keys than are left are to be looked at before; nil then, and after the last.
  ///
  /// - Parameter left: how many keys may be looked at; less those that were.
  /// - Throws: as ``next()``.
  package mutating func next(lookingAt left: inout Int) throws(FuseError) -> Difference? {
    while left > 0, let pair = try keys.next() {
      left -= 1
      guard let old = pair.old else { return pair.new.map { .added($0) } }
      guard let new = pair.new else { return .removed(old) }
      guard try Self.haveEqualObjects(old, new) else { return .changed(from: old, to: new) }
      equalCount += 1
    }
    return nil
  }

  /// How many keys of each file were looked at, those before the first among them: where another goes on.
  package var numbers: (old: Int, new: Int) { keys.numbers }

  /// Whether all keys were looked at.
  package var isAtEnd: Bool { keys.isAtEnd }

  private static func haveEqualObjects(_ old: Entry, _ new: Entry) throws(FuseError) -> Bool {
    let oldObject = try old.bytes
    let newObject = try new.bytes
    let areEqual = oldObject.equals(newObject)
    try old.reader.checkNotShrunk()
    try new.reader.checkNotShrunk()
    return areEqual
  }
}

extension FuseReader {
  /// The keys that this file answers differently than `old`: added, removed, or with another object.
  ///
  /// Objects are compared byte for byte. Files with no differences may still be different files, in the order of their
  /// objects or in their extension block.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when one of the files is damaged.
  /// - Complexity: O(1) to begin, O(bytes of both files) for all; memory does not grow with the files.
  public func differences(from old: FuseReader) throws(FuseError) -> Differences {
    try Differences(from: old, to: self)
  }

  /// The same from a key of each file on.
  ///
  /// - Parameter numbers: as ``Differences/numbers`` had them; others may give differences that are none.
  package func differences(
    from old: FuseReader, startingAt numbers: (old: Int, new: Int)
  ) throws(FuseError) -> Differences {
    try Differences(from: old, to: self, startingAt: numbers)
  }
}

extension FuseReader {
  /// Whether this is the same file as another, or a copy of it, as far as lengths, headers and their checksums tell.
  package func isSameFile(as other: FuseReader) -> Bool { byteCount == other.byteCount && header == other.header }
}

/// What became of one key between two files.
public enum Difference: Sendable {
  /// The new file alone has the key.
  case added(Entry)
  /// The old file alone has the key.
  case removed(Entry)
  /// Both have the key, and their objects have other bytes.
  case changed(from: Entry, to: Entry)

  /// The key: where both files have it, the new file's entry.
  public var entry: Entry {
    switch self {
    case .added(let entry), .removed(let entry), .changed(_, let entry): entry
    }
  }
}

/// Goes through the keys of two files together, in order, each key once.
struct KeyPairs: Sendable {
  /// A key, with its entry in one file or in both.
  struct Pair {
    var old: Entry?
    var new: Entry?
  }

  private var oldScan: Scan
  private var newScan: Scan
  /// What was read of each file and not handed out yet.
  private var old: Entry?
  private var new: Entry?

  private let oldCount: Int
  private let newCount: Int

  /// - Parameter numbers: those of the first keys; beyond the last of a file, none of it.
  init(from old: FuseReader, to new: FuseReader, startingAt numbers: (old: Int, new: Int) = (0, 0)) throws(FuseError) {
    oldCount = old.keyCount
    newCount = new.keyCount
    oldScan = try old.entries(numbered: min(numbers.old, oldCount)..<oldCount)
    newScan = try new.entries(numbered: min(numbers.new, newCount)..<newCount)
    self.old = try oldScan.next()
    self.new = try newScan.next()
  }

  /// The smallest key that is left, or nil after the last.
  mutating func next() throws(FuseError) -> Pair? {
    var order = 0
    if let old, let new {
      order = try Self.order(of: old, new)
    } else if new != nil {
      order = 1
    } else if old != nil {
      order = -1
    } else {
      return nil
    }
    var pair = Pair()
    if order <= 0 {
      pair.old = old
      old = try oldScan.next()
    }
    if order >= 0 {
      pair.new = new
      new = try newScan.next()
    }
    return pair
  }

  var isAtEnd: Bool { old == nil && new == nil }

  /// The numbers of the keys that come next.
  var numbers: (old: Int, new: Int) {
    (oldCount - oldScan.count - (old == nil ? 0 : 1), newCount - newScan.count - (new == nil ? 0 : 1))
  }

  private static func order(of old: Entry, _ new: Entry) throws(FuseError) -> Int {
    let oldKey = try old.keyBytes
    let newKey = try new.keyBytes
    let order = oldKey.compare(newKey)
    // Zeros where a file was cut have an order, too.
    try old.reader.checkNotShrunk()
    try new.reader.checkNotShrunk()
    return order
  }
}
