internal import CFuseIntrinsics

/// Looks a few keys up side by side: while one waits for memory, so do the others, and they wait together.
///
/// Each key goes the same steps as a single look-up: pilot, slot, entry and object. A step asks for the cache lines of
/// all keys before the next step reads them.
@usableFromInline
struct LookupBatch: Sendable {
  /// How many keys are on their way at once: enough to keep the processor's memory requests busy, few enough for what
  /// they ask for to stay in the first-level cache.
  @usableFromInline
  static let capacity = 32

  private let reader: FuseReader
  @usableFromInline
  private(set) var count = 0
  private var hashes = InlineArray<32, UInt64>(repeating: 0)
  private var ways: InlineArray<32, HashTable.Way>

  @usableFromInline
  init(_ reader: FuseReader) {
    self.reader = reader
    ways = InlineArray(repeating: HashTable.Way(pilotLine: 0, place: HashSection.Place(line: 0, lane: 0)))
  }

  /// Takes in a key.
  /// - Precondition: there are fewer than ``capacity``.
  @usableFromInline
  mutating func add(_ key: RawSpan) {
    if let table = reader.index.table {
      let hash = key.hash(seed: table.section.seed)
      table.prefetchPilot(of: hash)
      hashes[count] = hash
    } else if let index = reader.index.memory {
      let hash = key.hash(seed: index.seed)
      index.prefetch(hash)
      hashes[count] = hash
    }
    count += 1
  }

  /// Asks for everything that the answers need.
  @usableFromInline
  mutating func fetch() {
    if let table = reader.index.table {
      for number in 0..<count {
        let way = table.way(of: hashes[number])
        table.prefetchSlot(way)
        ways[number] = way
      }
      for number in 0..<count {
        let slot = table.slot(ways[number])
        table.prefetchEntry(of: slot)
        reader.prefetchObject(at: slot.object)
      }
    } else if let index = reader.index.memory {
      for number in 0..<count { reader.prefetchEntry(at: index.firstOffset(hash: hashes[number])) }
    }
  }

  /// Where the record of a key is that was taken in as the `number`-th.
  @inline(__always)
  func objectOffset(forKey key: RawSpan, _ number: Int) throws(FuseError) -> UInt64? {
    guard let table = reader.index.table else { return try reader.objectOffset(forKey: key) }
    return try reader.objectOffset(forKey: key, hash: hashes[number], way: ways[number], in: table)
  }

  /// Whether a key is there that was taken in as the `number`-th.
  @usableFromInline
  func contains(_ key: RawSpan, _ number: Int) throws(FuseError) -> Bool {
    let offset = try objectOffset(forKey: key, number)
    try reader.checkNotShrunk()
    return offset != nil
  }

  /// Begins anew.
  @usableFromInline
  mutating func removeAll() { count = 0 }
}

extension FuseReader {
  /// The answer to a key that a batch took in as its `number`-th.
  @usableFromInline
  @_lifetime(borrow self)
  func bytes(forKey key: RawSpan, in batch: LookupBatch, _ number: Int) throws(FuseError) -> RawSpan? {
    guard let offset = try batch.objectOffset(forKey: key, number) else { return nil }
    let record = try record(at: offset)
    let mapping = mapping
    // SAFETY: a record lies inside the file; the mapping lives as long as this reader.
    return unsafe _overrideLifetime(mapping.bytes.extracting(unchecked: record.range), borrowing: self)
  }

  /// Asks for the first bytes of an object, which may be anywhere.
  @inline(__always)
  func prefetchObject(at offset: UInt64) {
    let mapping = mapping
    // SAFETY: nothing is read; a prefetch of any address is harmless.
    unsafe mapping.bytes.withUnsafeBytes { file in
      let object = UInt(bitPattern: file.baseAddress) &+ UInt(truncatingIfNeeded: offset)
      fuse_prefetch_address(object)
      fuse_prefetch_address(object &+ 64)
    }
  }

  /// Asks for an index entry.
  @inline(__always)
  func prefetchEntry(at offset: Int?) {
    guard let offset else { return }
    prefetchObject(at: UInt64(truncatingIfNeeded: offset))
  }
}
