internal import CFuseSystem

/// The exact-match index: which entry holds a key, in one probe of one cache line.
///
/// Buckets of 64 bytes hold eight slots of 16-bit tag and 48-bit entry offset; a full bucket overflows into the next. A slot of zero is
/// empty: no entry stands at offset 0. Hash: XXH3-64 with a seed; its upper bits choose the bucket and its lower ones are the tag.
/// See spec/decisions/0002-open-checks-and-memory-index.md.
@safe
final class HashIndex: Sendable {
  static let slotsPerBucket = 8
  static let bucketByteCount = 64
  private static let offsetBits: UInt64 = 48
  static let largestOffset = 1 << 48 - 1
  /// The share of slots that are taken: fewer would cost memory, more would cost second probes.
  private static let loadFactor = 0.8
  /// A chain of full buckets longer than this makes the builder take another seed.
  private static let longestChain = 64

  let seed: UInt64
  let bucketCount: Int
  // SAFETY: owned until deinit, written by the builder alone, before the object is shared.
  private nonisolated(unsafe) let slots: UnsafeMutablePointer<UInt64>

  /// Makes an empty index with room for `keyCount` keys.
  init(keyCount: Int, seed: UInt64) {
    self.seed = seed
    bucketCount = max(1, Int((Double(keyCount) / (Self.loadFactor * Double(Self.slotsPerBucket))).rounded(.up)))
    let byteCount = bucketCount * Self.bucketByteCount
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: Self.bucketByteCount)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    unsafe slots = memory.bindMemory(to: UInt64.self, capacity: bucketCount * Self.slotsPerBucket)
  }

  deinit { unsafe UnsafeMutableRawPointer(slots).deallocate() }

  /// The bucket in which the search for a hash begins.
  @inline(__always)
  private func bucket(of hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(truncatingIfNeeded: bucketCount)).high)
  }

  /// The slot's value for an entry: its tag above its offset.
  @inline(__always)
  private static func slot(hash: UInt64, offset: Int) -> UInt64 {
    hash << offsetBits | UInt64(truncatingIfNeeded: offset)
  }

  /// Fetches the bucket of `hash` into the cache.
  @inline(__always)
  func prefetch(_ hash: UInt64) {
    unsafe fuse_prefetch(slots + bucket(of: hash) &* Self.slotsPerBucket)
  }

  /// Adds an entry. Returns false when the chain of full buckets is too long: the keys suit another seed.
  @inline(__always)
  func insert(hash: UInt64, offset: Int) -> Bool {
    var bucket = bucket(of: hash)
    for _ in 0..<Self.longestChain {
      // SAFETY: a bucket's number is below bucketCount, and it has slotsPerBucket slots.
      let first = unsafe slots + bucket &* Self.slotsPerBucket
      for i in 0..<Self.slotsPerBucket where unsafe first[i] == 0 {
        unsafe first[i] = Self.slot(hash: hash, offset: offset)
        return true
      }
      bucket = bucket &+ 1 == bucketCount ? 0 : bucket &+ 1
    }
    return false
  }

  /// Calls `match` with the offset of each entry whose tag is that of `hash`, until it returns something.
  @inline(__always)
  func first<Result>(hash: UInt64, _ match: (Int) throws(FuseError) -> Result?) throws(FuseError) -> Result? {
    var bucket = bucket(of: hash)
    let tag = hash << Self.offsetBits
    let offsetMask: UInt64 = 1 << Self.offsetBits &- 1
    for _ in 0..<Self.longestChain {
      // SAFETY: as in insert.
      let group = unsafe UnsafeRawPointer(slots + bucket &* Self.slotsPerBucket).load(as: SIMD8<UInt64>.self)
      let equal = (group ^ SIMD8(repeating: tag)) .<= SIMD8(repeating: offsetMask)
      for i in 0..<Self.slotsPerBucket where equal[i] && group[i] != 0 {
        if let found = try match(Int(truncatingIfNeeded: group[i] & offsetMask)) { return found }
      }
      // Slots fill from the first to the last, so a free last slot ends the chain.
      if group[Self.slotsPerBucket - 1] == 0 { return nil }
      bucket = bucket &+ 1 == bucketCount ? 0 : bucket &+ 1
    }
    return nil
  }

  /// Whether a key of hash `stored` can have been put where a search for `hash` comes across it. If not, the stored key is no longer what was hashed.
  func isPlausible(_ stored: UInt64, nextTo hash: UInt64) -> Bool {
    let distance = abs(bucket(of: stored) - bucket(of: hash))
    return (stored ^ hash) << Self.offsetBits == 0 && min(distance, bucketCount - distance) < Self.longestChain
  }
}
