internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// What a scan has of a file whose entries are not read in place, of a compact one or of a set: it reads some of them at a time, and has the reader that
/// keeps them.
///
/// A class, so that a scan of another file has a pointer for it alone; a copy of a scan copies it before it goes on.
@usableFromInline
class ScanSource: @unchecked Sendable {
  /// How many entries are read together.
  static let entriesAtOnce = KeyOrder.stride

  /// The reader that the entries are of, which keeps them alone.
  @usableFromInline final var owner: FuseReader

  init(_ owner: FuseReader) { self.owner = owner }

  /// - Precondition: the reader is one of a compact file or of a set.
  @inline(never)
  static func of(_ reader: FuseReader) -> ScanSource {
    if let set = reader.shardSet { return MergedScan(set, reader) }
    return CompactScan(reader.compact!, reader)
  }

  /// One that goes on by itself.
  func copy() -> ScanSource { preconditionFailure("a source is one of two") }

  /// Whether entries stand in files, so that nobody has to keep them.
  var isInPlace: Bool { false }

  /// Reads the next entries in a direction, the first time from one with a number; a reader keeps them.
  ///
  /// - Parameters:
  ///   - block: gets them, from the first place on.
  ///   - read: how many were read, also where not all could be.
  func read(
    _ count: Int, from number: Int, _ direction: FuseReader.Direction, for reader: FuseReader,
    into block: inout [IndexEntry], _ read: inout Int
  ) throws(FuseError) { preconditionFailure("a source is one of two") }
}

/// The entries of all shards of a set in the order of keys: the scans of the shards, and a tree that says which of them is next. See spec/sharding.md [GA2].
final class MergedScan: ScanSource, @unchecked Sendable {
  private let set: ShardedReader
  /// A scan for each shard, from where its next entries are read; nil until it is known where they begin.
  private var scans: [Scan]?
  private var lanes: ShardLanes?
  /// How many bytes all keys begin with, so that what follows is compared.
  private let sharedByteCount: Int

  /// - Parameters:
  ///   - scans: one for each shard; nil for all entries from a number on.
  ///   - sharedByteCount: all of their keys begin with the same so many bytes.
  init(_ set: ShardedReader, _ reader: FuseReader, _ scans: [Scan]? = nil, sharedByteCount: Int = 0) {
    self.set = set
    self.scans = scans
    self.sharedByteCount = sharedByteCount
    super.init(reader)
  }

  override func copy() -> ScanSource {
    let copy = MergedScan(set, owner, scans, sharedByteCount: sharedByteCount)
    copy.lanes = lanes?.copy()
    return copy
  }

  /// Whether entries stand in the shards' files, so that nobody has to keep them.
  override var isInPlace: Bool { lanes?.isInPlace ?? false }

  override func read(
    _ count: Int, from number: Int, _ direction: FuseReader.Direction, for reader: FuseReader,
    into block: inout [IndexEntry], _ read: inout Int
  ) throws(FuseError) {
    if lanes == nil { try begin(at: number, direction) }
    guard let lanes else { return }
    while read < count {
      guard let (shard, entry) = lanes.first else { throw reader.changed(at: 0) }
      block[read] = if lanes.isInPlace(shard) {
        lanes.inSet(entry, shard)
      } else {
        try reader.entry(entry, of: scans![shard].owner, shard, once: false)
      }
      read += 1
      if !lanes.advance(shard) { try fill(lanes, shard) }
      lanes.play(shard)
    }
  }

  private func begin(at number: Int, _ direction: FuseReader.Direction) throws(FuseError) {
    if scans == nil { scans = try owner.scans(of: set, from: number, direction) }
    let lanes = ShardLanes(set.shardCount, isDescending: direction == .descending, sharedByteCount: sharedByteCount)
    for shard in 0..<set.shardCount {
      lanes.begin(shard, try set.shard(at: shard), in: owner)
      try fill(lanes, shard)
    }
    lanes.enterAll()
    self.lanes = lanes
  }

  /// Reads the next entries of a shard.
  private func fill(_ lanes: ShardLanes, _ shard: Int) throws(FuseError) {
    let entries = try scans![shard].nextEntries()
    lanes.fill(shard, entries, of: scans![shard].owner)
  }
}

/// The next entries of all shards, and a tree of losers: which shard's is the first of all.
@safe
private final class ShardLanes {
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
      for i in 0..<left { first |= UInt64(unsafe key.load(fromByteOffset: skipped &+ i, as: UInt8.self)) &<< UInt64(56 &- 8 &* i) }
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
    guard unsafe !left.isAtEnd, unsafe !right.isAtEnd else { return unsafe right.isAtEnd && (!left.isAtEnd || one < other) }
    // SAFETY: both keys have so many bytes, and are there.
    let order = unsafe RawSpan(_unsafeStart: left.key, byteCount: left.keyCount).compare(
      RawSpan(_unsafeStart: right.key, byteCount: right.keyCount))
    return order == 0 ? one < other : (order < 0) != isDescending
  }
}

extension FuseReader {
  /// A scan of a set, made of those of its shards.
  func scan(
    of set: ShardedReader, _ direction: Direction, sharedByteCount: Int = 0,
    _ part: (FuseReader) throws(FuseError) -> Scan
  ) throws(FuseError) -> Scan {
    try set.openAll()
    var scans: [Scan] = []
    for number in 0..<set.shardCount { scans.append(try part(set.shard(at: number))) }
    return Scan(self, merging: scans, direction, sharedByteCount: sharedByteCount)
  }

  /// Scans of all shards that begin with the key of a number among all.
  fileprivate func scans(of set: ShardedReader, from number: Int, _ direction: Direction) throws(FuseError) -> [Scan] {
    try set.openAll()
    let before = try ranks(before: direction == .ascending ? number : number + 1, of: set)
    var scans: [Scan] = []
    for (number, rank) in before.enumerated() {
      let shard = try set.shard(at: number)
      scans.append(try shard.entries(numbered: direction == .ascending ? rank..<shard.keyCount : 0..<rank, direction))
    }
    return scans
  }

  /// How many of the first keys of all each shard has: in sum, as many as are asked for.
  private func ranks(before number: Int, of set: ShardedReader) throws(FuseError) -> [Int] {
    var lower = [Int](repeating: 0, count: set.shardCount)
    if number <= 0 { return lower }
    var upper = set.manifest.shards.map(\.keyCount)
    if number >= upper.reduce(0, +) { return upper }
    while lower.reduce(0, +) < number {
      // The middle key of the shard of which least is known.
      let widest = lower.indices.max { upper[$0] - lower[$0] < upper[$1] - lower[$1] }!
      guard lower[widest] < upper[widest] else { throw changed(at: 0) }
      let middle = lower[widest] + (upper[widest] - lower[widest]) / 2
      let key = try set.shard(at: widest).entry(number: middle).key
      var ranks: [Int] = []
      for shard in 0..<set.shardCount {
        ranks.append(
          shard == widest ? middle : try set.shard(at: shard).position(ofFirstKeyNotBefore: key.rawSpan).number)
      }
      let rank = ranks.reduce(0, +)
      if rank < number {
        // That key is among the first.
        ranks[widest] += 1
        for shard in ranks.indices { lower[shard] = max(lower[shard], min(ranks[shard], upper[shard])) }
      } else {
        for shard in ranks.indices { upper[shard] = min(upper[shard], max(ranks[shard], lower[shard])) }
        if rank == number { return upper }
      }
    }
    return lower
  }

  /// Where the first key of all stands that is not before `key`, or that does not begin with it either.
  func searchShards(_ key: RawSpan, _ goal: SearchGoal, of set: ShardedReader) throws(FuseError) -> SearchResult {
    var number = 0
    for shard in 0..<set.shardCount { number += try set.shard(at: shard).search(key, goal).position.number }
    return SearchResult(position: Position(number: number, offset: 0), previous: nil, stride: 0)
  }

  /// A number for an entry of a set; see ``place(of:numbered:)``. It orders the keys of each shard.
  func place(of entry: Entry, in set: ShardedReader) throws(FuseError) -> UInt64 {
    let number = Self.parts(of: entry.objectOffset).shard
    let shard = try set.shard(at: number)
    let key = try entry.keyBytes
    return Self.offset(UInt64(try shard.position(ofFirstKeyNotBefore: key).number), inShard: number)
  }

  /// The entry of such a number.
  func entry(atPlace place: UInt64, in set: ShardedReader) throws(FuseError) -> Entry {
    let (number, own) = Self.parts(of: place)
    let found = try set.shard(at: number).entry(number: Int(own))
    let owner = forEntries()
    return Entry(reader: owner, entry: try owner.entry(found.entry, of: found.reader, number, once: false))
  }
}
