/// Makes the section `HASH` of a key index. See spec/extension.md §5 and spec/decisions/0008-hash-section.md.
///
/// Keys that share a place in the pilots' table form a bucket. The buckets of a part are placed one after the other,
/// large ones first, each by the smallest pilot that leads all its keys to free slots. Parts do not depend on each
/// other, so all processors work on them.
struct HashSectionBuilder {
  private static let seedsToTry: UInt64 = 64
  static let mostKeysInBucket = 255

  private let keys: IndexedKeys
  private let lanes: HashSection.Lanes
  private let threadCount: Int

  /// - Parameter lanes: how wide slots are; tests ask for wide ones in small files.
  init(_ keys: IndexedKeys, lanes: HashSection.Lanes? = nil, threadCount: Int = Parallel.processorCount) {
    self.keys = keys
    self.lanes = lanes ?? (keys.range.upperBound < 1 << 32 ? .seven : .five)
    self.threadCount = threadCount
  }

  /// The section's bytes, or nil when no seed suits the keys.
  ///
  /// - Complexity: O(keys), on average.
  func build() throws(FuseError) -> ZeroedMemory? {
    // The fields of five lanes can name no place behind this, and all ones mark a free slot.
    guard UInt64(keys.range.count) < HashLine.freeEntry(.five) else { return nil }
    for attempt in 0..<Self.seedsToTry {
      let section = HashSection(keyCount: keys.count, lanes: lanes, seed: seed(ofAttempt: attempt))
      guard let buckets = KeyBuckets(of: keys, section, threadCount: threadCount) else { continue }
      let memory = try ZeroedMemory(byteCount: section.sectionByteCount)
      let header = section.bytes
      for (i, byte) in header.enumerated() { unsafe memory.start.storeBytes(of: byte, toByteOffset: i, as: UInt8.self) }
      let placed = Parallel.map(Int(section.partCount), threadCount: threadCount) { part in
        var search = PilotSearch(section, part: part, of: buckets, in: memory)
        return search.run(keys)
      }
      if placed.allSatisfy({ $0 }) { return memory }
    }
    return nil
  }

  /// The first seed is 0. Further ones depend on all keys, so that nobody can choose keys against them.
  private func seed(ofAttempt attempt: UInt64) -> UInt64 {
    guard attempt > 0 else { return 0 }
    let mapping = keys.mapping
    return mapping.bytes.extracting(keys.range).hash(seed: attempt)
  }
}
