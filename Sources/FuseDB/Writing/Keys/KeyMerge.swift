/// Merges runs of keys into one: each key once, in key order, with the addition that counts.
struct KeyMerge: ~Copyable {
  private var tree: LoserTree<KeyCursor>
  private let policy: FuseWriter.DuplicatePolicy

  /// Additions of a key that was there already.
  private(set) var duplicateCount = 0
  /// The first few of them in key order.
  private(set) var duplicates: [DuplicateKey] = []
  private static let mostDuplicates = 5

  init(_ cursors: [KeyCursor], policy: FuseWriter.DuplicatePolicy) throws(FuseError) {
    tree = try LoserTree(cursors)
    self.policy = policy
  }

  /// Appends keys to `batch` until it is full. Returns false when there are no more.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` when a run cannot be read; `duplicateKey` under
  ///   ``FuseWriter/DuplicatePolicy/error``, and ``duplicates`` says which.
  mutating func fill(_ batch: KeyBatch) throws(FuseError) -> Bool {
    while true {
      let head = tree.head
      guard !head.isAtEnd else { return false }
      let key = head.keyBytes
      if batch.endsIn(key) {
        try settleDuplicate(head, in: batch)
      } else {
        // The last key stays until the next is known to be another.
        guard batch.append(key, object: head.object, place: head.place) else { return true }
      }
      try tree.advance()
    }
  }

  /// The same key again: places ascend, so the one before is the first, and this one the last so far.
  @inline(never)
  private mutating func settleDuplicate(_ head: KeyHead, in batch: KeyBatch) throws(FuseError) {
    duplicateCount += 1
    let before = batch.lastPlace
    let keepsThis = policy == .last
    let key = head.keyBytes
    if duplicates.count < Self.mostDuplicates {
      duplicates.append(
        DuplicateKey(
          key: key.array(), kept: keepsThis ? head.place : before, dropped: keepsThis ? before : head.place))
    }
    switch policy {
    case .first: break
    case .last: batch.replaceLast(object: head.object, place: head.place)
    case .error:
      throw FuseError(
        .duplicateKey,
        "the key \(quoted(key)) was added before; keep one of them, or let the first or the last count",
        offset: head.place)
    }
  }
}
