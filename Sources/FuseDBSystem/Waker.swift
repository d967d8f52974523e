internal import CFuseSystem
package import FuseDBFormat
internal import FuseDBLibc

/// Wakes a thread that waits, also one that waits for a descriptor. It stays set until it is reset.
package final class Waker: Sendable {
  private let readEnd: OwnedDescriptor
  private let writeEnd: OwnedDescriptor

  /// - Throws: ``FuseError`` with code `inputOutput` where the process has no descriptor left.
  package init() throws(FuseError) {
    var ends: [Int32] = [-1, -1]
    // SAFETY: the call fills in the two numbers.
    guard unsafe fuse_pipe(&ends) == 0 else { throw .system("make a pipe to wake a thread with", path: nil) }
    readEnd = OwnedDescriptor(ends[0])
    writeEnd = OwnedDescriptor(ends[1])
  }

  /// Ends every ``wait(orFor:events:atMost:)``, now or later.
  package func wake() {
    var byte: UInt8 = 1
    // A full pipe wakes already.
    // SAFETY: the call reads the one byte that there is.
    _ = retrying { unsafe write(writeEnd.number, &byte, 1) }
  }

  /// Takes back every ``wake()`` so far.
  package func reset() {
    var bytes: UInt64 = 0
    // SAFETY: the call writes at most the eight bytes of the number.
    while retrying({ unsafe read(readEnd.number, &bytes, MemoryLayout<UInt64>.size) }) > 0 {}
  }

  /// What ended the waiting.
  package enum Event: Sendable {
    case waker, descriptor, time
  }

  /// Waits to be woken, for something to happen to a descriptor, or for time to pass.
  ///
  /// - Parameters:
  ///   - descriptor: nil for none.
  ///   - events: as those of `poll`; errors and hang-ups always count.
  ///   - time: nil for ever.
  package func wait(
    orFor descriptor: Int32? = nil, events: Int16 = Int16(POLLIN), atMost time: Duration? = nil
  ) -> Event {
    let end = time.map { MonotonicClock.now + $0 }
    while true {
      var calls = [
        pollfd(fd: readEnd.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: descriptor ?? -1, events: events, revents: 0),
      ]
      let left = end.map { Self.milliseconds(max(.zero, $0 - MonotonicClock.now)) } ?? -1
      // SAFETY: the array has as many elements as the call is told, and is kept until it returns.
      let count = unsafe poll(&calls, nfds_t(calls.count), left)
      if count > 0 { return calls[0].revents != 0 ? .waker : .descriptor }
      // What fails for want of memory is tried again, not at once. A signal is no failure.
      if count < 0, errno != EINTR { usleep(10_000) }
      if let end, MonotonicClock.now >= end { return .time }
    }
  }

  /// Rounded up, because a thread that wakes early has to wait again; and at most a day, after which that is so, too.
  private static func milliseconds(_ time: Duration) -> Int32 {
    let (seconds, attoseconds) = time.components
    guard seconds < 86_400 else { return 86_400_000 }
    return Int32(seconds * 1000) + Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
