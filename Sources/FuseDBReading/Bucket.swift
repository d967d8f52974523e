internal import CFuseIntrinsics

// SAFETY: callers pass a bucket of 64 bytes, aligned to 64, and slots that `next` gave, which are below 8. The tags of
// eight slots fill the first 16 bytes, and their offsets, of 48 bits, the others.
/// One bucket of the hash index: a cache line of eight slots, first the eight tags of 16 bits, then the eight entry
/// offsets of 48 bits, all big-endian. A tag of zero marks a free slot; slots fill from the first on.
///
/// Tags side by side are compared in one instruction, and the offset of a hit stands in the same cache line.
enum Bucket {
  static let byteCount = 64
  static let slotCount = 8
  /// The largest entry offset that a slot can hold.
  static let largestOffset = 1 << 48 - 1
  private static let firstOffset = 16

  /// The tag of a hash: its lowest 16 bits, but never the mark of a free slot.
  @inline(__always)
  static func tag(of hash: UInt64) -> UInt16 {
    let tag = UInt16(truncatingIfNeeded: hash)
    return tag == 0 ? 1 : tag
  }

  /// The slots of `bucket` that carry `tag`, to be taken with ``next(_:)``.
  ///
  /// - Parameter bucket: 64 readable bytes, aligned to 64.
  @inline(__always)
  @unsafe
  static func matches(_ tag: UInt16, in bucket: UnsafeRawPointer) -> UInt32 {
    unsafe fuse_match_tags(bucket, tag.bigEndian)
  }

  /// Takes the first slot from a set of matches.
  @inline(__always)
  static func next(_ matches: inout UInt32) -> Int? {
    guard matches != 0 else { return nil }
    let slot = matches.trailingZeroBitCount >> 1
    matches &= ~(3 << UInt32(slot << 1))
    return slot
  }

  /// Whether the last slot is taken, so that the search goes on in the next bucket.
  @inline(__always)
  @unsafe
  static func isFull(_ bucket: UnsafeRawPointer) -> Bool {
    unsafe bucket.load(fromByteOffset: 2 * (slotCount - 1), as: UInt16.self) != 0
  }

  /// The entry offset in a slot.
  @inline(__always)
  @unsafe
  static func offset(_ slot: Int, in bucket: UnsafeRawPointer) -> Int {
    // The eight bytes that end with the slot's six: inside the bucket for every slot.
    let word = unsafe bucket.loadUnaligned(fromByteOffset: firstOffset - 2 + 6 * slot, as: UInt64.self)
    return Int(truncatingIfNeeded: UInt64(bigEndian: word) & UInt64(largestOffset))
  }

  /// Fills a free slot.
  @inline(__always)
  @unsafe
  static func fill(_ slot: Int, of bucket: UnsafeMutableRawPointer, tag: UInt16, offset: Int) {
    unsafe bucket.storeBytes(of: tag.bigEndian, toByteOffset: 2 * slot, as: UInt16.self)
    let high = UInt16(truncatingIfNeeded: offset >> 32)
    let low = UInt32(truncatingIfNeeded: offset)
    unsafe bucket.storeBytes(of: high.bigEndian, toByteOffset: firstOffset + 6 * slot, as: UInt16.self)
    unsafe bucket.storeBytes(of: low.bigEndian, toByteOffset: firstOffset + 6 * slot + 2, as: UInt32.self)
  }
}
