internal import FuseDBFormat

/// Which chunks of a version are packed together, and after which of the version before it.
///
/// Chunks that both versions have say where what lies between them was: what took the place of some bytes is packed after these.
struct DeepPlan {
  /// A frame to be.
  struct Job: Sendable {
    var chunks: [FuseStore.PlacedChunk]
    /// In the order of the version before.
    var bases: [FuseStore.PlacedChunk]
  }

  /// So much on both sides of where a chunk should be, by its share of the way between two chunks that both versions have.
  private static let margin = 192 << 10

  private let chunks: [FuseStore.PlacedChunk]
  private let before: [FuseStore.PlacedChunk]
  private let known: [FuseStore.ObjectID: Int]
  private var done: Set<FuseStore.ObjectID> = []
  private var next = 0
  /// Where the last chunk that both have ends, in both.
  private var anchor = (end: 0, old: 0)
  /// Where the next one begins.
  private var following: (number: Int, start: Int, old: Int)?

  init(_ chunks: [FuseStore.PlacedChunk], after before: [FuseStore.PlacedChunk]) {
    self.chunks = chunks
    self.before = before
    known = Dictionary(before.enumerated().map { ($0.element.id, $0.offset) }) { first, _ in first }
  }

  /// The next frame; nil at the end.
  mutating func next(
    isWanted: (FuseStore.PlacedChunk) throws(FuseError) -> Bool
  ) throws(FuseError) -> Job? {
    var job = Job(chunks: [], bases: [])
    var byteCount = 0
    var bases: Set<Int> = []
    var baseByteCount = 0
    while next < chunks.count {
      let chunk = chunks[next]
      if let old = known[chunk.id] {
        let place = before[old]
        anchor = (chunk.start + chunk.byteCount, place.start + place.byteCount)
        next += 1
        continue
      }
      guard chunk.byteCount <= DeepFrame.mostByteCount / 4, !done.contains(chunk.id), try isWanted(chunk) else {
        next += 1
        continue
      }
      guard byteCount + chunk.byteCount <= DeepFrame.mostByteCount else { break }
      let more = neighbours(of: chunk).filter { !bases.contains($0) }
      let moreByteCount = more.reduce(0) { $0 + before[$1].byteCount }
      if baseByteCount + moreByteCount > DeepFrame.mostBaseByteCount {
        if !job.chunks.isEmpty { break }
      } else {
        bases.formUnion(more)
        baseByteCount += moreByteCount
      }
      done.insert(chunk.id)
      job.chunks.append(chunk)
      byteCount += chunk.byteCount
      next += 1
    }
    guard !job.chunks.isEmpty else { return nil }
    var seen: Set<FuseStore.ObjectID> = []
    for number in bases.sorted() where seen.insert(before[number].id).inserted { job.bases.append(before[number]) }
    return job
  }

  /// The chunks of the version before that stand where this one does.
  private mutating func neighbours(of chunk: FuseStore.PlacedChunk) -> [Int] {
    guard let last = before.last else { return [] }
    let (end, oldEnd) = followingAnchor(last.start + last.byteCount)
    // Between the anchors, by shares; behind a move backwards, right after the last one.
    let (whole, old) = (max(1, end - anchor.end), max(0, oldEnd - anchor.old))
    func place(_ position: Int) -> Int {
      anchor.old + Int(Double(position - anchor.end) / Double(whole) * Double(old))
    }
    let start = place(chunk.start) - Self.margin
    let stop = place(chunk.start + chunk.byteCount) + Self.margin
    // The first that ends after the start.
    var (low, high) = (0, before.count)
    while low < high {
      let middle = (low + high) / 2
      if before[middle].start + before[middle].byteCount <= start { low = middle + 1 } else { high = middle }
    }
    var numbers: [Int] = []
    while low < before.count, before[low].start < stop {
      numbers.append(low)
      low += 1
    }
    return numbers
  }

  /// Where the next chunk that both versions have begins, in both; their ends where there is none.
  private mutating func followingAnchor(_ oldEnd: Int) -> (Int, Int) {
    if let following, following.number > next { return (following.start, following.old) }
    for number in next..<chunks.count {
      if let old = known[chunks[number].id] {
        following = (number, chunks[number].start, before[old].start)
        return (chunks[number].start, before[old].start)
      }
    }
    let end = chunks.last.map { $0.start + $0.byteCount } ?? 0
    following = (chunks.count, end, oldEnd)
    return (end, oldEnd)
  }
}
