internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension MemoryIndex {
  /// More seeds than distinct keys could ever need; equal keys, which the check of the index refuses, suit none.
  private static let seedsToTry: UInt64 = 16

  /// Makes an index of the `keyCount` entries from `start` on, or of as many as there are.
  ///
  /// - Complexity: O(bytes of the entries).
  init(of file: RawSpan, from start: Int, keyCount: Int) throws(FuseError) {
    // Whoever wrote the file cannot know the seed, so keys cannot be chosen to crowd one bucket.
    let first = UInt64.random(in: 0 ... .max)
    for seed in (0..<Self.seedsToTry).map({ first &+ $0 }) {
      var filler = Filler(try MemoryIndex(keyCount: keyCount, seed: seed))
      var offset = start
      for _ in 0..<keyCount {
        guard let entry = IndexEntry(at: offset, in: file) else { break }
        filler.add(file.extracting(entry.keyRange), at: offset)
        offset = entry.end
      }
      if filler.finish() {
        self = filler.index
        return
      }
    }
    throw .corrupted("the keys crowd one bucket of the hash index under every seed", at: start)
  }

  /// Puts keys in. Buckets lie anywhere in memory: each is asked for some keys before it is written.
  private struct Filler {
    private static let ahead = 16

    let index: MemoryIndex
    private var hashes = InlineArray<16, UInt64>(repeating: 0)
    private var offsets = InlineArray<16, Int>(repeating: 0)
    private var count = 0
    private var suits = true

    init(_ index: MemoryIndex) { self.index = index }

    @inline(__always)
    mutating func add(_ key: RawSpan, at offset: Int) {
      let slot = count % Self.ahead
      if count >= Self.ahead { insert(slot) }
      let hash = key.hash(seed: index.seed)
      index.prefetch(hash)
      hashes[slot] = hash
      offsets[slot] = offset
      count &+= 1
    }

    /// Puts in what still waits. Returns false when the seed does not suit the keys.
    mutating func finish() -> Bool {
      for slot in 0..<min(count, Self.ahead) { insert(slot) }
      return suits
    }

    @inline(__always)
    private mutating func insert(_ slot: Int) {
      suits = suits && index.insert(hash: hashes[slot], offset: offsets[slot])
    }
  }
}
