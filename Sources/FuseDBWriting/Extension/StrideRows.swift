internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Collects the rows of the section `ORDR` from the entries of a key index, in order. See spec/extension.md §6, X12.
@safe
final class StrideRows {
  /// The bytes of the longest stride: keys have at most 65,535.
  private static let longestStride = StrideRow.entryCount * (IndexEntry.overhead + Int(UInt16.max))

  /// Where a stride begins in the index, and its checksum; twelve bytes, without padding.
  private struct Row: BitwiseCopyable {
    var high: UInt32
    var low: UInt32
    var checksum: UInt32
  }

  private let rows: SpillStream
  // SAFETY: has room for the longest stride; `filled` bytes hold `entryCount` entries.
  private let stride: ZeroedMemory
  private var filled = 0
  private var entryCount = 0
  private var number = 0
  /// Where the stride begins in the index.
  private var start: UInt64 = 0

  init(_ spill: Spill) throws(FuseError) {
    rows = SpillStream(spill, recordByteCount: StrideRow.byteCount)
    stride = try ZeroedMemory(byteCount: Self.longestStride, inLargePages: false)
  }

  /// Adds an entry.
  @inline(__always)
  func add(key: RawSpan, object: UInt64) throws(FuseError) {
    let count = key.byteCount
    precondition(count <= Int(UInt16.max), "a key is longer than an entry can say")
    // SAFETY: the stride has fewer than 32 entries, so there is room for another.
    let entry = unsafe stride.start + filled
    unsafe entry.storeBytes(of: UInt16(truncatingIfNeeded: count).bigEndian, as: UInt16.self)
    unsafe key.withUnsafeBytes { bytes in
      if let from = bytes.baseAddress { unsafe (entry + 2).copyMemory(from: from, byteCount: count) }
    }
    unsafe entry.storeBytes(of: object.bigEndian, toByteOffset: 2 &+ count, as: UInt64.self)
    filled &+= count &+ IndexEntry.overhead
    entryCount &+= 1
    if entryCount == StrideRow.entryCount { try endStride() }
  }

  @inline(never)
  private func endStride() throws(FuseError) {
    let stride = stride
    // SAFETY: so many bytes are filled.
    let bytes = unsafe RawSpan(_unsafeStart: stride.start, byteCount: filled)
    let checksum = StrideRow.checksum(of: bytes, number: number)
    try rows.append(
      record: Row(
        high: UInt32(truncatingIfNeeded: start >> 32), low: UInt32(truncatingIfNeeded: start), checksum: checksum))
    start += UInt64(filled)
    number += 1
    filled = 0
    entryCount = 0
  }

  /// Ends the adding, and writes the section.
  ///
  /// - Parameter indexStart: where the key index begins in the file.
  func finish(to stream: FileStream, indexStart: Int) throws(FuseError) {
    if entryCount > 0 { try endStride() }
    rows.finish()
    var reader = SpillReader(rows)
    while let row = try reader.next(as: Row.self) {
      let offset = UInt64(indexStart) + (UInt64(row.high) << 32 | UInt64(row.low))
      try stream.write(row: offset, checksum: row.checksum)
    }
  }
}
