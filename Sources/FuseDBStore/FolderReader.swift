internal import FuseDBFormat
internal import FuseDBSystem

/// Reads the files of a folder, and of those in it, in the order of their paths: small ones whole, with their digests, many at a time.
final class FolderReader {
  struct File {
    /// Below the folder.
    var path: [UInt8]
    var mode: UInt32
    /// Where its bytes are, and their digest; nil for a file that is larger.
    var small: (range: Range<Int>, id: FuseStore.ObjectID)?
  }

  /// Files that were read together.
  struct Batch: Sendable {
    var bytes: [UInt8] = []
    var files: [File] = []
  }

  private static let batchByteCount = 512 << 10
  private static let mostFiles = 4096

  private struct Level {
    /// With a slash at its end, or nothing.
    var below: [UInt8]
    var names: OpenFolder.Names
    var place = 0
  }

  private let path: String
  private let most: Int
  private var levels: [Level] = []
  /// The folder that is open; one at a time, so that no depth takes all descriptors.
  private var open: OpenFolder?

  /// - Parameter most: larger files are named alone.
  init(_ path: String, most: Int) throws(FuseError) {
    (self.path, self.most) = (path, most)
    try enter([])
  }

  private func place(_ below: [UInt8]) -> String {
    below.isEmpty ? path : path + "/" + String(path: Array(below.dropLast()))
  }

  private func enter(_ below: [UInt8]) throws(FuseError) {
    let folder = try OpenFolder(place(below))
    levels.append(Level(below: below, names: try folder.names()))
    open = folder
  }

  /// The next files; nil where there are no more.
  func next() throws(FuseError) -> Batch? {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    var batch = Batch()
    batch.bytes.reserveCapacity(Self.batchByteCount + most + 1)
    while let level = levels.last, batch.bytes.count < Self.batchByteCount, batch.files.count < Self.mostFiles {
      try Cancellation.check()
      guard level.place < level.names.all.count else {
        levels.removeLast()
        open = nil
        continue
      }
      let name = level.names.all[level.place]
      levels[levels.count - 1].place += 1
      let bytes = level.names.bytes(of: name)
      guard !name.isFolder else {
        try enter(level.below + bytes + [UInt8(ascii: "/")])
        continue
      }
      if open == nil { open = try OpenFolder(place(level.below)) }
      let start = batch.bytes.count
      guard let read = try open!.read(bytes, most: most, to: &batch.bytes) else { continue }
      var file = File(path: level.below + bytes, mode: read.mode)
      if read.isWhole {
        file.small = (
          start..<batch.bytes.count, try tools.digest(of: batch.bytes.rawSpan.extracting(start..<batch.bytes.count))
        )
      }
      batch.files.append(file)
    }
    return batch.files.isEmpty && levels.isEmpty ? nil : batch
  }

  /// What `next()` gives, on another thread where there is a processor for it.
  func nextInBackground(threadCount: Int) -> BackgroundWork<Result<Batch?, FuseError>> {
    // SAFETY: the caller waits for one before it asks for another.
    nonisolated(unsafe) let reader = self
    return BackgroundWork(isWorthThread: threadCount > 1) {
      do throws(FuseError) { return .success(unsafe try reader.next()) } catch { return .failure(error) }
    }
  }
}
