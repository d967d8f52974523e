internal import FuseDBFormat

/// A range of addresses that was read, in 56 bytes without padding.
struct RangeRecord: BitwiseCopyable {
  private var firstHigh: UInt64
  private var firstLow: UInt64
  private var lastHigh: UInt64
  private var lastLow: UInt64
  /// Where its record stands, as a number of an ``InputPosition``; no two ranges have the same.
  let position: UInt64
  /// Its object, as a writer numbers it,
  var object: UInt64
  /// and the hash of that: equal objects may have several numbers.
  let objectHash: UInt64

  init(_ range: AddressRange, position: UInt64, object: UInt64, objectHash: UInt64) {
    firstHigh = UInt64(truncatingIfNeeded: range.first >> 64)
    firstLow = UInt64(truncatingIfNeeded: range.first)
    lastHigh = UInt64(truncatingIfNeeded: range.last >> 64)
    lastLow = UInt64(truncatingIfNeeded: range.last)
    self.position = position
    self.object = object
    self.objectHash = objectHash
  }

  var first: UInt128 { UInt128(firstHigh) << 64 | UInt128(firstLow) }
  var last: UInt128 { UInt128(lastHigh) << 64 | UInt128(lastLow) }
  var range: AddressRange { AddressRange(first: first, last: last) }

  /// The same range, but for its ends.
  func cut(to range: AddressRange) -> RangeRecord {
    RangeRecord(range, position: position, object: object, objectHash: objectHash)
  }
}

extension RangeRecord: Comparable {
  /// By the first address, then the longer range first: a range comes before those in it. Of equal ranges the one that was read first.
  static func < (left: RangeRecord, right: RangeRecord) -> Bool {
    if left.firstHigh != right.firstHigh { return left.firstHigh < right.firstHigh }
    if left.firstLow != right.firstLow { return left.firstLow < right.firstLow }
    if left.lastHigh != right.lastHigh { return left.lastHigh > right.lastHigh }
    if left.lastLow != right.lastLow { return left.lastLow > right.lastLow }
    return left.position < right.position
  }
}
