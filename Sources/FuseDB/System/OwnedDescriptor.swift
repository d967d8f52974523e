internal import Glibc

/// An open descriptor that is closed with this object.
final class OwnedDescriptor: Sendable {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  // What closing could still report, fsync has reported, or the file is given up.
  deinit { close(number) }
}

/// Writes all of `bytes` into a file, from `place` on. Returns false, with the reason in `errno`, where that fails.
func writeAll(_ bytes: RawSpan, to descriptor: Int32, at place: Int) -> Bool {
  var done = 0
  while done < bytes.byteCount {
    let rest = bytes.extracting(droppingFirst: done)
    // SAFETY: pwrite reads exactly the rest of the span.
    let written = unsafe rest.withUnsafeBytes { rest in
      retrying { unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(place + done)) }
    }
    // A file that takes no byte and gives no reason would never be done.
    if written == 0 { errno = EIO }
    guard written > 0 else { return false }
    done += written
  }
  return true
}
