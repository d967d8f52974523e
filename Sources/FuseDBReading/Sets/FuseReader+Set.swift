internal import FuseDBCompact
public import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

// What a reader of a set answers: each question goes to the shards that can have the answer. See spec/sharding.md §5.
//
// An object's offset has the number of its shard in its upper 16 bits. Entries and records count from the first byte of the manifest in memory: those of
// shards lie elsewhere, at a distance that may be negative, as what is expanded of a compact file does.

extension FuseReader {
  /// The set of shards that this reader answers for; nil where it is a file's.
  public var shards: ShardedReader? { shardSet }

  private static let shardShift: UInt64 = 48

  /// The offset of an object in a shard, as one of the set.
  static func offset(_ offset: UInt64, inShard number: Int) -> UInt64 { UInt64(number) &<< shardShift | offset }

  /// The shard of an object's offset, and the offset there.
  static func parts(of offset: UInt64) -> (shard: Int, offset: UInt64) {
    (Int(offset &>> shardShift), offset & (1 &<< shardShift &- 1))
  }

  private func shard(_ number: Int, of set: ShardedReader) throws(FuseError) -> FuseReader {
    guard number < set.shardCount else { throw lacksShard(number) }
    return try set.shard(at: number)
  }

  @inline(never)
  private func lacksShard(_ number: Int) -> FuseError {
    FuseError(.corrupted, "the set has no shard \(number)", path: path)
  }

  /// How far a shard's first byte is from that of the manifest.
  func distance(to shard: FuseReader) -> Int {
    // SAFETY: a distance is a number; nothing is read here.
    unsafe Int(bitPattern: shard.mapping.address(of: 0)) &- Int(bitPattern: mapping.address(of: 0))
  }

  // MARK: Keys

  // SAFETY: the set keeps its shards.
  @inline(never)
  func objectOffset(forKey key: RawSpan, in set: ShardedReader) throws(FuseError) -> UInt64? {
    let number = set.number(of: key)
    let found = try unsafe set.opened(number).guaranteed { shard throws(FuseError) in
      try shard.objectOffset(forKey: key)
    }
    return found.map { Self.offset($0, inShard: number) }
  }

  /// The entry of a key.
  @inline(never)
  func entry(forKey key: RawSpan, in set: ShardedReader) throws(FuseError) -> IndexEntry? {
    let number = set.number(of: key)
    let shard = try set.shard(at: number)
    if shard.isCompact {
      guard let object = try shard.objectOffset(forKey: key) else { return nil }
      return try foundEntry(key, rowOffset: Self.offset(object, inShard: number))
    }
    guard let entry = try shard.entry(ofKey: key) else { return nil }
    return try self.entry(entry, of: shard, number, once: true)
  }

  /// The entry of one key of this file.
  func entry(ofKey key: RawSpan) throws(FuseError) -> IndexEntry? {
    let hash = key.hash(seed: hashSeed)
    return try entry(forKey: key, hash: hash, probe: index.table?.probe(of: hash) ?? .none)
  }

  /// An entry of a shard, as one of the set. What was expanded of a compact shard is copied.
  ///
  /// - Parameter once: whether the key may be kept already.
  func entry(_ entry: IndexEntry, of shard: FuseReader, _ number: Int, once: Bool) throws(FuseError) -> IndexEntry {
    let object = Self.offset(entry.objectOffset, inShard: number)
    guard shard.isCompact else {
      return IndexEntry(
        offset: entry.offset &+ distance(to: shard), keyByteCount: entry.keyByteCount, objectOffset: object)
    }
    let mapping = shard.mapping
    // SAFETY: the shard keeps the bytes of the key until this call ends.
    let key = unsafe mapping.bytes(from: entry.offset &+ 2, count: entry.keyByteCount)
    return once ? try foundEntry(key, rowOffset: object) : try expandedEntry(key, rowOffset: object)
  }

  /// The entry of the longest key of any shard with which a text begins. [GA3]
  func entry(beginning text: RawSpan, in set: ShardedReader, _ work: inout MatchWork) throws(FuseError) -> IndexEntry? {
    var best: IndexEntry?
    for number in 0..<set.shardCount {
      let shard = try set.shard(at: number).forOneCall
      guard let found = try shard.entry(beginning: text, &work) else { continue }
      if let best, best.keyByteCount >= found.keyByteCount { continue }
      best = try entry(found, of: shard, number, once: true)
    }
    return best
  }

  /// Calls `body` for each of some keys, in their order; see ``forEachObjectOffset(ofKeys:in:_:)``. Each shard is asked for its own keys together.
  func forEachObjectOffset(
    ofKeys keys: [Range<Int>], in bytes: RawSpan, of set: ShardedReader,
    _ body: (_ number: Int, _ object: UInt64?) throws(FuseError) -> Void
  ) throws(FuseError) {
    // Where each shard's keys end when all are sorted by their shards.
    var ends = [Int](repeating: 0, count: set.shardCount + 1)
    var shards: [Int32] = []
    shards.reserveCapacity(keys.count)
    for key in keys {
      let shard = set.number(of: bytes.extracting(key))
      shards.append(Int32(truncatingIfNeeded: shard))
      ends[shard + 1] += 1
    }
    for shard in 0..<set.shardCount { ends[shard + 1] += ends[shard] }
    var places = [Int](repeating: 0, count: keys.count)
    for (number, shard) in shards.enumerated() {
      places[ends[Int(shard)]] = number
      ends[Int(shard)] += 1
    }
    var offsets = [UInt64](repeating: .max, count: keys.count)
    var start = 0
    while start < places.count {
      let shard = Int(shards[places[start]])
      let own = places[start..<ends[shard]]
      let first = start
      try set.shard(at: shard).forEachObjectOffset(ofKeys: own.map { keys[$0] }, in: bytes) { number, object in
        if let object { offsets[places[first + number]] = Self.offset(object, inShard: shard) }
      }
      start = ends[shard]
    }
    for (number, offset) in offsets.enumerated() { try body(number, offset == .max ? nil : offset) }
  }

  // SAFETY: the set keeps its shards.
  /// Hashes a key and asks for what the hash leads to. Where its shard cannot be opened, asking for the answer throws.
  func firstStep(of key: RawSpan, in set: ShardedReader) -> LookupStep {
    let number = set.number(of: key)
    guard let shard = try? unsafe set.opened(number) else { return LookupStep(hash: 0).inShard(nil) }
    return unsafe shard._withUnsafeGuaranteedRef { $0.firstStep(of: key, in: $0.index.table) }.inShard(number)
  }

  // SAFETY: the caller has given values to the first `count` steps, and no number here reaches `count`. The set keeps its shards.
  /// Asks for everything that the answers need, in whichever shards they are.
  @unsafe
  func fetch(
    _ steps: UnsafeMutableBufferPointer<LookupStep>, count: Int, in set: ShardedReader, withObjects: Bool
  ) {
    let lineCount: UInt = checksums == .verified ? 2 : 1
    for place in 0..<count {
      let step = unsafe steps[place]
      guard let number = step.shard, let shard = unsafe try? set.opened(number) else { continue }
      var next = step
      unsafe shard._withUnsafeGuaranteedRef { shard in
        if let table = shard.index.table {
          next.probe = table.probe(of: step.hash)
          table.prefetchSlot(next.probe)
        } else if let compact = shard.compact {
          next.probe = shard.compactProbe(of: step.hash, in: compact)
        }
      }
      unsafe steps[place] = next.inShard(number)
    }
    for pass in 0..<2 {
      var isDone = true
      for place in 0..<count {
        let step = unsafe steps[place]
        guard let number = step.shard, let shard = unsafe try? set.opened(number) else { continue }
        unsafe shard._withUnsafeGuaranteedRef { shard in
          if let table = shard.index.table {
            guard pass == 0 else { return }
            let slot = table.slot(step.probe)
            table.prefetchEntry(of: slot)
            if withObjects { shard.mapping.prefetch(at: slot.object, lineCount: lineCount) }
          } else if let compact = shard.compact {
            let position = step.probe.position
            if pass == 0 {
              compact.prefetchBlock(of: step.hash, line: position.line, slot: position.slot)
              isDone = !withObjects
            } else {
              compact.prefetchRow(of: step.hash, line: position.line, slot: position.slot)
            }
          }
        }
      }
      if isDone { return }
    }
  }

  // SAFETY: the set keeps its shards.
  /// Where the record under a key begins, after its other steps.
  func objectOffset(
    forKey key: RawSpan, after step: LookupStep, in set: ShardedReader
  ) throws(FuseError) -> UInt64? {
    guard let number = step.shard else { return try objectOffset(forKey: key, in: set) }
    let own = step.withoutShard
    let found = try unsafe set.opened(number).guaranteed { shard throws(FuseError) in
      try shard.objectOffset(forKey: key, after: own, in: shard.index.table)
    }
    return found.map { Self.offset($0, inShard: number) }
  }

  // MARK: Objects

  /// The record of an object. Its checksum is no checksum: it says which shard it is of, and whether it is there for a call alone.
  func record(at offset: UInt64, in set: ShardedReader, forCall isForCall: Bool) throws(FuseError) -> ObjectRecord {
    let (number, own) = Self.parts(of: offset)
    guard number < set.shardCount else { throw lacksShard(number) }
    let mark = UInt32(truncatingIfNeeded: number) &<< 1
    // SAFETY: the set keeps its shards.
    return try unsafe set.opened(number).guaranteed { shard throws(FuseError) in
      guard shard.isCompact else {
        let record = try shard.record(at: own)
        return ObjectRecord(offset: record.offset &+ distance(to: shard), byteCount: record.byteCount, checksum: mark)
      }
      // What is expanded for longer is kept by this reader, not by the set.
      let keeper = isForCall ? shard : expanded.keeper(of: shard, number)
      let record = try keeper.record(at: own, forCall: isForCall)
      return ObjectRecord(
        offset: record.offset &+ distance(to: shard), byteCount: record.byteCount, checksum: isForCall ? mark | 1 : mark
      )
    }
  }

  // SAFETY: the reference is not used.
  /// Whether the memory of a record for a call is to be given back.
  func isForCall(_ record: ObjectRecord) -> Bool { unsafe uncountedSet == nil || record.checksum & 1 == 1 }

  /// Throws once the file of a record was found to have shrunk.
  @inline(never)
  @usableFromInline
  func checkFile(of record: ObjectRecord) throws(FuseError) {
    // SAFETY: this reader keeps the set, and that its shards.
    guard let set = unsafe uncountedSet else { return }
    try unsafe set.guaranteed { set throws(FuseError) in
      try unsafe set.opened(Int(record.checksum >> 1)).guaranteed { shard throws(FuseError) in
        try shard.mapping.checkNotShrunk()
      }
    }
  }

  /// Throws once the file of any shard that is open was found to have shrunk.
  @inline(never)
  @usableFromInline
  func checkShards() throws(FuseError) {
    guard let set = shardSet else { return }
    for number in 0..<set.shardCount { try set.openedShard(number)?.mapping.checkNotShrunk() }
  }

  /// Calls `body` with the reader of the shard of an offset, and the offset there.
  func inShard<Result>(
    of offset: UInt64, _ set: ShardedReader, _ body: (FuseReader, UInt64) throws -> Result
  ) throws -> Result {
    let (number, own) = Self.parts(of: offset)
    return try body(try shard(number, of: set), own)
  }

  func copyObject(at offset: UInt64, in set: ShardedReader, into bytes: inout [UInt8]) throws(FuseError) {
    let (number, own) = Self.parts(of: offset)
    try shard(number, of: set).copyObject(at: own, into: &bytes)
  }
}

extension Unmanaged {
  // SAFETY: whoever calls this keeps the object.
  /// Calls `body` with the object, without retaining it.
  @inlinable
  @inline(__always)
  @unsafe
  package func guaranteed<Result, Failure: Error>(
    _ body: (Instance) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    do {
      return try unsafe _withUnsafeGuaranteedRef(body)
    } catch {
      // That function forgets which errors `body` throws.
      throw error as! Failure
    }
  }
}

extension ShardedReader {
  /// Where other shards have the same object as one of the set.
  func objects(like offset: UInt64, of reader: FuseReader) throws(FuseError) -> Set<UInt64> {
    var found: Set<UInt64> = []
    let own = FuseReader.parts(of: offset).shard
    var wanted: [UInt8] = []
    try reader.copyObject(at: offset, in: self, into: &wanted)
    for number in 0..<shardCount where number != own {
      var objects = try shard(at: number).objects()
      while let object = try objects.next() {
        let bytes = try object.bytes
        guard bytes.byteCount == wanted.count, bytes.equals(wanted.rawSpan) else { continue }
        found.insert(FuseReader.offset(object.offset, inShard: number))
      }
    }
    return found
  }
}
