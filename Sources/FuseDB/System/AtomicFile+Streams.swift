internal import Glibc

extension AtomicFile {
  /// A stream that writes into the file from `position` on, beside others at other places. It is flushed by whoever
  /// writes it, and used no longer than this object.
  func stream(at position: Int) throws(FuseError) -> FileStream {
    try FileStream(to: descriptor, at: position, path: path)
  }

  /// Fills `bytes` with what stands from `position` on; flush before.
  ///
  /// - Precondition: so much was written there.
  func read(into bytes: UnsafeMutableRawBufferPointer, at position: Int) throws(FuseError) {
    var done = 0
    while done < bytes.count {
      // SAFETY: pread writes at most the rest of the bytes.
      let count = retrying {
        unsafe pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(position + done))
      }
      guard count > 0 else { throw Self.failed("read back what was written", path: path) }
      done += count
    }
  }

  /// Takes away what was written behind `byteCount`.
  func cut(to byteCount: Int) throws(FuseError) {
    guard retrying({ ftruncate(descriptor, off_t(byteCount)) }) == 0 else {
      throw Self.failed("shorten the file", path: path)
    }
  }
}
