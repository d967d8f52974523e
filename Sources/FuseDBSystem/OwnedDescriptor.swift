package import FuseDBFormat
internal import FuseDBLibc

/// An open descriptor that is closed with this object.
package final class OwnedDescriptor: Sendable {
  package let number: Int32

  package init(_ number: Int32) { self.number = number }

  /// Opens what is at `path`, for reading. Errors call it by `name`, or by its path.
  package init(reading path: String, named name: String? = nil) throws(FuseError) {
    // The system takes a path to end at its first zero byte, and would open another file.
    guard !path.utf8.contains(0) else {
      throw FuseError(.notFound, "the path holds a zero byte, so there can be no such file", path: name ?? path)
    }
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    number = retrying { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard number >= 0 else { throw .system("open the file", path: name ?? path) }
  }

  // What closing could still report, fsync has reported, or the file is given up.
  deinit { close(number) }
}

/// Writes all of `bytes` into a file, from `offset` on. Returns false, with the reason in `errno`, where that fails.
func writeAll(_ bytes: RawSpan, to descriptor: Int32, at offset: Int) -> Bool {
  var done = 0
  while done < bytes.byteCount {
    let rest = bytes.extracting(droppingFirst: done)
    // SAFETY: pwrite reads exactly the rest of the span.
    let written = unsafe rest.withUnsafeBytes { rest in
      retrying { unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done)) }
    }
    // A file that takes no byte and gives no reason would never be done.
    if written == 0 { errno = EIO }
    guard written > 0 else { return false }
    done += written
  }
  return true
}

/// Fills `bytes` with what stands in a file from `offset` on. Returns how many bytes there were, fewer where the file ends
/// early; -1, with the reason in `errno`, where reading fails.
func readAll(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
  var done = 0
  while done < bytes.count {
    // SAFETY: pread writes at most the rest of the bytes.
    let count = retrying {
      unsafe pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
    }
    guard count > 0 else { return count < 0 ? -1 : done }
    done += count
  }
  return done
}

/// The same, where fewer bytes are a failure too, for which `errno` says EIO.
func readWhole(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) -> Bool {
  // SAFETY: the buffer is handed on as the caller gave it, and kept by nobody.
  let count = unsafe readAll(descriptor, into: bytes, at: offset)
  if count >= 0, count < bytes.count { errno = EIO }
  return count == bytes.count
}
