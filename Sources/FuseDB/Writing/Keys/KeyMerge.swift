/// Merges runs of keys into one: each key once, in key order, with the addition that counts.
///
/// A tree of losers (Knuth, "The Art of Computer Programming", volume 3, 5.4.1): the leaf of each run, in each inner
/// node the run that lost there, so that a step compares once on each level.
@safe
struct KeyMerge: ~Copyable {
  private var cursors: [KeyCursor] = []
  /// Of each run, the parts that are not begun, the next one last.
  private var parts: [[KeyRun]]
  private let windowByteCount: Int
  /// The runs that lost, the winner of all at 0.
  private var losers: [Int]
  private var isAtEnd: [Bool]
  private let policy: FuseWriter.DuplicatePolicy
  private let conflicts: MergeConflicts?
  /// Whether the last key counts as a duplicate already.
  private var isDuplicate = false

  /// Additions of a key that was there already; with `conflicts`, keys that have different objects.
  private(set) var duplicateCount = 0
  /// The first few of them in key order.
  private(set) var duplicates: [DuplicateKey] = []
  private static let mostDuplicates = 5

  /// - Parameters:
  ///   - runs: the runs, each in parts that go on where the one before ends.
  ///   - windowByteCount: how much of each run in a file is in memory.
  ///   - conflicts: where the keys are those of files, what tells a conflict from the same object.
  init(
    _ runs: [[KeyRun]], windowByteCount: Int, policy: FuseWriter.DuplicatePolicy, conflicts: MergeConflicts?
  ) throws(FuseError) {
    self.windowByteCount = windowByteCount
    self.policy = policy
    self.conflicts = conflicts
    losers = [Int](repeating: -1, count: max(1, runs.count))
    isAtEnd = []
    parts = runs.map { $0.reversed() }
    for run in runs.indices {
      cursors.append(try KeyCursor(parts[run].removeLast(), windowByteCount: windowByteCount))
      isAtEnd.append(try !advance(run))
    }
    for run in runs.indices { settle(run) }
  }

  /// Goes to the next key of a run; false at its end.
  @inline(__always)
  private mutating func advance(_ run: Int) throws(FuseError) -> Bool {
    if try cursors[run].advance() { return true }
    return try beginPart(of: run)
  }

  @inline(never)
  private mutating func beginPart(of run: Int) throws(FuseError) -> Bool {
    guard let part = parts[run].popLast() else { return false }
    cursors[run] = try KeyCursor(part, windowByteCount: windowByteCount)
    return try advance(run)
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
  ///   ``FuseWriter/DuplicatePolicy/error``, and ``duplicates`` says which; what ``MergeConflicts`` throws.
  mutating func fill(_ batch: KeyBatch) throws(FuseError) -> Bool {
    guard !cursors.isEmpty else { return false }
    while true {
      let run = losers[0]
      guard !isAtEnd[run] else {
        try conflicts?.settle(batch)
        return false
      }
      let cursor = cursors[run]
      // SAFETY: the cursor's key is valid until it advances.
      let key = unsafe RawSpan(_unsafeStart: cursor.key, byteCount: cursor.keyByteCount)
      if batch.endsIn(key) {
        try settleDuplicate(cursor, of: key, in: batch)
      } else {
        // The last key stays until the next is known to be another.
        if isDuplicate {
          try conflicts?.settle(batch)
          isDuplicate = false
        }
        guard batch.append(key, object: cursor.object, place: cursor.place) else { return true }
      }
      isAtEnd[run] = try !advance(run)
      settle(run)
    }
  }

  /// The same key again: places ascend, so the one before is the first, and this one the last so far.
  @inline(never)
  private mutating func settleDuplicate(
    _ cursor: KeyCursor, of key: RawSpan, in batch: KeyBatch
  ) throws(FuseError) {
    let before = batch.lastPlace
    if let conflicts {
      guard try conflicts.differs(batch, from: cursor.object, at: cursor.place) else { return }
    }
    let keepsThis = policy == .last
    if conflicts == nil || !isDuplicate {
      duplicateCount += 1
      if duplicates.count < Self.mostDuplicates {
        duplicates.append(
          DuplicateKey(
            key: key.array(), kept: keepsThis ? cursor.place : before, dropped: keepsThis ? before : cursor.place))
      }
    } else if keepsThis, duplicateCount == duplicates.count {
      duplicates[duplicates.count - 1].kept = cursor.place
    }
    isDuplicate = true
    if let conflicts, conflicts.combines {
      return try conflicts.combine(key, batch, with: cursor.object, at: cursor.place)
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
