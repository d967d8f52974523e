public import FuseDBFormat
internal import FuseDBSystem

/// Which shard of a set holds a key. See spec/sharding.md §2.
///
///     ShardRule.hash(count: 64).shard(of: "8.8.8.8")   // 19
public enum ShardRule: Sendable, Hashable {
  /// XXH64 with seed 42 of the key's bytes, as a signed number, modulo `count`: what Spark computes as `pmod(xxhash64(key), count)`. [GR1]
  case hash(count: Int)
  /// The last shard whose lower bound is not greater than the key. The first bound is empty, and they ascend. [GR2]
  case ranges(lowerBounds: [[UInt8]])

  /// How many shards a set has at most.
  public static let mostShards = 1 << 16

  /// How many shards there are.
  public var count: Int {
    switch self {
    case .hash(let count): count
    case .ranges(let bounds): bounds.count
    }
  }

  /// The number of the shard that holds `key`, whether or not it has the key.
  ///
  /// - Complexity: O(bytes of the key), and with ranges O(log shards).
  public func shard(of key: RawSpan) -> Int {
    switch self {
    case .hash(let count): ShardDivision(by: count).remainder(of: key.shardHash)
    case .ranges(let bounds): Self.range(of: key, among: bounds)
    }
  }

  /// The number of the shard that holds `key`, whether or not it has the key.
  ///
  /// - Complexity: as ``shard(of:)-(RawSpan)``.
  public func shard(of key: some FuseKey) -> Int {
    guard let keyBytes = key.bytesInPlace else { return shard(of: key.keySpelling) }
    defer { keyBytes.hold() }
    return shard(of: keyBytes)
  }

  /// The fewest shards, a power of two, that have no more than `shardByteCount` bytes on average. [GC1]
  ///
  /// - Precondition: `shardByteCount` is positive.
  public static func count(for byteCount: Int, shardByteCount: Int) -> Int {
    precondition(shardByteCount > 0, "a shard has a size")
    var count = 1
    while count < mostShards,
      byteCount / count > shardByteCount || byteCount % count != 0 && byteCount / count == shardByteCount
    {
      count *= 2
    }
    return count
  }

  /// Why there can be no such rule; nil where there can.
  package var flaw: String? {
    guard (1...Self.mostShards).contains(count) else {
      return "a set has 1 to \(Self.mostShards) shards, not \(count)"
    }
    guard case .ranges(let bounds) = self else { return nil }
    guard bounds[0].isEmpty else { return "the first lower bound is not empty, so keys before it have no shard" }
    for number in bounds.indices.dropFirst() where !bounds[number - 1].lexicographicallyPrecedes(bounds[number]) {
      return "lower bound \(number) does not come after the one before it"
    }
    guard bounds.allSatisfy({ $0.count <= FormatLimits.keyByteCount }) else {
      return "a lower bound is longer than a key can be"
    }
    return nil
  }

  static func range(of key: RawSpan, among bounds: [[UInt8]]) -> Int {
    // The first bound is empty, and comes before any key.
    var low = 1
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      let bound = bounds[middle]
      if bound.rawSpan.compare(key) <= 0 { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }
}

/// The remainder of a signed number, never negative, by multiplication. [GR1]
@usableFromInline
package struct ShardDivision: Sendable {
  @usableFromInline let count: UInt64
  @usableFromInline let multiplier: UInt64
  /// What the shift to unsigned numbers adds to a remainder: minus 2^63 modulo `count`.
  @usableFromInline let shift: UInt64

  package init(by count: Int) {
    self.count = UInt64(count)
    multiplier = .max / self.count
    shift = (self.count - (1 << 63) % self.count) % self.count
  }

  /// - Parameter hash: the number, as unsigned bits.
  @inlinable
  @inline(__always)
  package func remainder(of hash: UInt64) -> Int {
    // The signed number and 2^63, which is not negative.
    let number = hash ^ (1 << 63)
    // One too small at most, because the multiplier is less than one too small.
    var rest = number &- number.multipliedFullWidth(by: multiplier).high &* count
    if rest >= count { rest &-= count }
    rest &+= shift
    if rest >= count { rest &-= count }
    return Int(truncatingIfNeeded: rest)
  }
}
