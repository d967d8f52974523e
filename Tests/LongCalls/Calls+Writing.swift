import FuseDB
import ProgramSupport

extension CallFiles {
  /// Building and reindexing.
  var writing: [LongCall] {
    var calls: [LongCall] = []
    for layout in [FuseWriter.Layout.indexed, .plain] {
      for order in [FuseWriter.Order.key, .insertion] {
        for sharing in [FuseWriter.Sharing.identicalObjects, .none] {
          let options = FuseWriter.Options(order: order, sharing: sharing, layout: layout)
          calls.append(
            LongCall("build (\(layout), order \(order), sharing \(sharing))") {
              try Self.writer(0..<100, options).build(to: output)
            })
        }
      }
    }
    return calls + [
      LongCall("build twice with one writer, with metadata and progress") {
        let writer = try Self.writer(0..<100, FuseWriter.Options(metadata: ["source": "here"]))
        try writer.build(to: output) { _ in }
        try writer.addKey("one more", for: try writer.addObject([0xC0]))
        try writer.build(to: output)
      },
      LongCall("build beyond the memory") {
        let writer = try Self.largeWriter(FuseWriter.Options(temporaryFolder: folder.folder))
        try writer.build(to: output)
        guard writer.spilledByteCount > 0 else { throw Violation("all of it is in memory") }
      },
      LongCall("add without building") { _ = try Self.writer(0..<100) },
      LongCall("build with a key that is refused", fails: .duplicateKey) {
        let writer = try Self.writer(0..<100, FuseWriter.Options(onDuplicate: .error))
        try writer.addKey("key 7", for: try writer.addObject([0xC0]))
        try writer.build(to: output)
      },
      LongCall("build into a folder that is not there", fails: .inputOutput) {
        try Self.writer(0..<100).build(to: unwritable)
      },
      LongCall("build into a folder", fails: .inputOutput) { try Self.writer(0..<100).build(to: folder.folder) },
      LongCall("reindex") { try FuseWriter.reindex(reindexed) },
      LongCall("reindex with other metadata") { try FuseWriter.reindex(reindexed, metadata: ["source": "there"]) },
      LongCall("reindex a damaged file", fails: .corrupted) { try FuseWriter.reindex(damagedObject) },
      LongCall("reindex a file that is not there", fails: .notFound) { try FuseWriter.reindex(missing) },
    ]
  }
}
