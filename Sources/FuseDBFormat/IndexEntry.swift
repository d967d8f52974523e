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
