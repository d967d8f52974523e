internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Additions of keys in the order of the keys, equal ones in the order of their positions.
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
    // SAFETY: the sorting thread gave it up, and runs are only read.
    let buffer: KeyBuffer
  }
}

extension KeyBuffer {
  /// The bytes before a key in a temporary file: its length, its object and its position.
  static let fileOverhead = 2 + overhead
  private static let rowsAhead = 16

  /// Writes the keys, which are sorted, to a temporary file.
  func spill(to file: TemporaryFile) throws(FuseError) -> KeyRun {
    var writer = try KeyRunWriter(to: file, keyCount: count, keyByteCount: keyByteCount)
    for i in 0..<count {
      prefetch(row: i + Self.rowsAhead)
      let row = unsafe rows[i]
      // SAFETY: the row names a record of the block, whose head and key have these lengths.
      let record = unsafe RawSpan(
        _unsafeStart: memory.start + Int(row.offset), byteCount: Self.overhead + Int(row.keyByteCount))
      try writer.append(record)
    }
    return try writer.finish()
  }
}

/// Writes sorted keys to a temporary file, as one run.
struct KeyRunWriter: ~Copyable {
  private static let writtenAtOnce = 1 << 18

  private let file: TemporaryFile
  private let range: Range<Int>
  private let keyCount: Int
  private var offset: Int
  private var bytes: [UInt8] = []

  /// - Parameters:
  ///   - keyCount: how many keys are going to come.
  ///   - keyByteCount: the length of all of them.
  init(to file: TemporaryFile, keyCount: Int, keyByteCount: Int) throws(FuseError) {
    self.file = file
    self.keyCount = keyCount
    let byteCount = keyByteCount + keyCount * KeyBuffer.fileOverhead
    offset = file.reserve(byteCount)
    range = offset..<offset + byteCount
    try bytes.reserve(Self.writtenAtOnce + KeyBuffer.fileOverhead + FormatLimits.keyByteCount)
  }

  /// Appends a key after its object and its position.
  mutating func append(_ record: RawSpan) throws(FuseError) {
    let keyByteCount = UInt16(truncatingIfNeeded: record.byteCount - KeyBuffer.overhead)
    unsafe withUnsafeBytes(of: keyByteCount) { unsafe bytes.append(contentsOf: $0) }
    // SAFETY: the array copies the record's bytes.
    unsafe record.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    if bytes.count >= Self.writtenAtOnce { try flush() }
  }

  /// The run, once all keys were appended.
  consuming func finish() throws(FuseError) -> KeyRun {
    try flush()
    precondition(offset == range.upperBound, "a run has the keys that were announced")
    return .file(file, range, keyCount: keyCount)
  }

  private mutating func flush() throws(FuseError) {
    try file.write(bytes.rawSpan, at: offset)
    offset += bytes.count
    bytes.removeAll(keepingCapacity: true)
  }
}
