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
  /// the last entry. [I2] [I3] [I4] [I5] [E1]
  ///
  /// - Complexity: O(bytes of the index); 10.25 bytes of memory a key.
  init(of file: RawSpan, header: Header) throws(FuseError) {
    let keyCount = Int(header.keyCount)
    let start = Int(header.indexOffset)
    // Before anything is allocated by that number: so many entries need so many bytes. [I2]
    guard keyCount <= (file.byteCount - start) / IndexEntry.overhead else {
      throw .corrupted(
        "the header counts \(keyCount) keys, and \(file.byteCount - start) bytes of index cannot hold so many",
        at: Header.Field.keyCount)
    }
    guard file.byteCount <= HashIndex.largestOffset else {
      throw FuseError(.limitExceeded, "the file is larger than 2^48 bytes, and the index in memory cannot address that")
    }
    var samples: [UInt64] = []
    samples.reserveCapacity(keyCount / Self.stride + 1)
    try Self.check(file, header: header, samples: &samples)
    self.samples = samples

    var seed = fuse_random()
    while true {
      if let hash = Self.hashIndex(of: file, from: start, keyCount: keyCount, seed: seed) {
        self.hash = hash
        return
      }
      seed &+= 1
    }
  }

  private static func check(_ file: RawSpan, header: Header, samples: inout [UInt64]) throws(FuseError) {
    var offset = Int(header.indexOffset)
    let objects = header.dataOffset...max(header.dataOffset, header.indexOffset &- UInt64(ObjectRecord.overhead))
    let noObjects = header.indexOffset < header.dataOffset + UInt64(ObjectRecord.overhead)
    var previous = file.extracting(0..<0)
    for number in 0..<Int(header.keyCount) {
      guard let entry = IndexEntry(at: offset, in: file) else {
        throw .corrupted("index entry \(number) runs past the end of the file", at: offset)
      }
      let key = file.extracting(entry.keyRange)
      guard number == 0 || previous.compare(key) < 0 else {
        throw .corrupted("the key of index entry \(number) does not come after the one before it", at: offset)
      }
      guard objects.contains(entry.objectOffset), !noObjects else {
        throw .corrupted("index entry \(number) points at \(entry.objectOffset), outside the data section", at: offset)
      }
      if number % stride == 0 { samples.append(UInt64(offset)) }
      previous = key
      offset = entry.end
    }
    guard offset == file.byteCount else {
      throw .corrupted(
        "\(file.byteCount - offset) bytes follow the last of \(header.keyCount) keys; the header's count or the file is damaged",
        at: offset)
    }
  }

  /// Puts every key into a hash index, or returns nil where `seed` does not suit them.
  private static func hashIndex(of file: RawSpan, from start: Int, keyCount: Int, seed: UInt64) -> HashIndex? {
    let index = HashIndex(keyCount: keyCount, seed: seed)
    // The buckets lie anywhere in memory: each is asked for some entries before it is written.
    let ahead = 16
    var waiting = [(hash: UInt64, offset: Int)](repeating: (0, 0), count: ahead)
    var offset = start
    for number in 0..<keyCount + ahead {
      let place = number % ahead
      if number >= ahead, !index.insert(hash: waiting[place].hash, offset: waiting[place].offset) { return nil }
      // The check has been over all entries, so there is one while keys are left.
      guard number < keyCount, let entry = IndexEntry(at: offset, in: file) else { continue }
      let hash = file.extracting(entry.keyRange).hash(seed: seed)
      index.prefetch(hash)
      waiting[place] = (hash, offset)
      offset = entry.end
    }
    return index
  }
}
