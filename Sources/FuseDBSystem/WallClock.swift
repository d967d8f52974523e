internal import FuseDBLibc

/// The time of day, which may be set back.
package enum WallClock {
  /// Seconds since the beginning of 1970, UTC.
  package static var now: Double {
    var time = timespec()
    // SAFETY: the call fills in a value of the type that it takes.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
