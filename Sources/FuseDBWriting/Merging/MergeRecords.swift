internal import CFuseIntrinsics
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// The records of an open file, which are read one by one.
struct MergeRecords: Sendable {
  /// What of a record is read at once, unless it is longer.
  private static let firstByteCount = 256

  let file: InputDescriptor
  let dataEnd: Int

  var path: String { file.path }

  /// Appends the object whose record begins at `offset` to `bytes`, its checksum compared.
  func append(
    objectAt offset: UInt64, to bytes: inout [UInt8], _ window: inout RecordWindow
  ) throws(FuseError) {
    let start = bytes.count
    let room = dataEnd - Header.byteCount - ObjectRecord.overhead
    guard room >= 0, offset >= Header.byteCount, offset - UInt64(Header.byteCount) <= UInt64(room) else {
      throw try bad("the object here runs past the end of the data section at \(dataEnd)", at: offset)
    }
    let recordStart = Int(offset)
    try window.append(
      min(Self.firstByteCount, dataEnd - recordStart), at: recordStart, before: dataEnd, of: file, to: &bytes)
    guard let length = bytes.rawSpan.load(at: start, as: UInt32.self),
      let expected = bytes.rawSpan.load(at: start + 4, as: UInt32.self)
    else { throw cut(at: recordStart) }
    let end = recordStart + ObjectRecord.overhead + Int(length)
    guard end <= dataEnd else {
      throw try bad("the object here runs past the end of the data section at \(dataEnd)", at: offset)
    }
    bytes.removeSubrange(start..<start + ObjectRecord.overhead)
    let missing = start + Int(length) - bytes.count
    if missing < 0 {
      bytes.removeLast(-missing)
    } else if missing > 0 {
      try bytes.makeRoom(for: missing)
      try window.append(missing, at: end - missing, before: dataEnd, of: file, to: &bytes)
    }
    guard bytes.count == start + Int(length) else { throw cut(at: recordStart) }
    let checksum = Checksum.of(bytes.rawSpan.extracting(start...))
    guard checksum == expected else {
      throw try bad(
        """
        the object's checksum is \(checksum.hexadecimal) and its record says \(expected.hexadecimal); \
        'fusedb verify' lists the damage
        """, at: offset)
    }
  }

  private func bad(_ message: String, at offset: UInt64) throws(FuseError) -> FuseError {
    // What stands where a file was cut is no damage of it.
    if try file.stamp().byteCount < Int64(dataEnd) { return cut(at: Int(clamping: offset)) }
    return FuseError.corrupted(message, at: offset).at(path: path)
  }

  private func cut(at offset: Int) -> FuseError {
    FuseError.truncated(
      "the file was overwritten or became shorter while it was read; replace files by renaming and merge again",
      at: offset
    ).at(path: path)
  }
}

/// Where a key of a merge comes from: its file and its object's record there, in the order of the files.
struct MergePosition {
  private static let offsetBits: UInt64 = 48
  static let mostInputs = 1 << 16

  let rawValue: UInt64

  init(input: Int, offset: UInt64) { rawValue = UInt64(input) << Self.offsetBits | offset }
  init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// The number of the file.
  var input: Int { Int(rawValue >> Self.offsetBits) }
  /// Where the record begins.
  var offset: UInt64 { rawValue & (1 << Self.offsetBits - 1) }
}

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

  /// Asks for what is remembered of the record at an offset.
  @inline(__always)
  func prefetch(_ offset: UInt64) {
    // SAFETY: nothing is read, and a bucket is one of the table's.
    unsafe rows.withUnsafeBufferPointer { unsafe fuse_prefetch($0.baseAddress! + bucket(of: offset).lowerBound) }
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
