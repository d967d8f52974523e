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
  /// A scan for each shard, from where the next entry is read; nil until it is known where they begin.
  private var scans: [Scan]?
  private var heads: [ShardHead] = []
  /// The loser of each match between two subtrees, and at 0 the winner of all.
  private var tree: [Int32] = []
  private var isDescending = false
  /// How many bytes all keys begin with, so that heads compare what follows.
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
    copy.heads = heads
    copy.tree = tree
    copy.isDescending = isDescending
    return copy
  }

  override func read(
    _ count: Int, from number: Int, _ direction: FuseReader.Direction, for reader: FuseReader,
    into block: inout [IndexEntry], _ read: inout Int
  ) throws(FuseError) {
    if tree.isEmpty { try begin(at: number, direction) }
    while read < count {
      let winner = Int(tree[0])
      let head = heads[winner]
      guard !head.isAtEnd, let entry = head.entry else { throw reader.changed(at: 0) }
      block[read] = try reader.entry(entry, of: scans![winner].owner, winner, once: false)
      read += 1
      try advance(winner)
      play(winner)
    }
  }

  private func begin(at number: Int, _ direction: FuseReader.Direction) throws(FuseError) {
    isDescending = direction == .descending
    if scans == nil { scans = try owner.scans(of: set, from: number, direction) }
    let shardCount = set.shardCount
    heads = [ShardHead](repeating: ShardHead(), count: shardCount)
    for shard in 0..<shardCount { try advance(shard) }
    // Each leaf plays up to where it loses; the last one that comes by has its winner stay.
    tree = [Int32](repeating: -1, count: shardCount)
    for shard in (0..<shardCount).reversed() { enter(shard) }
  }

  /// Has a shard's next entry as its head.
  private func advance(_ shard: Int) throws(FuseError) {
    guard let entry = try scans![shard].nextEntry() else { return heads[shard] = ShardHead(isAtEnd: true) }
    let mapping = scans![shard].owner.mapping
    // SAFETY: the scan keeps the key until its next entry is read.
    heads[shard] = ShardHead(
      entry: entry, key: unsafe mapping.bytes(from: entry.offset &+ 2, count: entry.keyByteCount), droppingFirst: sharedByteCount)
  }

  private func enter(_ shard: Int) {
    var winner = Int32(truncatingIfNeeded: shard)
    var node = (shard + heads.count) / 2
    while node > 0 {
      // A subtree that has no player yet waits for one.
      if tree[node] < 0 { return tree[node] = winner }
      if isBefore(Int(tree[node]), Int(winner)) { swap(&tree[node], &winner) }
      node /= 2
    }
    tree[0] = winner
  }

  @inline(__always)
  private func play(_ shard: Int) {
    var winner = Int32(truncatingIfNeeded: shard)
    var node = (shard + heads.count) / 2
    while node > 0 {
      if isBefore(Int(tree[node]), Int(winner)) { swap(&tree[node], &winner) }
      node /= 2
    }
    tree[0] = winner
  }

  /// Whether the head of one shard comes before that of another. Of equal keys, which a sound set has not, that of the smaller number.
  @inline(__always)
  private func isBefore(_ one: Int, _ other: Int) -> Bool {
    let (left, right) = (heads[one], heads[other])
    guard !left.isAtEnd, !right.isAtEnd else { return right.isAtEnd && (!left.isAtEnd || one < other) }
    if left.first != right.first { return (left.first < right.first) != isDescending }
    let order = left.compare(right)
    return order == 0 ? one < other : (order < 0) != isDescending
  }
}

/// The next entry of a shard.
@safe
private struct ShardHead {
  var entry: IndexEntry?
  /// The first eight bytes of the key after those that all have, as a number that orders as they do.
  var first: UInt64 = 0
  var isAtEnd = false
  // SAFETY: the key stays until the next entry of its shard is read, which makes another head.
  private nonisolated(unsafe) var key: UnsafeRawPointer?
  private var count = 0

  init(isAtEnd: Bool = false) {
    unsafe key = nil
    self.isAtEnd = isAtEnd
  }

  init(entry: IndexEntry, key: RawSpan, droppingFirst shared: Int) {
    self.entry = entry
    count = key.byteCount
    unsafe self.key = key.withUnsafeBytes { $0.baseAddress }
    let rest = key.extracting(droppingFirst: min(shared, count))
    if rest.byteCount >= 8 {
      first = rest.loadInside(at: 0, as: UInt64.self)
    } else {
      for i in 0..<rest.byteCount { first |= UInt64(rest.loadInside(at: i, as: UInt8.self)) &<< UInt64(56 &- 8 &* i) }
    }
  }

  func compare(_ other: ShardHead) -> Int {
    // SAFETY: both keys have so many bytes, and are there; an empty one has no address.
    let left = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: key, count: count))
    let right = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: other.key, count: other.count))
    return left.compare(right)
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
