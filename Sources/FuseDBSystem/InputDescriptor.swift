package import FuseDBFormat
internal import FuseDBLibc

/// An open file that is read piece by piece: what is read counts as memory only where the caller keeps it, while the
/// kernel maps as much as two megabytes around a byte that is read of a mapping.
package final class InputDescriptor: Sendable {
  /// How many descriptors the process may have.
  package static var mostOpen: Int {
    var limit = rlimit()
    // SAFETY: the call fills in a value of the type that it takes.
    let isKnown = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    return isKnown ? Int(clamping: limit.rlim_cur) : 1024
  }

  /// As it was given.
  package let path: String
  private let file: OwnedDescriptor

  /// Opens the file at `path`.
  package init(_ path: PinnedPath) throws(FuseError) {
    self.path = path.given
    file = try OwnedDescriptor(reading: path.absolute, named: path.given)
  }

  /// The same file, mapped.
  package func mapping() throws(FuseError) -> FileMapping { try FileMapping(descriptor: file.number, path: path) }

  /// What the file is now.
  package func stamp() throws(FuseError) -> FileStamp {
    guard let stamp = FileStamp(of: file.number) else { throw .system("read the file's size", path: path) }
    return stamp
  }

  /// Reads up to `count` bytes from `offset` on, fewer where the file ends, after what `bytes` holds already.
  package func append(_ count: Int, at offset: Int, to bytes: inout [UInt8]) throws(FuseError) {
    try bytes.makeRoom(for: count)
    var error: FuseError?
    bytes.append(addingCapacity: count) { room in
      // SAFETY: pread writes at most what is left of the room, and as much as it says is initialized.
      unsafe room.withUnsafeMutableBufferPointer { room, done in
        while done < count {
          let result = retrying {
            unsafe pread(file.number, room.baseAddress! + done, count - done, off_t(offset + done))
          }
          guard result >= 0 else { return error = .system("read the file", path: path) }
          if result == 0 { return }
          done += result
        }
      }
    }
    if let error { throw error }
  }
}
