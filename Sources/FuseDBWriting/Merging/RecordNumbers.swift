internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What the objects of one file are called in the store, as far as that is remembered: a table of buckets of four, in
/// which records displace each other.
struct RecordNumbers {
  private struct Row {
    /// Where the record begins; 0 in an empty row.
    var offset: UInt64 = 0
    var value: UInt64 = 0
  }

  /// As many as stand in a cache line.
  private static let rowsPerBucket = 4

  private var rows: [Row]
  private let shift: UInt64

  /// - Parameters:
  ///   - objectCount: how many records the file has.
  ///   - byteCount: how much memory the table may take.
  init(objectCount: Int, limit byteCount: Int) throws(FuseError) {
    let most = max(64, byteCount / MemoryLayout<Row>.stride)
    // At least twice as many rows as records, so that few displace others; the number of rows is a power of two.
    let wanted = min(most, max(64, objectCount * 4))
    let bits = Int.bitWidth - 1 - wanted.leadingZeroBitCount
    rows = try [Row](1 << bits, of: Row())
    shift = UInt64(64 - bits + Self.rowsPerBucket.trailingZeroBitCount)
  }

  /// The rows in which a record may be remembered.
  @inline(__always)
  private func bucket(of offset: UInt64) -> Range<Int> {
    let first = Int(truncatingIfNeeded: (offset &* 0x9E37_79B9_7F4A_7C15) >> shift) &* Self.rowsPerBucket
    return first..<first &+ Self.rowsPerBucket
  }

  /// What is remembered of the record at an offset.
  @inline(__always)
  subscript(offset: UInt64) -> UInt64? {
    for row in bucket(of: offset) where rows[row].offset == offset {
      // No record begins at 0, whatever a file says.
      return offset == 0 ? nil : rows[row].value
    }
    return nil
  }

  /// Remembers something of the record at an offset.
  @inline(__always)
  mutating func set(_ value: UInt64, of offset: UInt64) {
    let bucket = bucket(of: offset)
    // In its own row, or an empty one; otherwise any gives way.
    let row =
      bucket.first { rows[$0].offset == offset } ?? bucket.first { rows[$0].offset == 0 }
      ?? bucket.lowerBound &+ Int(truncatingIfNeeded: offset >> 3) & (Self.rowsPerBucket - 1)
    rows[row] = Row(offset: offset, value: value)
  }
}
