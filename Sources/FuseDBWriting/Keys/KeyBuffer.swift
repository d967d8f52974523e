internal import CFuseIntrinsics
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Additions of keys, as many as fit a block of memory, to be sorted there.
///
/// The block holds rows from its start on, and the keys with what belongs to them from its end backwards.
@safe
final class KeyBuffer {
  /// What is moved while sorting.
  struct Row: BitwiseCopyable {
    /// Eight bytes of the key, big-endian, zeros after a shorter one: the first, and while sorting those that decide.
    var prefix: UInt64
    /// Where the record begins in the block.
    var offset: UInt32
    var keyByteCount: UInt32
  }

  /// What stands before a key: its object and its position in the input.
  static let overhead = 16
  /// Eight bytes from any byte of a key on can be read.
  private static let padding = 8
  /// Offsets are 32 bits.
  static let mostBytes = Int(UInt32.max)

  // SAFETY: rows end where records begin or before: `rowsEnd` <= `recordsStart`, both inside the block.
  let memory: ZeroedMemory
  private var rowsEnd = 0
  private var recordsStart: Int
  private(set) var count = 0
  /// The length of all keys.
  private(set) var keyByteCount = 0

  init(byteCount: Int) throws(FuseError) {
    precondition(byteCount <= Self.mostBytes, "offsets in a block are 32 bits")
    memory = try ZeroedMemory(byteCount: byteCount, inLargePages: byteCount >= 16 << 20)
    recordsStart = byteCount - Self.padding
  }

  /// How many bytes of the block a key takes.
  static func byteCount(of keyByteCount: Int) -> Int { overhead + keyByteCount + MemoryLayout<Row>.stride }

  /// The least block that takes one key of any length.
  static let leastByteCount = byteCount(of: FormatLimits.keyByteCount) + padding

  var isEmpty: Bool { count == 0 }
  /// Whether a second half is left of the block.
  var isHalfEmpty: Bool { recordsStart - rowsEnd > memory.byteCount / 2 }

  /// Adds a key; false when the block is full.
  @inline(__always)
  func append(_ key: RawSpan, object: ObjectNumber, position: UInt64) -> Bool {
    let byteCount = key.byteCount
    let start = recordsStart &- Self.overhead &- byteCount
    guard start >= rowsEnd &+ MemoryLayout<Row>.stride else { return false }
    // SAFETY: the record ends where the one before it begins, and the row ends before the record does, by the guard.
    let record = unsafe memory.start + start
    unsafe record.storeBytes(of: object.rawValue, as: UInt64.self)
    unsafe record.storeBytes(of: position, toByteOffset: 8, as: UInt64.self)
    unsafe key.withUnsafeBytes { key in
      if let from = key.baseAddress {
        unsafe (record + Self.overhead).copyMemory(from: from, byteCount: byteCount)
      }
    }
    let row = Row(
      prefix: unsafe Self.prefix(of: record + Self.overhead, byteCount), offset: UInt32(truncatingIfNeeded: start),
      keyByteCount: UInt32(truncatingIfNeeded: byteCount))
    unsafe memory.start.storeBytes(of: row, toByteOffset: rowsEnd, as: Row.self)
    rowsEnd &+= MemoryLayout<Row>.stride
    recordsStart = start
    count &+= 1
    keyByteCount &+= byteCount
    return true
  }

  func removeAll() {
    rowsEnd = 0
    recordsStart = memory.byteCount - Self.padding
    count = 0
    keyByteCount = 0
  }

  /// The rows.
  var rows: UnsafeMutableBufferPointer<Row> {
    // SAFETY: `count` rows stand at the start of the block, which begins at a page.
    unsafe UnsafeMutableBufferPointer(start: memory.start.assumingMemoryBound(to: Row.self), count: count)
  }

  /// Asks for the record of a row, which need not exist.
  @inline(__always)
  func prefetch(row: Int) {
    guard row < count else { return }
    // SAFETY: a row below the count has a value, and names a record of the block.
    unsafe fuse_prefetch(memory.start + Int(rows[row].offset))
  }

  /// Up to eight bytes, the first as the highest.
  ///
  /// - Precondition: eight bytes can be read.
  @inline(__always)
  @unsafe
  static func prefix(of key: UnsafeRawPointer, _ byteCount: Int) -> UInt64 {
    // SAFETY: the caller knows that eight bytes can be read; those after the key are masked.
    let bytes = UInt64(bigEndian: unsafe key.loadUnaligned(as: UInt64.self))
    return byteCount >= 8 ? bytes : bytes & ~(UInt64.max &>> UInt64(8 &* byteCount))
  }
}
