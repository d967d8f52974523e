internal import CFuseIntrinsics
internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// The exact-match index: which entry holds a key, in one probe of one cache line.
///
/// Buckets as in ``Bucket``; a full one overflows into the next. Hash: XXH3-64 with a seed; its upper bits choose the
/// bucket and its lowest are the tag. See spec/decisions/0002-open-checks-and-memory-index.md.
@safe
struct MemoryIndex: Sendable {
  /// The share of slots that are taken: fewer would cost memory, more would cost second probes.
  private static let loadFactor = 0.8
  /// A chain of full buckets longer than this makes the builder take another seed.
  private static let longestChain = 64

  let seed: UInt64
  let bucketCount: Int
  private let memory: ZeroedMemory
  // SAFETY: the memory's first byte, here too so that a look-up has one load less; the memory lives as long as this
  // value.
  private nonisolated(unsafe) let buckets: UnsafeMutableRawPointer

  /// Makes an empty index with room for `keyCount` keys.
  init(keyCount: Int, seed: UInt64) throws(FuseError) {
    self.seed = seed
    bucketCount = max(1, Int((Double(keyCount) / (Self.loadFactor * Double(Bucket.slotCount))).rounded(.up)))
    memory = try ZeroedMemory(byteCount: bucketCount * Bucket.byteCount)
    // SAFETY: the memory that this points to is kept beside the pointer.
    unsafe buckets = memory.start
  }

  /// The bucket in which the search for a hash begins.
  @inline(__always)
  private func home(of hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(truncatingIfNeeded: bucketCount)).high)
  }

  @inline(__always)
  private func after(_ bucket: Int) -> Int { bucket &+ 1 == bucketCount ? 0 : bucket &+ 1 }

  /// Asks for the cache line of a hash.
  @inline(__always)
  func prefetch(_ hash: UInt64) {
    // SAFETY: a home is below bucketCount, and the memory has that many buckets.
    unsafe fuse_prefetch(buckets + home(of: hash) &* Bucket.byteCount)
  }

  /// The bucket in which the search for a key begins.
  @unsafe
  func home(of key: RawSpan) -> UnsafeRawPointer {
    // SAFETY: a home is below bucketCount, and the memory has that many buckets.
    unsafe UnsafeRawPointer(buckets + home(of: key.hash(seed: seed)) &* Bucket.byteCount)
  }

  /// Adds an entry. Returns false when the chain of full buckets is too long: the keys suit another seed.
  @inline(__always)
  func insert(hash: UInt64, offset: Int) -> Bool {
    var bucket = home(of: hash)
    for _ in 0..<Self.longestChain {
      // SAFETY: bucket numbers are below bucketCount, and the memory has that many. `next` gives slots of a bucket.
      let start = unsafe buckets + bucket &* Bucket.byteCount
      var free = unsafe Bucket.matches(0, in: start)
      if let slot = Bucket.next(&free) {
        unsafe Bucket.fill(slot, of: start, tag: Bucket.tag(of: hash), offset: offset)
        return true
      }
      bucket = after(bucket)
    }
    return false
  }

  /// Calls `match` with the offset of each entry that carries the tag of `hash`, until it returns something.
  @inline(__always)
  func first<Result>(hash: UInt64, _ match: (Int) throws(FuseError) -> Result?) throws(FuseError) -> Result? {
    var bucket = home(of: hash)
    let tag = Bucket.tag(of: hash)
    for _ in 0..<Self.longestChain {
      // SAFETY: bucket numbers are below bucketCount, and the memory has that many. `next` gives slots of a bucket.
      let start = unsafe UnsafeRawPointer(buckets + bucket &* Bucket.byteCount)
      var matches = unsafe Bucket.matches(tag, in: start)
      while let slot = Bucket.next(&matches) {
        if let found = try match(unsafe Bucket.offset(slot, in: start)) { return found }
      }
      guard unsafe Bucket.isFull(start) else { return nil }
      bucket = after(bucket)
    }
    return nil
  }

  /// The offset of the first entry in its home bucket that carries the tag of `hash`: mostly that of its key.
  @inline(__always)
  func firstOffset(hash: UInt64) -> Int? {
    // SAFETY: a home is below bucketCount, and the memory has that many buckets. `next` gives slots of a bucket.
    let start = unsafe UnsafeRawPointer(buckets + home(of: hash) &* Bucket.byteCount)
    var matches = unsafe Bucket.matches(Bucket.tag(of: hash), in: start)
    return Bucket.next(&matches).map { unsafe Bucket.offset($0, in: start) }
  }

  /// Whether a key of hash `stored` can have been put where a search for `hash` comes across it. If not, the stored
  /// key is no longer what was hashed.
  func isPlausible(_ stored: UInt64, nextTo hash: UInt64) -> Bool {
    let distance = abs(home(of: stored) - home(of: hash))
    return Bucket.tag(of: stored) == Bucket.tag(of: hash) && min(distance, bucketCount - distance) < Self.longestChain
  }
}

extension MemoryIndex {
  /// More seeds than distinct keys could ever need; equal keys, which the check of the index refuses, suit none.
  private static let seedsToTry: UInt64 = 16

  /// Makes an index of the `keyCount` entries from `start` on, or of as many as there are.
  ///
  /// - Complexity: O(bytes of the entries).
  init(of file: RawSpan, from start: Int, keyCount: Int) throws(FuseError) {
    // The writer of the file cannot know the seed, so keys cannot be chosen to crowd one bucket.
    let first = UInt64.random(in: 0 ... .max)
    for seed in (0..<Self.seedsToTry).map({ first &+ $0 }) {
      var filler = Filler(try MemoryIndex(keyCount: keyCount, seed: seed))
      var offset = start
      for number in 0..<keyCount {
        if number & 0xFFFF == 0 { try Cancellation.check() }
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
