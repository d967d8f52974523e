/// One entry of the key index: where its key stands and which object it points at. See spec/format.md §5.
///
/// It holds offsets, not bytes: the key is `file.extracting(keyRange)`.
@usableFromInline package struct IndexEntry: Equatable, Sendable {
  /// The bytes of an entry beside its key: the length before it, the object's offset after it.
  @inlinable package static var overhead: Int { 2 + 8 }

  /// Where the entry begins.
  @usableFromInline package var offset: Int
  @usableFromInline package var keyByteCount: Int
  @usableFromInline package var objectOffset: UInt64

  @inlinable package var keyRange: Range<Int> { offset &+ 2..<offset &+ 2 &+ keyByteCount }
  /// Where the next entry begins.
  @inlinable package var end: Int { offset &+ Self.overhead &+ keyByteCount }

  /// An entry that was read.
  @inlinable
  @inline(__always)
  package init(offset: Int, keyByteCount: Int, objectOffset: UInt64) {
    self.offset = offset
    self.keyByteCount = keyByteCount
    self.objectOffset = objectOffset
  }

  /// Reads the entry at `offset`, or returns nil where it would run past the end of `file`. [I2]
  @inlinable
  @inline(__always)
  package init?(at offset: Int, in file: RawSpan) {
    guard let keyByteCount = file.load(at: offset, as: UInt16.self),
      let objectOffset = file.load(at: offset &+ 2 &+ Int(keyByteCount), as: UInt64.self)
    else { return nil }
    self.offset = offset
    self.keyByteCount = Int(keyByteCount)
    self.objectOffset = objectOffset
  }
}

/// One record of the data section: an object's length, checksum and offset. See spec/format.md §4.
@usableFromInline package struct ObjectRecord: Equatable, Sendable {
  /// The length and the checksum before the object's bytes.
  @inlinable package static var overhead: Int { 4 + 4 }

  /// Where the record begins; keys point here.
  @usableFromInline package var offset: Int
  @usableFromInline package var byteCount: Int
  @usableFromInline package var checksum: UInt32

  /// Where the object's bytes begin.
  @inlinable package var start: Int { offset &+ Self.overhead }
  /// Where the object's bytes stand.
  @inlinable package var range: Range<Int> { start..<end }
  /// Where the next record begins.
  @inlinable package var end: Int { offset &+ Self.overhead &+ byteCount }

  /// A record that was read.
  package init(offset: Int, byteCount: Int, checksum: UInt32) {
    self.offset = offset
    self.byteCount = byteCount
    self.checksum = checksum
  }

  /// Reads the record at `offset`, or returns nil where it would run past `limit`, the end of the data section. [D2]
  @inlinable
  @inline(__always)
  package init?(at offset: UInt64, before limit: Int, in file: RawSpan) {
    // The room between the first offset that a record can have and the last; one comparison excludes both sides.
    let room = limit &- Header.byteCount &- Self.overhead
    guard room >= 0, limit <= file.byteCount, offset &- UInt64(Header.byteCount) <= UInt64(bitPattern: Int64(room))
    else { return nil }
    let start = Int(truncatingIfNeeded: offset)
    // SAFETY: the eight bytes from `start` on end at `limit` or before, which is inside the file.
    let length = unsafe UInt32(bigEndian: file.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt32.self))
    let checksum = unsafe UInt32(
      bigEndian: file.unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ 4, as: UInt32.self))
    guard Int(length) <= limit &- start &- Self.overhead else { return nil }
    self.offset = start
    byteCount = Int(length)
    self.checksum = checksum
  }
}
