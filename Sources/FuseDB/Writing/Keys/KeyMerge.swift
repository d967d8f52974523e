/// Merges runs of keys into one: each key once, in key order, with the addition that counts.
///
/// A tree of losers (Knuth, "The Art of Computer Programming", volume 3, 5.4.1): the leaf of each run, in each inner
/// node the run that lost there, so that a step compares once on each level.
@safe
struct KeyMerge: ~Copyable {
  private let cursors: [KeyCursor]
  /// The runs that lost, the winner of all at 0.
  private var losers: [Int]
  private var isAtEnd: [Bool]
  private let policy: FuseWriter.DuplicatePolicy

  /// Additions of a key that was there already.
  private(set) var duplicateCount = 0
  /// The first few of them in key order.
  private(set) var duplicates: [DuplicateKey] = []
  private static let mostDuplicates = 5

  init(_ cursors: [KeyCursor], policy: FuseWriter.DuplicatePolicy) throws(FuseError) {
    self.cursors = cursors
    self.policy = policy
    losers = [Int](repeating: -1, count: max(1, cursors.count))
    isAtEnd = []
    for cursor in cursors { isAtEnd.append(try !cursor.advance()) }
    for run in cursors.indices { settle(run) }
  }

  /// Lets a run that has a new key, or has begun, find its place in the tree.
  private mutating func settle(_ run: Int) {
    var winner = run
    var node = (run + cursors.count) / 2
    while node > 0 {
      let other = losers[node]
      if other < 0 {
        // While the tree is built, the first to come waits for the other.
        losers[node] = winner
        return
      }
      if precedes(other, winner) {
        losers[node] = winner
        winner = other
      }
      node /= 2
    }
    losers[0] = winner
  }

  /// Whether the key of a run comes before that of another.
  @inline(__always)
  private func precedes(_ left: Int, _ right: Int) -> Bool {
    if isAtEnd[left] || isAtEnd[right] { return !isAtEnd[left] }
    let (left, right) = (cursors[left], cursors[right])
    if left.prefix != right.prefix { return left.prefix < right.prefix }
    let order = Self.compare(left, right)
    return order != 0 ? order < 0 : left.place < right.place
  }

  private static func compare(_ left: KeyCursor, _ right: KeyCursor) -> Int {
    // SAFETY: a cursor's key is valid until it advances.
    let leftKey = unsafe RawSpan(_unsafeStart: left.key, byteCount: left.keyByteCount)
    let rightKey = unsafe RawSpan(_unsafeStart: right.key, byteCount: right.keyByteCount)
    return leftKey.compare(rightKey)
  }

  /// Appends keys to `batch` until it is full. Returns false when there are no more.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` when a run cannot be read; `duplicateKey` under
  ///   ``FuseWriter/DuplicatePolicy/error``, and ``duplicates`` says which.
  mutating func fill(_ batch: KeyBatch) throws(FuseError) -> Bool {
    guard !cursors.isEmpty else { return false }
    while true {
      let run = losers[0]
      guard !isAtEnd[run] else { return false }
      let cursor = cursors[run]
      // SAFETY: the cursor's key is valid until it advances.
      let key = unsafe RawSpan(_unsafeStart: cursor.key, byteCount: cursor.keyByteCount)
      if batch.endsIn(key) {
        try settleDuplicate(cursor, of: key, in: batch)
      } else {
        // The last key stays until the next is known to be another.
        guard batch.append(key, object: cursor.object, place: cursor.place) else { return true }
      }
      isAtEnd[run] = try !cursor.advance()
      settle(run)
    }
  }

  /// The same key again: places ascend, so the one before is the first, and this one the last so far.
  @inline(never)
  private mutating func settleDuplicate(
    _ cursor: KeyCursor, of key: RawSpan, in batch: KeyBatch
  ) throws(FuseError) {
    duplicateCount += 1
    let before = batch.lastPlace
    let keepsThis = policy == .last
    if duplicates.count < Self.mostDuplicates {
      duplicates.append(
        DuplicateKey(
          key: key.array(), kept: keepsThis ? cursor.place : before, dropped: keepsThis ? before : cursor.place))
    }
    switch policy {
    case .first: break
    case .last: batch.replaceLast(object: cursor.object, place: cursor.place)
    case .error:
      throw FuseError(
        .duplicateKey,
        "the key \(quoted(key)) was added before; keep one of them, or let the first or the last count",
        offset: cursor.place)
    }
  }
}
