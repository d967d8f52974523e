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

  /// Asks for the memory of entries that are yet to come. Of a long walk the processor guesses as much, but not beyond the end of a page.
  @inline(__always)
  func prefetchAhead() { unsafe fuse_prefetch_address(UInt(bitPattern: base + offset) &+ UInt(Self.byteCountAhead)) }

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
