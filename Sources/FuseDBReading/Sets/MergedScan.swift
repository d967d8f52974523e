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
      block[read] =
        if lanes.isInPlace(shard) {
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
