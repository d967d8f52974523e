internal import CFuseSystem

/// What one pass over a file's key index yields: proof that it is sound, and the two ways into it.
struct IndexPass: Sendable {
  /// Every how many entries the order samples one.
  static let stride = 32

  /// Finds one key.
  let hash: HashIndex
  /// Where entry 0, 32, 64 … begins: where ordered scans start.
  let samples: [UInt64]

  /// Reads the whole index: every entry inside the file, keys strictly ascending, objects inside the data section, nothing behind
  /// the last entry. [O3] [O4] [O5]
  ///
  /// - Complexity: O(bytes of the index); 10.25 bytes of memory a key.
  init(of file: RawSpan, header: Header) throws(FuseError) {
    let keyCount = Int(header.keyCount)
    let start = Int(header.indexOffset)
    // Before anything is allocated by that number: so many entries need so many bytes. [O4]
    guard keyCount <= (file.byteCount - start) / IndexEntry.overhead else {
      throw .corrupted(
        "the header counts \(keyCount) keys, and \(file.byteCount - start) bytes of index cannot hold so many",
        at: Header.Field.keyCount)
    }
    guard file.byteCount <= Bucket.largestOffset else {
      throw FuseError(.limitExceeded, "the file is larger than 2^48 bytes, and the index in memory cannot address that")
    }
    // Whoever wrote the file cannot know the seed, so keys cannot be chosen to crowd one bucket.
    var filler = HashFiller(try HashIndex(keyCount: keyCount, seed: fuse_random()))
    var samples: [UInt64] = []
    samples.reserveCapacity(keyCount / Self.stride + 1)

    let lastRecord = header.indexOffset &- UInt64(ObjectRecord.overhead)
    let hasRecords = header.indexOffset >= UInt64(Header.byteCount + ObjectRecord.overhead)
    var offset = start
    var previous = 0..<0
    var highestTarget: UInt64 = 0
    for number in 0..<keyCount {
      guard let entry = IndexEntry(at: offset, in: file) else {
        throw .corrupted("index entry \(number) runs past the end of the file", at: offset)
      }
      guard number == 0 || file.isAscending(previous, entry.keyRange) else {
        throw .corrupted("the key of index entry \(number) does not come after the one before it", at: offset)
      }
      guard hasRecords, entry.objectOffset >= UInt64(Header.byteCount), entry.objectOffset <= lastRecord else {
        throw .corrupted("index entry \(number) points at \(entry.objectOffset), outside the data section", at: offset)
      }
      if number % Self.stride == 0 { samples.append(UInt64(offset)) }
      filler.add(file.extracting(entry.keyRange), at: offset)
      previous = entry.keyRange
      highestTarget = max(highestTarget, entry.objectOffset)
      offset = entry.end
    }
    guard offset == file.byteCount else {
      throw .corrupted(
        "\(file.byteCount - offset) bytes follow the last of \(header.keyCount) keys; the header's count or the file is damaged",
        at: offset)
    }
    if keyCount > 0 { try Self.checkRecords(from: highestTarget, until: start, in: file) }
    while !filler.finish() {
      filler = HashFiller(try HashIndex(keyCount: keyCount, seed: filler.index.seed &+ 1))
      offset = start
      while let entry = IndexEntry(at: offset, in: file) {
        filler.add(file.extracting(entry.keyRange), at: offset)
        offset = entry.end
      }
    }
    hash = filler.index
    self.samples = samples
  }

  /// The records from `offset` on end where the index begins: a wrong index offset that happens to look like an index is found here. [O5]
  private static func checkRecords(from offset: UInt64, until end: Int, in file: RawSpan) throws(FuseError) {
    var offset = offset
    while offset < UInt64(end) {
      guard let record = ObjectRecord(at: offset, before: end, in: file) else {
        throw .corrupted("the record here does not end before the key index, which begins at \(end)", at: offset)
      }
      offset = UInt64(record.end)
    }
  }
}

/// Puts keys into a hash index. Buckets lie anywhere in memory: each is asked for some keys before it is written.
private struct HashFiller {
  private static let ahead = 16

  let index: HashIndex
  private var hashes = InlineArray<16, UInt64>(repeating: 0)
  private var offsets = InlineArray<16, Int>(repeating: 0)
  private var count = 0
  private var suits = true

  init(_ index: HashIndex) { self.index = index }

  @inline(__always)
  mutating func add(_ key: RawSpan, at offset: Int) {
    let place = count % Self.ahead
    if count >= Self.ahead { insert(place) }
    let hash = key.hash(seed: index.seed)
    index.prefetch(hash)
    hashes[place] = hash
    offsets[place] = offset
    count &+= 1
  }

  /// Puts in what still waits. Returns false when the seed does not suit the keys.
  mutating func finish() -> Bool {
    for place in 0..<min(count, Self.ahead) { insert(place) }
    return suits
  }

  @inline(__always)
  private mutating func insert(_ place: Int) {
    suits = suits && index.insert(hash: hashes[place], offset: offsets[place])
  }
}
