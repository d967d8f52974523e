/// Merges the runs on a thread of its own, where the system has one left, and hands the keys over in batches.
struct KeyPipeline: Sendable {
  private static let batchCount = 6

  /// What the merge found out.
  struct Outcome: Sendable {
    var duplicateCount = 0
    var duplicates: [DuplicateKey] = []
    var error: FuseError?
  }

  let runs: [KeyRun]
  let windowByteCount: Int
  let policy: FuseWriter.DuplicatePolicy
  /// How many keys a file may have.
  let mostKeys: Int

  /// Calls `body` with all keys in order, batch by batch.
  ///
  /// - Throws: what `body` throws, and `limitExceeded` when there are too many keys. What goes wrong with the runs is in the outcome.
  func forEachBatch(_ body: (KeyBatch) throws(FuseError) -> Void) throws(FuseError) -> Outcome {
    let full = BoundedQueue<KeyBatch>(capacity: Self.batchCount)
    let empty = BoundedQueue<KeyBatch>(capacity: Self.batchCount)
    for _ in 0..<Self.batchCount { _ = empty.push(KeyBatch()) }
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
    let batch = KeyBatch()
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
      var cursors: [KeyCursor] = []
      for run in runs { cursors.append(try KeyCursor(run, windowByteCount: windowByteCount)) }
      var merge = try KeyMerge(cursors, policy: policy)
      do throws(FuseError) {
        while let batch = next() {
          let goesOn = try merge.fill(batch)
          guard give(batch), goesOn else { break }
        }
      } catch {
        outcome.error = error
      }
      outcome.duplicateCount = merge.duplicateCount
      outcome.duplicates = merge.duplicates
    } catch {
      outcome.error = error
    }
    return outcome
  }
}
