package import FuseDBFormat
internal import Synchronization

/// What many streams of bytes share: the memory that they may keep, and the temporary file for the rest.
package final class Spill: Sendable {
  /// How many bytes of a stream go to the file at once.
  let chunkByteCount: Int
  private let folder: String
  /// What may stay in memory.
  let allowance: MemoryAllowance
  private let file = Mutex<TemporaryFile?>(nil)

  /// - Parameters:
  ///   - folder: where the temporary file is made, once something has to go there.
  ///   - memory: how many bytes may stay in memory, beside one chunk for each stream that is written.
  ///   - chunkByteCount: how many bytes go to the file at once.
  package init(in folder: String, memory: Int, chunkByteCount: Int) {
    self.folder = folder
    self.chunkByteCount = chunkByteCount
    allowance = MemoryAllowance(memory)
  }

  /// How many bytes went to the temporary file.
  package var spilledByteCount: Int { file.withLock { $0?.byteCount ?? 0 } }

  /// The temporary file, which is made when it is first asked for.
  package func temporaryFile() throws(FuseError) -> TemporaryFile {
    // Not inside of the lock: its closure throws any error or none.
    if let known = file.withLock({ $0 }) { return known }
    let made = try TemporaryFile(in: folder)
    return file.withLock { known in
      if let known { return known }
      known = made
      return made
    }
  }
}
