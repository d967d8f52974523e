/// One record of the data section: an object's length, checksum and place. See spec/format.md §4.
struct ObjectRecord: Equatable, Sendable {
  /// The length and the checksum before the object's bytes.
  static let overhead = 4 + 4

  /// Where the record begins; keys point here.
  var offset: Int
  var byteCount: Int
  var checksum: UInt32

  /// Where the object's bytes stand.
  var range: Range<Int> { offset &+ Self.overhead..<end }
  /// Where the next record begins.
  var end: Int { offset &+ Self.overhead &+ byteCount }

  /// Reads the record at `offset`, or returns nil where it would run past `limit`, the end of the data section. [D2]
  @inline(__always)
  init?(at offset: UInt64, before limit: Int, in file: RawSpan) {
    guard offset >= UInt64(Header.byteCount), limit >= Self.overhead, offset <= UInt64(limit &- Self.overhead)
    else { return nil }
    let start = Int(truncatingIfNeeded: offset)
    guard let length = file.load(at: start, as: UInt32.self), let checksum = file.load(at: start &+ 4, as: UInt32.self),
      Int(length) <= limit &- start &- Self.overhead
    else { return nil }
    self.offset = start
    byteCount = Int(length)
    self.checksum = checksum
  }
}
