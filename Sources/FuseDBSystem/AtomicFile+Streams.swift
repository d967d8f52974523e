package import FuseDBFormat
internal import FuseDBLibc

extension AtomicFile {
  /// A stream that writes into the file from `position` on, beside others at other places. It is flushed by whoever
  /// writes it, and used no longer than this object.
  package func stream(at position: Int) throws(FuseError) -> FileStream {
    try FileStream(to: descriptor, at: position, path: path)
  }

  /// Fills `bytes` with what stands from `position` on; flush before.
  ///
  /// - Precondition: so much was written there.
  package func read(into bytes: UnsafeMutableRawBufferPointer, at position: Int) throws(FuseError) {
    // SAFETY: the call writes at most as many bytes as `bytes` has, which is the caller's until it returns.
    guard unsafe readWhole(descriptor, into: bytes, at: position) else {
      throw Self.failed("read back what was written", path: path)
    }
  }

  /// Moves bytes towards the start of the file, which then ends with them; flush before.
  package func move(_ range: Range<Int>, to position: Int) throws(FuseError) {
    precondition(position <= range.lowerBound, "bytes are moved towards the start alone")
    guard position < range.lowerBound else { return }
    let memory = try ZeroedMemory(byteCount: 2 << 20, inLargePages: false)
    let stream = try stream(at: position)
    var done = 0
    while done < range.count {
      let count = min(memory.byteCount, range.count - done)
      unsafe try read(
        into: UnsafeMutableRawBufferPointer(start: memory.start, count: count), at: range.lowerBound + done)
      // SAFETY: so many bytes were read. What is written ends before what is still to be read begins.
      let bytes = unsafe RawSpan(_unsafeStart: memory.start, byteCount: count)
      try stream.write(bytes)
      done += count
    }
    try stream.flush()
    try cut(to: position + range.count)
  }

  /// Takes away what was written after `byteCount`.
  package func cut(to byteCount: Int) throws(FuseError) {
    guard retrying({ ftruncate(descriptor, off_t(byteCount)) }) == 0 else {
      throw Self.failed("shorten the file", path: path)
    }
  }
}
