/// Additions of keys in the order of the keys, equal ones in the order of their places.
enum KeyRun: Sendable {
  /// Sorted in memory.
  case memory(SortedKeys)
  /// Written to a temporary file.
  case file(TemporaryFile, Range<Int>, keyCount: Int)

  var keyCount: Int {
    switch self {
    case .memory(let keys): keys.buffer.count
    case .file(_, _, let keyCount): keyCount
    }
  }

  /// The length of all keys.
  var keyByteCount: Int {
    switch self {
    case .memory(let keys): keys.buffer.keyByteCount
    case .file(_, let range, let keyCount): range.count - keyCount * KeyBuffer.fileOverhead
    }
  }

  /// The buffer of a run, which is changed no more.
  @safe
  struct SortedKeys: @unchecked Sendable {
    // SAFETY: whoever sorted it gave it up, and runs are only read.
    let buffer: KeyBuffer
  }
}

extension KeyBuffer {
  /// The bytes before a key in a temporary file: its length, its object and its place.
  static let fileOverhead = 2 + overhead
  private static let writtenAtOnce = 1 << 20
  private static let rowsAhead = 16

  /// Sorts the keys and writes them to a temporary file.
  ///
  /// - Parameter scratch: takes what is written at once.
  func spill(to file: TemporaryFile, _ scratch: inout [UInt8]) throws(FuseError) -> KeyRun {
    sort()
    let total = keyByteCount + count * Self.fileOverhead
    let start = file.reserve(total)
    scratch.removeAll(keepingCapacity: true)
    scratch.reserveCapacity(Self.writtenAtOnce + Self.fileOverhead + FormatLimits.keyByteCount)
    var place = start
    for i in 0..<count {
      prefetch(row: i + Self.rowsAhead)
      unsafe append(rows[i], to: &scratch)
      if scratch.count >= Self.writtenAtOnce || i == count - 1 {
        try file.write(scratch.rawSpan, at: place)
        place += scratch.count
        scratch.removeAll(keepingCapacity: true)
      }
    }
    return .file(file, start..<start + total, keyCount: count)
  }

  private func append(_ row: Row, to bytes: inout [UInt8]) {
    // SAFETY: the row names a record of the block, whose head and key have these lengths.
    let record = unsafe UnsafeRawBufferPointer(
      start: memory.start + Int(row.place), count: Self.overhead + Int(row.keyByteCount))
    unsafe withUnsafeBytes(of: UInt16(truncatingIfNeeded: row.keyByteCount)) { unsafe bytes.append(contentsOf: $0) }
    unsafe bytes.append(contentsOf: record)
  }
}
