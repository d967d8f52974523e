internal import Glibc

/// A clock that only goes forward.
enum Clock {
  /// Nanoseconds since some moment.
  static var nanoseconds: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }
}
