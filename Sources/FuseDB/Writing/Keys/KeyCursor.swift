internal import CFuseIntrinsics

/// Goes through a run of keys.
@safe
final class KeyCursor {
  // What it stands on; set by `advance`.
  private(set) var prefix: UInt64 = 0
  // SAFETY: the key's bytes are in the buffer of the run or in `window`, and valid until the next `advance`.
  private(set) var key: UnsafeRawPointer
  private(set) var keyByteCount = 0
  private(set) var object = ObjectNumber(rawValue: 0)
  private(set) var place: UInt64 = 0

  private let buffer: KeyBuffer?
  private var row = 0
  private let rowCount: Int

  /// What is read of a file.
  private let window: ZeroedMemory?
  private let file: TemporaryFile?
  private var filePlace = 0
  private let fileEnd: Int
  private var start = 0
  private var end = 0

  /// - Parameter windowByteCount: how much of a file is in memory, at least ``leastWindow``.
  init(_ run: KeyRun, windowByteCount: Int) throws(FuseError) {
    switch run {
    case .memory(let keys):
      buffer = keys.buffer
      rowCount = keys.buffer.count
      (window, file, fileEnd) = (nil, nil, 0)
      unsafe key = UnsafeRawPointer(keys.buffer.memory.start)
    case .file(let file, let range, _):
      (buffer, rowCount) = (nil, 0)
      let window = try ZeroedMemory(byteCount: max(windowByteCount, Self.leastWindow), inLargePages: false)
      self.window = window
      self.file = file
      filePlace = range.lowerBound
      fileEnd = range.upperBound
      unsafe key = UnsafeRawPointer(window.start)
    }
  }

  /// A record with the longest key, and eight bytes to read behind it.
  static let leastWindow = 2 * (KeyBuffer.fileOverhead + FormatLimits.keyByteCount + 8)

  /// Goes to the next key; false at the end.
  @inline(__always)
  func advance() throws(FuseError) -> Bool {
    if let buffer { return advance(in: buffer) }
    return try advanceInFile()
  }

  @inline(__always)
  private func advance(in buffer: KeyBuffer) -> Bool {
    guard row < rowCount else { return false }
    buffer.prefetch(row: row &+ 8)
    let current = unsafe buffer.rows[row]
    row &+= 1
    prefix = current.prefix
    // SAFETY: the row names a record of the block.
    let record = unsafe UnsafeRawPointer(buffer.memory.start) + Int(current.place)
    unsafe take(record, keyByteCount: Int(current.keyByteCount))
    return true
  }

  @inline(__always)
  private func advanceInFile() throws(FuseError) -> Bool {
    let window = window!
    if end &- start < KeyBuffer.fileOverhead, try !refill(KeyBuffer.fileOverhead) { return false }
    var byteCount = Int(unsafe window.start.loadUnaligned(fromByteOffset: start, as: UInt16.self))
    if end &- start < KeyBuffer.fileOverhead &+ byteCount {
      _ = try refill(KeyBuffer.fileOverhead + byteCount)
      byteCount = Int(unsafe window.start.loadUnaligned(fromByteOffset: start, as: UInt16.self))
    }
    // SAFETY: the record is inside the window, which goes on for eight bytes behind `end`.
    let record = unsafe UnsafeRawPointer(window.start) + start + 2
    unsafe take(record, keyByteCount: byteCount)
    prefix = unsafe KeyBuffer.prefix(of: key, byteCount)
    start &+= KeyBuffer.fileOverhead &+ byteCount
    return true
  }

  @inline(__always)
  @unsafe
  private func take(_ record: UnsafeRawPointer, keyByteCount: Int) {
    object = ObjectNumber(rawValue: unsafe record.loadUnaligned(as: UInt64.self))
    place = unsafe record.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    unsafe key = record + KeyBuffer.overhead
    self.keyByteCount = keyByteCount
  }

  /// Reads on, so that `byteCount` bytes from `start` are in the window; false at the end of the run.
  @inline(never)
  private func refill(_ byteCount: Int) throws(FuseError) -> Bool {
    guard let window, let file, filePlace < fileEnd || end - start >= byteCount else { return false }
    let left = end - start
    // SAFETY: what is left lies inside the window.
    unsafe window.start.copyMemory(from: window.start + start, byteCount: left)
    let count = min(window.byteCount - 8 - left, fileEnd - filePlace)
    unsafe try file.read(
      into: UnsafeMutableRawBufferPointer(start: window.start + left, count: count), at: filePlace)
    filePlace += count
    start = 0
    end = left + count
    return true
  }
}

extension KeyBuffer {
  /// Asks for the record of a row, which need not exist.
  @inline(__always)
  func prefetch(row: Int) {
    guard row < count else { return }
    unsafe fuse_prefetch(memory.start + Int(rows[row].place))
  }
}
