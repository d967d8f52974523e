/// What the objects of one file are called in the store, as far as that is remembered: a table in which records displace
/// each other.
struct RecordNumbers {
  private struct Row {
    /// Where the record begins; 0 in an empty row.
    var offset: UInt64 = 0
    var value: UInt64 = 0
  }

  private var rows: [Row]
  private let shift: UInt64

  /// - Parameters:
  ///   - objectCount: how many records the file has.
  ///   - byteCount: how much memory the table may take.
  init(objectCount: Int, limit byteCount: Int) {
    let most = max(64, byteCount / MemoryLayout<Row>.stride)
    // Twice as many rows as records, rounded up, displace few; the number of rows is a power of two.
    let wanted = min(most, max(64, objectCount * 4))
    let bits = Int.bitWidth - 1 - wanted.leadingZeroBitCount
    rows = [Row](repeating: Row(), count: 1 << bits)
    shift = UInt64(64 - bits)
  }

  @inline(__always)
  private func row(of offset: UInt64) -> Int { Int(truncatingIfNeeded: (offset &* 0x9E37_79B9_7F4A_7C15) >> shift) }

  /// What is remembered of the record at an offset.
  @inline(__always)
  subscript(offset: UInt64) -> UInt64? {
    let row = rows[row(of: offset)]
    // No record begins at 0, whatever a file says.
    return row.offset == offset && offset != 0 ? row.value : nil
  }

  /// Remembers something of the record at an offset.
  @inline(__always)
  mutating func set(_ value: UInt64, of offset: UInt64) { rows[row(of: offset)] = Row(offset: offset, value: value) }
}
