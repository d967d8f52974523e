internal import CFusePublish
package import FuseDBFormat
internal import FuseDBLibc
internal import Synchronization

/// A file without a name, for what does not fit into memory. It is gone with this object, and with the process.
///
/// Any number of threads may append and read at the same time.
package final class TemporaryFile: Sendable {
  private let folder: String
  private let file: OwnedDescriptor
  private let end = Atomic(0)

  /// How many bytes were appended.
  var byteCount: Int { end.load(ordering: .relaxed) }

  /// Makes a file in `folder`.
  package init(in folder: String) throws(FuseError) {
    // SAFETY: the calls read paths that end in a zero byte and live until they return.
    self.folder = folder
    var opened = retrying { unsafe fuse_open_unnamed(folder.systemPath, 0o600) }
    if opened < 0, [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) {
      let name = "\(folder)/.fsdb.\(UInt64.random(in: 0 ... .max).hexadecimal.dropFirst(2)).tmp"
      opened = retrying { unsafe fuse_create_unfinished(name.systemPath, 0o600) }
      if opened >= 0, unsafe fuse_unlink_unfinished(name.systemPath) != 0 {
        let error = Self.failed("remove the name \(name) of", in: folder)
        close(opened)
        throw error
      }
    }
    guard opened >= 0 else { throw Self.failed("create", in: folder) }
    file = OwnedDescriptor(opened)
  }

  private var descriptor: Int32 { file.number }

  /// Appends bytes, and returns where they begin.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput`, as when the disk is full.
  package func append(_ bytes: RawSpan) throws(FuseError) -> Int {
    let offset = reserve(bytes.byteCount)
    try write(bytes, at: offset)
    return offset
  }

  /// Reserves so many bytes at the end, and returns where they begin.
  package func reserve(_ byteCount: Int) -> Int { end.wrappingAdd(byteCount, ordering: .relaxed).oldValue }

  /// Writes bytes at an offset that was reserved.
  ///
  /// - Throws: as ``append(_:)``.
  package func write(_ bytes: RawSpan, at offset: Int) throws(FuseError) {
    guard writeAll(bytes, to: descriptor, at: offset) else { throw Self.failed("write", in: folder) }
  }

  /// Fills `bytes` with what stands from `offset` on.
  ///
  /// - Precondition: so much was appended there.
  package func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(FuseError) {
    // SAFETY: the call writes at most as many bytes as `bytes` has, which is the caller's until it returns.
    guard unsafe readWhole(descriptor, into: bytes, at: offset) else {
      throw Self.failed("read back", in: folder)
    }
  }

  private static func failed(_ action: String, in folder: String) -> FuseError {
    let error = FuseError.system("\(action) a temporary file in this folder", path: folder)
    let hint = error.errno == ENOSPC ? "; make room there, or choose another folder for temporary files" : ""
    return FuseError(.inputOutput, error.message + hint, path: folder, errno: error.errno)
  }
}

/// What many streams of bytes share: the memory that they may keep, and the temporary file for the rest.
@usableFromInline package final class Spill: Sendable {
  /// How many bytes of a stream go to the file at once.
  @usableFromInline let chunkByteCount: Int
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
