/// Keys sorted by the place of their pilot: those with the same one form a bucket. See spec/extension.md §5, X11.
struct KeyBuckets: Sendable {
  /// Where each bucket begins in `numbers` and `hashes`; one more than there are buckets.
  let starts: [UInt32]
  /// Keys, bucket by bucket.
  let numbers: [UInt32]
  /// Their hashes.
  let hashes: [UInt64]

  /// Hashes all keys and sorts them. Nil when a bucket is larger than any pilot could place.
  init?(of keys: IndexedKeys, _ section: HashSection, threadCount: Int) {
    let bucketCount = Int(section.pilotLineCount) * HashSection.pilotsPerLine
    let hashes = Self.hashes(of: keys, seed: section.seed, threadCount: threadCount)
    var starts = [UInt32](repeating: 0, count: bucketCount + 1)
    for hash in hashes { starts[section.bucket(of: hash) + 1] += 1 }
    guard starts.allSatisfy({ $0 <= HashSectionBuilder.mostKeysInBucket }) else { return nil }
    for bucket in 0..<bucketCount { starts[bucket + 1] += starts[bucket] }
    var next = starts
    var numbers = [UInt32](repeating: 0, count: keys.count)
    var sorted = [UInt64](repeating: 0, count: keys.count)
    for (number, hash) in hashes.enumerated() {
      let bucket = section.bucket(of: hash)
      let place = Int(next[bucket])
      next[bucket] += 1
      numbers[place] = UInt32(number)
      sorted[place] = hash
    }
    self.starts = starts
    self.numbers = numbers
    self.hashes = sorted
  }

  private static func hashes(of keys: IndexedKeys, seed: UInt64, threadCount: Int) -> [UInt64] {
    let step = max(1 << 14, keys.count / 256 + 1)
    let parts = Array(stride(from: 0, to: keys.count, by: step))
    let hashes = Parallel.map(parts.count, threadCount: threadCount) { part in
      (parts[part]..<min(keys.count, parts[part] + step)).map { keys.hash($0, seed: seed) }
    }
    return Array(hashes.joined())
  }
}

extension HashSection {
  /// The number of a hash's bucket: that of its pilot.
  @inline(__always)
  func bucket(of hash: UInt64) -> Int {
    let (line, place) = pilotPlace(of: hash)
    return Int(truncatingIfNeeded: line) &* Self.pilotsPerLine &+ Int(truncatingIfNeeded: place)
  }
}
