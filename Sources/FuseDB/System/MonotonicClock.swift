internal import Glibc

/// A clock that only goes forward, also when the time of day is set.
enum MonotonicClock {
  /// How long ago some fixed moment is.
  static var now: Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
