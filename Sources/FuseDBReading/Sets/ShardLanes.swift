internal import FuseDBFormat
internal import FuseDBSystem

// SAFETY: the three pieces of memory are this object's own: a lane and a number of the tree for each shard, and `entriesAtOnce` entries for each. Shards' numbers
// are below `count`, and so are nodes of the tree and what stands in it. A key lies in the file of its shard, or is kept by its scan, until the entries after it
// are read, which makes another key.
/// The next entries of all shards, and a tree of losers: which shard's is the first of all.
@safe
final class ShardLanes {
  // SAFETY: the key lies in the shard's file, or is kept by its scan, until its next entries are read.
  /// What is there of one shard.
  @unsafe
  private struct Lane {
    /// The first eight bytes of the next key after those that all have, as a number that orders as they do.
    var first: UInt64 = 0
    var key = unsafe UnsafeRawPointer(bitPattern: 16)!
    var keyCount = 0
    var next = 0
    var end = 0
    /// Where the bytes are from which the entries count.
    var base = unsafe UnsafeRawPointer(bitPattern: 16)!
    /// How far that is from where those of the set count.
    var distance = 0
    var isInPlace = true
    var isAtEnd = false
  }

  private static let entriesAtOnce = KeyOrder.stride

  let count: Int
  private let isDescending: Bool
  private let sharedByteCount: Int
  private(set) var isInPlace = true
  // SAFETY: memory of this object, for `count` lanes, as many numbers in the tree, and `entriesAtOnce` entries for each; shards' numbers are below `count`.
  private let lanes: UnsafeMutablePointer<Lane>
  private let tree: UnsafeMutablePointer<Int32>
  private let entries: UnsafeMutablePointer<IndexEntry>

  init(_ count: Int, isDescending: Bool, sharedByteCount: Int) {
    self.count = count
    self.isDescending = isDescending
    self.sharedByteCount = sharedByteCount
    unsafe lanes = .allocate(capacity: count)
    unsafe lanes.initialize(repeating: Lane(), count: count)
    unsafe tree = .allocate(capacity: count)
    unsafe tree.initialize(repeating: -1, count: count)
    unsafe entries = .allocate(capacity: count * Self.entriesAtOnce)
    unsafe entries.initialize(
      repeating: IndexEntry(offset: 0, keyByteCount: 0, objectOffset: 0), count: count * Self.entriesAtOnce)
  }

  // SAFETY: nobody has this object; what it has needs no deinitialising.
  deinit {
    unsafe lanes.deallocate()
    unsafe tree.deallocate()
    unsafe entries.deallocate()
  }

  func copy() -> ShardLanes {
    let copy = ShardLanes(count, isDescending: isDescending, sharedByteCount: sharedByteCount)
    copy.isInPlace = isInPlace
    // SAFETY: both have as much.
    unsafe copy.lanes.update(from: lanes, count: count)
    unsafe copy.tree.update(from: tree, count: count)
    unsafe copy.entries.update(from: entries, count: count * Self.entriesAtOnce)
    return copy
  }

  func begin(_ shard: Int, _ reader: FuseReader, in owner: FuseReader) {
    let isCompact = reader.isCompact
    unsafe lanes[shard].isInPlace = !isCompact
    unsafe lanes[shard].distance = owner.distance(to: reader)
    isInPlace = isInPlace && !isCompact
  }

  func isInPlace(_ shard: Int) -> Bool { unsafe lanes[shard].isInPlace }

  /// Puts entries of a shard, of which there are none left, before the others; none where the shard is at its end.
  func fill(_ shard: Int, _ more: ArraySlice<IndexEntry>, of owner: FuseReader) {
    let start = shard * Self.entriesAtOnce
    for (place, entry) in more.prefix(Self.entriesAtOnce).enumerated() { unsafe entries[start + place] = entry }
    unsafe lanes[shard].next = 0
    unsafe lanes[shard].end = min(more.count, Self.entriesAtOnce)
    // SAFETY: the scan keeps its owner until its next entries are read.
    unsafe lanes[shard].base = owner.mapping.address(of: 0)
    guard !more.isEmpty else {
      unsafe lanes[shard].isAtEnd = true
      unsafe lanes[shard].first = isDescending ? 0 : .max
      return
    }
    take(shard)
  }

  /// The shard whose entry comes next, and the entry; nil at the end of all.
  var first: (shard: Int, entry: IndexEntry)? {
    let shard = unsafe Int(tree[0])
    guard unsafe !lanes[shard].isAtEnd else { return nil }
    return unsafe (shard, entries[shard &* Self.entriesAtOnce &+ lanes[shard].next])
  }

  /// An entry of a shard, as one of the set.
  func inSet(_ entry: IndexEntry, _ shard: Int) -> IndexEntry {
    unsafe IndexEntry(
      offset: entry.offset &+ lanes[shard].distance, keyByteCount: entry.keyByteCount,
      objectOffset: FuseReader.offset(entry.objectOffset, inShard: shard))
  }

  /// Goes on to the next entry of a shard; false where more have to be read for that.
  func advance(_ shard: Int) -> Bool {
    let next = unsafe lanes[shard].next &+ 1
    unsafe lanes[shard].next = next
    guard unsafe next < lanes[shard].end else { return false }
    take(shard)
    return true
  }

  private func take(_ shard: Int) {
    let lane = unsafe lanes + shard
    let entry = unsafe entries[shard &* Self.entriesAtOnce &+ lane.pointee.next]
    // SAFETY: the key lies inside the shard's file, or is kept by its scan, until the entries after it are read.
    let key = unsafe lane.pointee.base + (entry.offset &+ 2)
    unsafe lane.pointee.key = key
    unsafe lane.pointee.keyCount = entry.keyByteCount
    let skipped = min(sharedByteCount, entry.keyByteCount)
    let left = entry.keyByteCount &- skipped
    var first: UInt64 = 0
    if left >= 8 {
      first = UInt64(bigEndian: unsafe (key + skipped).loadUnaligned(as: UInt64.self))
    } else {
      for i in 0..<left {
        first |= UInt64(unsafe key.load(fromByteOffset: skipped &+ i, as: UInt8.self)) &<< UInt64(56 &- 8 &* i)
      }
    }
    unsafe lane.pointee.first = first
  }

  // MARK: The tree

  /// Has all shards play, once each has its first entry.
  func enterAll() {
    guard count > 1 else { return unsafe tree[0] = 0 }
    for shard in (0..<count).reversed() {
      var winner = Int32(truncatingIfNeeded: shard)
      var node = (shard + count) / 2
      // A subtree that has no player yet waits for one.
      while node > 0, unsafe tree[node] >= 0 {
        if unsafe isBefore(tree[node], winner) { unsafe swap(&tree[node], &winner) }
        node /= 2
      }
      unsafe tree[node] = winner
    }
  }

  /// Has a shard play again, whose entry is another one.
  func play(_ shard: Int) {
    var winner = Int32(truncatingIfNeeded: shard)
    var node = (shard &+ count) / 2
    while node > 0 {
      let other = unsafe tree[node]
      if isBefore(other, winner) {
        unsafe tree[node] = winner
        winner = other
      }
      node /= 2
    }
    unsafe tree[0] = winner
  }

  @inline(__always)
  private func isBefore(_ one: Int32, _ other: Int32) -> Bool {
    let (left, right) = unsafe (lanes[Int(one)].first, lanes[Int(other)].first)
    if left != right { return (left < right) != isDescending }
    return isBeforeAfterAll(Int(one), Int(other))
  }

  /// Of equal keys, which a sound set has not, that of the smaller number comes first.
  @inline(never)
  private func isBeforeAfterAll(_ one: Int, _ other: Int) -> Bool {
    let (left, right) = unsafe (lanes[one], lanes[other])
    guard unsafe !left.isAtEnd, unsafe !right.isAtEnd else {
      return unsafe right.isAtEnd && (!left.isAtEnd || one < other)
    }
    // SAFETY: both keys have so many bytes, and are there.
    let order = unsafe RawSpan(_unsafeStart: left.key, byteCount: left.keyCount).compare(
      RawSpan(_unsafeStart: right.key, byteCount: right.keyCount))
    return order == 0 ? one < other : (order < 0) != isDescending
  }
}
