internal import Synchronization

/// The way into a writer for one of several threads. What the threads do at the same time leaves no trace in the file.
package final class WriterLane {
  private let waiting: WaitingBatches

  init(_ waiting: WaitingBatches) { self.waiting = waiting }

  /// Adds all that `batch` holds.
  ///
  /// - Throws: ``FuseError`` with code `limitExceeded` when the file would have too many keys or objects, `inputOutput`
  ///   when a temporary file cannot be written.
  package func add(_ batch: RecordBatch) throws(FuseError) {
    waiting.add(batch)
  }
}

extension FuseWriter {
  /// A way in for one thread. Ask for all lanes before the first is used, and let no lane be used once the file is built.
  package func makeLane() throws(FuseError) -> WriterLane { WriterLane(waiting) }

  /// Adds what waits, in the order of its places.
  func takeWaiting() throws(FuseError) {
    for batch in waiting.takeAll() {
      var start = 0
      var ids: [ObjectID] = []
      for end in batch.objectEnds {
        ids.append(try addObject(batch.objectBytes.rawSpan.extracting(start..<end)))
        start = end
      }
      for key in batch.keys {
        try addKey(batch.keyBytes.rawSpan.extracting(key.start..<key.start + key.byteCount), for: ids[key.object])
        places.append(key.place)
      }
    }
  }
}

/// Batches that were added by several threads.
final class WaitingBatches: Sendable {
  struct Batch {
    var objectBytes: [UInt8]
    var objectEnds: [Int]
    var keyBytes: [UInt8]
    var keys: [RecordBatch.Key]
  }

  private let batches = Mutex<[Batch]>([])

  func add(_ batch: RecordBatch) {
    let copy = Batch(
      objectBytes: batch.objectBytes, objectEnds: batch.objectEnds, keyBytes: batch.keyBytes, keys: batch.keys)
    batches.withLock { $0.append(copy) }
  }

  func takeAll() -> [Batch] {
    batches.withLock { batches in
      defer { batches = [] }
      return batches.enumerated().sorted { left, right in
        guard let a = left.element.keys.first?.place, let b = right.element.keys.first?.place else {
          return left.offset < right.offset
        }
        return (a, left.offset) < (b, right.offset)
      }.map { $0.element }
    }
  }
}

/// A key that was added again.
package struct DuplicateKey: Sendable, Equatable {
  package var key: [UInt8]
  /// Where the addition that counts stands in the input,
  package var kept: UInt64
  /// and one that does not.
  package var dropped: UInt64
}
