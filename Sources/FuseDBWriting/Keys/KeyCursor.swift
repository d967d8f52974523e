internal import CFuseIntrinsics
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Goes through a run of keys.
@safe
final class KeyCursor: KeySource {
  private let buffer: KeyBuffer?
  // SAFETY: the rows of `buffer`, which is kept and no longer changed, and where its records are; no rows where the run is in a file.
  // To count a reference at each step would take longer than the step.
  private let rows: UnsafeMutableBufferPointer<KeyBuffer.Row>
  private let records: UnsafeRawPointer?
  private var row = 0

  /// What is read of a file; larger once a record needs it.
  private var window: ZeroedMemory?
  private let file: TemporaryFile?
  private var fileOffset = 0
  private let fileEnd: Int
  private var start = 0
  private var end = 0

  /// - Parameter windowByteCount: how much of a file is in memory, unless a record is longer.
  init(_ run: KeyRun, windowByteCount: Int) throws(FuseError) {
    // SAFETY: only kept here; so is the buffer, of which both are.
    switch run {
    case .memory(let keys):
      buffer = keys.buffer
      unsafe rows = keys.buffer.rows
      unsafe records = UnsafeRawPointer(keys.buffer.memory.start)
      (window, file, fileEnd) = (nil, nil, 0)
    case .file(let file, let range, _):
      buffer = nil
      unsafe rows = UnsafeMutableBufferPointer(start: nil, count: 0)
      unsafe records = nil
      window = try ZeroedMemory(byteCount: max(windowByteCount, Self.leastWindow), inLargePages: false)
      self.file = file
      fileOffset = range.lowerBound
      fileEnd = range.upperBound
    }
  }

  private static let leastWindow = 4096
  /// How far ahead records are asked for.
  private static let rowsAhead = 8
  /// Eight bytes from any byte of a key on can be read.
  private static let padding = 8

  /// The next key; at the end, ``KeyHead/end``.
  @inline(__always)
  func next() throws(FuseError) -> KeyHead {
    guard unsafe row < rows.count else { return try nextInFile() }
    // SAFETY: a row below the count has a value, and names a record of the block.
    let current = unsafe rows[row]
    let ahead = unsafe row &+ Self.rowsAhead < rows.count ? rows[row &+ Self.rowsAhead] : current
    unsafe fuse_prefetch(records! + Int(ahead.offset))
    row &+= 1
    return unsafe Self.head(
      of: records! + Int(current.offset), keyByteCount: Int(current.keyByteCount), prefix: current.prefix)
  }

  @inline(__always)
  private func nextInFile() throws(FuseError) -> KeyHead {
    guard file != nil else { return .end }
    if end &- start < KeyBuffer.fileOverhead, try !refill(KeyBuffer.fileOverhead) { return .end }
    let byteCount = Int(unsafe window!.start.loadUnaligned(fromByteOffset: start, as: UInt16.self))
    if end &- start < KeyBuffer.fileOverhead &+ byteCount { _ = try refill(KeyBuffer.fileOverhead &+ byteCount) }
    // SAFETY: the record is inside the window, which goes on for eight bytes after `end`.
    let record = unsafe UnsafeRawPointer(window!.start) + start + 2
    start &+= KeyBuffer.fileOverhead &+ byteCount
    let prefix = unsafe KeyBuffer.prefix(of: record + KeyBuffer.overhead, byteCount)
    return unsafe Self.head(of: record, keyByteCount: byteCount, prefix: prefix)
  }

  @inline(__always)
  @unsafe
  private static func head(of record: UnsafeRawPointer, keyByteCount: Int, prefix: UInt64) -> KeyHead {
    // SAFETY: the record has its head of `overhead` bytes, object and position, and then the key.
    unsafe KeyHead(
      prefix: prefix, key: record + KeyBuffer.overhead, keyByteCount: keyByteCount,
      position: record.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      object: ObjectNumber(rawValue: record.loadUnaligned(as: UInt64.self)))
  }

  /// Reads on, so that `byteCount` bytes from `start` are in the window; false at the end of the run.
  @inline(never)
  private func refill(_ byteCount: Int) throws(FuseError) -> Bool {
    guard let old = window, let file, fileOffset < fileEnd || end - start >= byteCount else { return false }
    let left = end - start
    var window = old
    if byteCount > old.byteCount - Self.padding {
      window = try ZeroedMemory(byteCount: byteCount + Self.padding, inLargePages: false)
    }
    // SAFETY: what is left lies inside both windows.
    unsafe window.start.copyMemory(from: old.start + start, byteCount: left)
    let count = min(window.byteCount - Self.padding - left, fileEnd - fileOffset)
    unsafe try file.read(
      into: UnsafeMutableRawBufferPointer(start: window.start + left, count: count), at: fileOffset)
    self.window = window
    fileOffset += count
    start = 0
    end = left + count
    return true
  }
}
