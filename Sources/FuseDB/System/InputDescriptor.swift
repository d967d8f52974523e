internal import Glibc

/// An open file that is read piece by piece: what is read counts as memory only where the caller keeps it, while the
/// kernel maps as much as two megabytes around a byte that is read of a mapping.
final class InputDescriptor: Sendable {
  private let path: String
  private let file: OwnedDescriptor

  /// Opens the file at `path`.
  init(path: String) throws(FuseError) {
    let descriptor = retrying { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw .system("open the file", path: path) }
    self.path = path
    file = OwnedDescriptor(descriptor)
  }

  /// The same file, mapped.
  func mapping() throws(FuseError) -> FileMapping { try FileMapping(descriptor: file.number, path: path) }

  /// Reads up to `count` bytes from `place` on, fewer where the file ends, behind what `bytes` holds already.
  func append(_ count: Int, at place: Int, to bytes: inout [UInt8]) throws(FuseError) {
    let start = bytes.count
    var done = 0
    bytes.append(contentsOf: repeatElement(0, count: count))
    while done < count {
      // SAFETY: pread writes at most the rest of what was appended.
      let result = unsafe bytes.withUnsafeMutableBytes { bytes in
        retrying { unsafe pread(file.number, bytes.baseAddress! + start + done, count - done, off_t(place + done)) }
      }
      guard result >= 0 else { throw .system("read the file", path: path) }
      if result == 0 { break }
      done += result
    }
    bytes.removeLast(count - done)
  }
}
