internal import CFuseIntrinsics
internal import FuseDBFormat
internal import FuseDBSystem

/// Goes from one entry of the key index to the next, and checks that each lies inside it and that its key comes after the one before.
/// [I2] [I4]
///
/// All that read entries in their order go this way: scans, searches, verification. An entry costs some twenty instructions.
@safe
struct EntryWalk {
  /// How far ahead entries are asked for, where all are walked over.
  static let byteCountAhead = 2048

  // SAFETY: of a file's bytes, which are read up to `end` alone; whoever walks keeps them.
  private let base: UnsafeRawPointer
  /// Where the file ends: 16 bytes of two keys are compared in one go where there are so many.
  private let end: Int
  /// Where the index ends.
  private let indexEnd: Int
  /// Where the next entry begins.
  private(set) var offset: Int
  private var previousKey: Int
  /// Below 0 where there is no key before.
  private var previousCount: Int

  /// - Parameter previous: the key before the first entry.
  @inline(__always)
  init(from offset: Int, until indexEnd: Int, in file: RawSpan, after previous: Range<Int>? = nil) {
    // SAFETY: the walk does not outlive what the caller holds, and reads below `end`.
    unsafe base = file.withUnsafeBytes { $0.baseAddress! }
    end = file.byteCount
    self.indexEnd = min(indexEnd, file.byteCount)
    self.offset = offset
    previousKey = previous?.lowerBound ?? 0
    previousCount = previous?.count ?? -1
  }

  /// The key of the last entry; nil before the first.
  var previous: Range<Int>? { previousCount < 0 ? nil : previousKey..<previousKey + previousCount }

  /// The next entry, nil where it is not sound; ``offset`` is then where it begins.
  /// - Precondition: the offset is not negative.
  @inline(__always)
  mutating func next() -> IndexEntry? {
    guard let entry else { return nil }
    guard previousCount < 0 || isAscending(to: entry) else { return nil }
    previousKey = entry.offset &+ 2
    previousCount = entry.keyByteCount
    offset = entry.end
    return entry
  }

  /// Goes on over entries whose keys are before `key`, `count` of them at most. Returns how many they were; nil where an entry is not
  /// sound, which is then the one at ``offset``.
  /// - Precondition: the offset is not negative.
  @inline(__always)
  mutating func pass(before key: SoughtKey, atMost count: Int) -> Int? {
    var passed = 0
    while passed < count {
      guard let entry, previousCount < 0 || isAscending(to: entry) else { return nil }
      guard isBefore(entry, key) else { break }
      previousKey = entry.offset &+ 2
      previousCount = entry.keyByteCount
      offset = entry.end
      passed &+= 1
    }
    return passed
  }

  /// Asks for the memory of entries that are yet to come. Of a long walk the processor guesses as much, but not beyond the end of a page.
  @inline(__always)
  func prefetchAhead() {
    // SAFETY: a prefetch of any address is harmless; nothing is read.
    unsafe fuse_prefetch_address(UInt(bitPattern: base) &+ UInt(bitPattern: offset &+ Self.byteCountAhead))
  }

  /// Passes over an entry, whatever its key is; false where it does not lie inside the index.
  @inline(__always)
  mutating func skip() -> Bool {
    guard let entry else { return false }
    offset = entry.end
    return true
  }

  @inline(__always)
  private var entry: IndexEntry? {
    guard offset <= indexEnd &- IndexEntry.overhead else { return nil }
    // SAFETY: the shortest entry lies inside the index, and then one with a key of this length.
    let count = Int(UInt16(bigEndian: unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    guard count <= indexEnd &- IndexEntry.overhead &- offset else { return nil }
    let object = unsafe base.loadUnaligned(fromByteOffset: offset &+ 2 &+ count, as: UInt64.self)
    return IndexEntry(offset: offset, keyByteCount: count, objectOffset: UInt64(bigEndian: object))
  }

  @inline(__always)
  private func isBefore(_ entry: IndexEntry, _ key: SoughtKey) -> Bool {
    let start = entry.offset &+ 2
    let shared = min(entry.keyByteCount, key.byteCount)
    guard key.isShort, start <= end &- 16 else {
      // SAFETY: the entry lies inside the index, and so does its key.
      return unsafe Self.isBefore(base + start, entry.keyByteCount, key)
    }
    // SAFETY: 16 bytes from the key on are inside the file.
    let equal = unsafe Int(fuse_equal_prefix_of16(base + start, key.bytes))
    guard equal < shared else { return key.goal == .firstOther || entry.keyByteCount < key.byteCount }
    return unsafe base.load(fromByteOffset: start &+ equal, as: UInt8.self) < key.byte(at: equal)
  }

  // SAFETY: the caller's key has so many bytes.
  @inline(never)
  @unsafe
  private static func isBefore(_ stored: UnsafeRawPointer, _ byteCount: Int, _ key: SoughtKey) -> Bool {
    // Of what begins with the key, no more than the key is compared, and then it is the same.
    let count = key.goal == .first ? byteCount : min(byteCount, key.byteCount)
    let order = unsafe RawSpan(_unsafeStart: stored, byteCount: count).compare(key.span)
    return key.goal == .first ? order < 0 : order <= 0
  }

  @inline(__always)
  private func isAscending(to entry: IndexEntry) -> Bool {
    let key = entry.offset &+ 2
    let shared = min(previousCount, entry.keyByteCount)
    if max(key, previousKey) <= end &- 16 {
      // SAFETY: 16 bytes from both keys on are inside the file.
      let equal = unsafe Int(fuse_equal_prefix16(base + previousKey, base + key))
      if equal < min(shared, 16) {
        return unsafe base.load(fromByteOffset: previousKey &+ equal, as: UInt8.self)
          < base.load(fromByteOffset: key &+ equal, as: UInt8.self)
      }
      if shared <= 16 { return previousCount < entry.keyByteCount }
    }
    return unsafe Self.isAscending(base + previousKey, previousCount, base + key, entry.keyByteCount)
  }

  // SAFETY: the caller's keys have so many bytes. Values, not the walk: that would have to be in memory for it.
  @inline(never)
  @unsafe
  private static func isAscending(
    _ left: UnsafeRawPointer, _ leftCount: Int, _ right: UnsafeRawPointer, _ rightCount: Int
  ) -> Bool {
    let previous = unsafe RawSpan(_unsafeStart: left, byteCount: leftCount)
    return unsafe previous.compare(RawSpan(_unsafeStart: right, byteCount: rightCount)) < 0
  }
}

/// A key that is looked for among others, most of which differ from it in their first 16 bytes.
struct SoughtKey: ~Escapable {
  let span: RawSpan
  let byteCount: Int
  /// Whether it comes before the others that begin with it, or after them.
  let goal: FuseReader.SearchGoal
  /// Its bytes, where they are no more than 16.
  let bytes: fuse_bytes16

  @_lifetime(copy key)
  init(_ key: RawSpan, _ goal: FuseReader.SearchGoal) {
    span = key
    byteCount = key.byteCount
    self.goal = goal
    // SAFETY: so many bytes are there.
    bytes = unsafe key.withUnsafeBytes { key in
      guard let start = key.baseAddress, key.count <= 16 else { return fuse_bytes16(low: 0, high: 0) }
      return unsafe fuse_load16(start, key.count)
    }
  }

  var isShort: Bool { byteCount <= 16 }

  /// - Parameter offset: below 16.
  @inline(__always)
  func byte(at offset: Int) -> UInt8 {
    let word = offset < 8 ? bytes.low : bytes.high
    return UInt8(truncatingIfNeeded: UInt64(littleEndian: word) &>> UInt64(8 &* (offset & 7)))
  }
}
