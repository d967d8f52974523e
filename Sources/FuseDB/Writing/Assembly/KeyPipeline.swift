/// Merges the runs on a thread of its own, and hands the keys over in batches.
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
    let merge = BackgroundWork(isWorthThread: true) { merged(from: empty, to: full) }
    do throws(FuseError) {
      var keyCount = 0
      while let batch = full.pop() {
        keyCount += batch.rows.count
        guard keyCount <= mostKeys else {
          throw FuseError(
            .limitExceeded, "there are more than \(mostKeys) keys and the format allows no more; build several files")
        }
        try body(batch)
        batch.removeAll()
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

  private func merged(from empty: BoundedQueue<KeyBatch>, to full: BoundedQueue<KeyBatch>) -> Outcome {
    var outcome = Outcome()
    defer { full.close() }
    do throws(FuseError) {
      var cursors: [KeyCursor] = []
      for run in runs { cursors.append(try KeyCursor(run, windowByteCount: windowByteCount)) }
      var merge = try KeyMerge(cursors, policy: policy)
      do throws(FuseError) {
        while let batch = empty.pop() {
          let goesOn = try merge.fill(batch)
          guard full.push(batch), goesOn else { break }
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
