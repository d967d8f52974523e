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

  // SAFETY: used by the thread that fills it or by the one that it was handed to, never by both.
  private(set) var rows: [Row] = []
  private(set) var keyBytes: [UInt8] = []
  private let mostRows: Int
  private let mostBytes: Int

  init(mostRows: Int = 4096, mostBytes: Int = 1 << 18) throws(FuseError) {
    self.mostRows = mostRows
    self.mostBytes = mostBytes
    try rows.reserve(mostRows)
    try keyBytes.reserve(mostBytes + FormatLimits.keyByteCount)
  }

  var lastPosition: UInt64 { rows.last?.position ?? 0 }
  var lastObject: ObjectNumber { rows.last?.object ?? ObjectNumber(rawValue: 0) }

  /// The key of a row.
  @inline(__always)
  func withKey<Result, Failure: Error>(
    of row: Row, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let bytes = keyBytes
    return try body(bytes.rawSpan.extracting(Int(row.keyStart)..<Int(row.keyStart) + Int(row.keyByteCount)))
  }

  /// Whether this is the key that was appended last.
  @inline(__always)
  func endsIn(_ key: RawSpan) -> Bool {
    guard let last = rows.last, Int(last.keyByteCount) == key.byteCount else { return false }
    return withKey(of: last) { $0.equals(key) }
  }

  /// Appends a key; false when the batch is full.
  @inline(__always)
  func append(_ key: RawSpan, object: ObjectNumber, position: UInt64) -> Bool {
    guard rows.count < mostRows, keyBytes.count < mostBytes else { return false }
    rows.append(
      Row(
        object: object, position: position, keyStart: UInt32(truncatingIfNeeded: keyBytes.count),
        keyByteCount: UInt32(truncatingIfNeeded: key.byteCount)))
    // SAFETY: the array copies the key's bytes.
    unsafe key.withUnsafeBytes { unsafe keyBytes.append(contentsOf: $0) }
    return true
  }

  func replaceLast(object: ObjectNumber, position: UInt64) {
    rows[rows.count - 1].object = object
    rows[rows.count - 1].position = position
  }

  func removeAll() {
    rows.removeAll(keepingCapacity: true)
    keyBytes.removeAll(keepingCapacity: true)
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
