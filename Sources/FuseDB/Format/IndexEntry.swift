/// One entry of the key index: where its key stands and which object it points at. See spec/format.md §5.
///
/// It holds places, not bytes: the key is `file.extracting(keyRange)`.
struct IndexEntry: Equatable, Sendable {
  /// The bytes of an entry beside its key: the length before it, the object's offset behind it.
  static let overhead = 2 + 8

  /// Where the entry begins.
  var offset: Int
  var keyByteCount: Int
  var objectOffset: UInt64

  var keyRange: Range<Int> { offset &+ 2..<offset &+ 2 &+ keyByteCount }
  /// Where the next entry begins.
  var end: Int { offset &+ Self.overhead &+ keyByteCount }

  /// Reads the entry at `offset`, or returns nil where it would run past the end of `file`. [I2]
  @inline(__always)
  init?(at offset: Int, in file: RawSpan) {
    guard let keyByteCount = file.load(at: offset, as: UInt16.self),
      let objectOffset = file.load(at: offset &+ 2 &+ Int(keyByteCount), as: UInt64.self)
    else { return nil }
    self.offset = offset
    self.keyByteCount = Int(keyByteCount)
    self.objectOffset = objectOffset
  }
}
