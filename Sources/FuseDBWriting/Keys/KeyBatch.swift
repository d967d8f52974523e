internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Some keys of the file, in key order, on their way from the merge to the thread that writes them.
@safe
final class KeyBatch: @unchecked Sendable {
  struct Row: BitwiseCopyable {
    var object: ObjectNumber
    var position: UInt64
    var keyStart: UInt32
    var keyByteCount: UInt32
  }

  // SAFETY: used by the thread that fills it or by the one that it was handed to, never by both. `rowMemory` has room for `mostRows`
  // rows, of which `counts.rows` were written; `keyMemory` for `mostBytes` and one more key, of which `counts.keyBytes` were. In memory of its own, because
  // each use of an array would count a reference.
  private let rowMemory: ZeroedMemory
  private let keyMemory: ZeroedMemory
  @exclusivity(unchecked) private var uncheckedCounts = (rows: 0, keyBytes: 0)
  private let mostRows: Int
  private let mostBytes: Int

  init(mostRows: Int = 4096, mostBytes: Int = 1 << 18) throws(FuseError) {
    self.mostRows = mostRows
    self.mostBytes = mostBytes
    rowMemory = try ZeroedMemory(byteCount: mostRows * MemoryLayout<Row>.stride, inLargePages: false)
    keyMemory = try ZeroedMemory(byteCount: mostBytes + FormatLimits.keyByteCount, inLargePages: false)
  }

  // SAFETY: one thread at a time uses a batch, and no use of the counts is inside of another. A check at run time, of each use, would take as
  // long as what it is for.
  private var counts: (rows: Int, keyBytes: Int) {
    @inline(__always) _read { yield unsafe uncheckedCounts }
    @inline(__always) _modify { yield unsafe &uncheckedCounts }
  }

  /// Its rows, which stay as they are until the batch is emptied.
  var rows: Span<Row> {
    @_lifetime(borrow self)
    @inline(__always)
    get {
      // SAFETY: so many rows were written.
      let span = unsafe Span(_unsafeStart: UnsafePointer(row(0)), count: counts.rows)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  // SAFETY: the last row was written where there is one.
  var lastPosition: UInt64 { counts.rows == 0 ? 0 : unsafe row(counts.rows - 1).pointee.position }
  var lastObject: ObjectNumber {
    // SAFETY: rows below the count were written.
    counts.rows == 0 ? ObjectNumber(rawValue: 0) : unsafe row(counts.rows - 1).pointee.object
  }

  @inline(__always)
  @unsafe
  private func row(_ number: Int) -> UnsafeMutablePointer<Row> {
    // SAFETY: the memory is aligned to pages, and numbers are below `mostRows`.
    unsafe rowMemory.start.assumingMemoryBound(to: Row.self) + number
  }

  /// The key of a row.
  @inline(__always)
  func withKey<Result, Failure: Error>(
    of row: Row, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: a row names bytes that were written.
    try body(
      unsafe RawSpan(
        _unsafeStart: UnsafeRawPointer(keyMemory.start) + Int(row.keyStart), byteCount: Int(row.keyByteCount)))
  }

  /// Whether this is the key that was appended last.
  @inline(__always)
  func endsIn(_ key: RawSpan) -> Bool {
    guard counts.rows > 0 else { return false }
    // SAFETY: the last row was written.
    let last = unsafe row(counts.rows &- 1).pointee
    return Int(last.keyByteCount) == key.byteCount && withKey(of: last) { $0.equals(key) }
  }

  /// Appends a key of at most 65,535 bytes; false when the batch is full.
  @inline(__always)
  func append(_ key: RawSpan, object: ObjectNumber, position: UInt64) -> Bool {
    guard counts.rows < mostRows, counts.keyBytes < mostBytes else { return false }
    precondition(key.byteCount <= FormatLimits.keyByteCount, "the key is longer than keys are")
    // SAFETY: there is room for one more row, and for one more key of any length.
    unsafe row(counts.rows).initialize(
      to: Row(
        object: object, position: position, keyStart: UInt32(truncatingIfNeeded: counts.keyBytes),
        keyByteCount: UInt32(truncatingIfNeeded: key.byteCount)))
    unsafe key.withUnsafeBytes { key in
      if let from = key.baseAddress {
        unsafe (keyMemory.start + counts.keyBytes).copyMemory(from: from, byteCount: key.count)
      }
    }
    counts.rows &+= 1
    counts.keyBytes &+= key.byteCount
    return true
  }

  func replaceLast(object: ObjectNumber, position: UInt64) {
    precondition(counts.rows > 0, "there is a last key")
    // SAFETY: the last row was written.
    unsafe row(counts.rows - 1).pointee.object = object
    unsafe row(counts.rows - 1).pointee.position = position
  }

  func removeAll() {
    counts.rows = 0
    counts.keyBytes = 0
  }
}

/// A key that was added more than once.
package struct DuplicateKey: Sendable, Equatable {
  package var key: [UInt8]
  /// Where the addition that counts stands in the input,
  package var kept: UInt64
  /// and one that does not.
  package var dropped: UInt64
  /// Where the additions stand that were combined into a new object; empty where one counts.
  package var combined: [UInt64] = []
}
