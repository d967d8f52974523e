internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Merges runs of keys into one: each key once, in key order, with the addition that counts; or with all of its additions, in
/// their order, where they are collected.
struct KeyMerge: ~Copyable {
  private var tree: LoserTree<SortedRunsCursor>
  private let policy: FuseWriter.DuplicatePolicy
  private let conflicts: MergeConflicts?
  /// Whether the last key is counted as a duplicate already.
  private var isDuplicate = false

  /// Additions of a key that was there already; with `conflicts`, keys that have different objects.
  private(set) var duplicateCount = 0
  /// Of these: keys that got a new object.
  private(set) var combinedCount = 0
  /// The first few duplicates in key order.
  private(set) var duplicates: [DuplicateKey] = []
  private static let mostDuplicates = 5

  /// - Parameter conflicts: where the keys are those of files, what tells a conflict from the same object.
  init(
    _ cursors: [SortedRunsCursor], policy: FuseWriter.DuplicatePolicy, conflicts: MergeConflicts?
  ) throws(FuseError) {
    tree = try LoserTree(cursors)
    self.policy = policy
    self.conflicts = conflicts
  }

  /// Appends keys to `batch` until it is full. Returns false when there are no more.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` when a run cannot be read; `duplicateKey` under
  ///   ``FuseWriter/DuplicatePolicy/error``, and ``duplicates`` says which; what ``MergeConflicts`` throws.
  mutating func fill(_ batch: KeyBatch) throws(FuseError) -> Bool {
    while true {
      let head = tree.head
      guard !head.isAtEnd else {
        try settle(batch)
        return false
      }
      let key = head.keyBytes
      if policy != .collect, batch.endsIn(key) {
        try settleDuplicate(head, in: batch)
      } else {
        // The last key stays until the next is known to be another.
        if isDuplicate { try settle(batch) }
        guard batch.append(key, object: head.object, position: head.position) else { return true }
      }
      try tree.advance()
    }
  }

  /// All additions of the last key have come.
  private mutating func settle(_ batch: KeyBatch) throws(FuseError) {
    defer { isDuplicate = false }
    guard let conflicts, conflicts.combines, isDuplicate else { return }
    let isNew = try conflicts.settle(batch)
    combinedCount += isNew ? 1 : 0
    guard !isNew, duplicateCount == duplicates.count, var last = duplicates.popLast() else { return }
    // The function took the object of one file.
    last.kept = batch.lastPosition
    last.dropped = last.combined.first { $0 != last.kept } ?? last.dropped
    last.combined = []
    duplicates.append(last)
  }

  /// The same key again: positions ascend, so the one before is the first, and this one the last so far.
  @inline(never)
  private mutating func settleDuplicate(_ head: KeyHead, in batch: KeyBatch) throws(FuseError) {
    if let conflicts {
      // The same object from two files is none.
      guard try conflicts.differs(batch, from: head) else { return }
    }
    note(head, in: batch)
    isDuplicate = true
    if let conflicts, conflicts.combines { return try conflicts.combine(batch, with: head) }
    switch policy {
    case .first, .collect: break
    case .last: batch.replaceLast(object: head.object, position: head.position)
    case .error:
      let key = head.keyBytes
      throw FuseError(
        .duplicateKey,
        "the key \(quoted(key)) was added before; keep one of them, or let the first or the last count",
        offset: head.position)
    }
  }

  /// Counts a duplicate, and remembers the first few. Of files, keys are counted, not additions.
  private mutating func note(_ head: KeyHead, in batch: KeyBatch) {
    let before = batch.lastPosition
    let keepsThis = policy == .last
    let combines = conflicts?.combines ?? false
    if conflicts != nil, isDuplicate {
      guard duplicateCount == duplicates.count else { return }
      if combines {
        duplicates[duplicateCount - 1].combined.append(head.position)
      } else if keepsThis {
        duplicates[duplicateCount - 1].kept = head.position
      }
      return
    }
    duplicateCount += 1
    if duplicates.count < Self.mostDuplicates {
      let key = head.keyBytes
      duplicates.append(
        DuplicateKey(
          key: key.array(), kept: keepsThis ? head.position : before, dropped: keepsThis ? before : head.position,
          combined: combines ? [before, head.position] : []))
    }
  }
}
