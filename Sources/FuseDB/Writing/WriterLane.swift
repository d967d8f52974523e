internal import Synchronization

/// The way into a writer for one of several threads. What the threads do at the same time leaves no trace in the file.
package final class WriterLane {
  private let writer: FuseWriter
  private let lock: Mutex<Void>

  init(_ writer: FuseWriter) {
    self.writer = writer
    lock = Mutex(())
  }

  /// Adds all that `batch` holds.
  ///
  /// - Throws: ``FuseError`` with code `limitExceeded` when the file would have too many keys or objects, `inputOutput`
  ///   when a temporary file cannot be written.
  package func add(_ batch: RecordBatch) throws(FuseError) {
    var start = 0
    var ids: [ObjectID] = []
    for end in batch.objectEnds {
      let bytes = batch.objectBytes
      ids.append(try writer.addObject(bytes.rawSpan.extracting(start..<end)))
      start = end
    }
    for key in batch.keys {
      let bytes = batch.keyBytes
      try writer.addKey(bytes.rawSpan.extracting(key.start..<key.start + key.byteCount), for: ids[key.object])
    }
  }
}

extension FuseWriter {
  /// A way in for one thread. Ask for all lanes before the first is used, and let no lane be used once the file is built.
  package func makeLane() throws(FuseError) -> WriterLane { WriterLane(self) }
}
