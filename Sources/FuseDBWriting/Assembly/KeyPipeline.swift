internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Merges the runs on a thread of its own, where the system has one left, and hands the keys over in batches.
struct KeyPipeline: Sendable {
  private static let batchCount = 6

  /// What the merge found out.
  struct Outcome: Sendable {
    var duplicateCount = 0
    var combinedCount = 0
    var duplicates: [DuplicateKey] = []
    var error: FuseError?
  }

  private let sortedRuns: [SortedRuns]
  private let windowByteCount: Int
  private let policy: FuseWriter.DuplicatePolicy
  private let mostKeys: Int
  private let conflicts: MergeConflicts?

  /// - Parameters:
  ///   - mostKeys: how many keys a file may have.
  ///   - conflicts: as for ``KeyMerge``.
  init(
    _ shards: [WriterShard], _ storage: WriterStorage, policy: FuseWriter.DuplicatePolicy, mostKeys: Int,
    conflicts: MergeConflicts? = nil
  ) throws(FuseError) {
    let plan = storage.plan
    var sortedRuns = shards.flatMap { $0.sortedRuns }
    if sortedRuns.fileCount > plan.fanIn {
      sortedRuns = try sortedRuns.merged(
        fanIn: plan.fanIn, windowByteCount: plan.runWindow(of: plan.fanIn), to: storage.spill.temporaryFile())
    }
    self.sortedRuns = sortedRuns
    windowByteCount = plan.runWindow(of: sortedRuns.fileCount)
    self.policy = policy
    self.mostKeys = mostKeys
    self.conflicts = conflicts
  }

  /// How many keys there are at most,
  var keyCount: Int { sortedRuns.reduce(0) { $0 + $1.keyCount } }
  /// and the length of all.
  var keyByteCount: Int { sortedRuns.reduce(0) { $0 + $1.keyByteCount } }

  /// Calls `body` with all keys in order, batch by batch.
  ///
  /// - Throws: what `body` throws, and `limitExceeded` when there are too many keys. What goes wrong with the runs is
  ///   in the outcome.
  func forEachBatch(_ body: (KeyBatch) throws(FuseError) -> Void) throws(FuseError) -> Outcome {
    let full = BoundedQueue<KeyBatch>(capacity: Self.batchCount)
    let empty = BoundedQueue<KeyBatch>(capacity: Self.batchCount)
    for _ in 0..<Self.batchCount { _ = empty.push(try KeyBatch()) }
    let merge = BackgroundWork(isWorthThread: true) {
      defer { full.close() }
      return merged(filling: empty.pop, giving: full.push)
    }
    // Without a thread, nothing would ever come.
    guard merge.hasThread else { return try forEachBatchHere(body) }
    var keyCount = 0
    do throws(FuseError) {
      while let batch = full.pop() {
        try use(batch, &keyCount, body)
        _ = empty.push(batch)
      }
    } catch {
      full.close()
      empty.close()
      _ = merge.wait()
      throw error
    }
    return merge.wait()
  }

  /// The same on this thread alone.
  private func forEachBatchHere(_ body: (KeyBatch) throws(FuseError) -> Void) throws(FuseError) -> Outcome {
    let batch = try KeyBatch()
    var keyCount = 0
    var failure: FuseError?
    let outcome = merged(filling: { batch }) { batch in
      do throws(FuseError) {
        try use(batch, &keyCount, body)
      } catch {
        failure = error
      }
      return failure == nil
    }
    if let failure { throw failure }
    return outcome
  }

  private func use(
    _ batch: KeyBatch, _ keyCount: inout Int, _ body: (KeyBatch) throws(FuseError) -> Void
  ) throws(FuseError) {
    keyCount += batch.rows.count
    guard keyCount <= mostKeys else {
      throw FuseError(
        .limitExceeded, "there are more than \(mostKeys) keys and the format allows no more; build several files")
    }
    try body(batch)
    batch.removeAll()
  }

  /// Fills the batches that `next` gives and hands them to `give`, until there are no more keys, no batch comes, or
  /// `give` returns false.
  private func merged(filling next: () -> KeyBatch?, giving give: (KeyBatch) -> Bool) -> Outcome {
    var outcome = Outcome()
    do throws(FuseError) {
      var cursors: [SortedRunsCursor] = []
      for runs in sortedRuns { cursors.append(try SortedRunsCursor(runs, windowByteCount: windowByteCount)) }
      var merge = try KeyMerge(cursors, policy: policy, conflicts: conflicts)
      do throws(FuseError) {
        while let batch = next() {
          let goesOn = try merge.fill(batch)
          guard give(batch), goesOn else { break }
        }
      } catch {
        outcome.error = error
      }
      outcome.duplicateCount = merge.duplicateCount
      outcome.combinedCount = merge.combinedCount
      outcome.duplicates = merge.duplicates
    } catch {
      outcome.error = error
    }
    return outcome
  }
}
