internal import FuseDBLibc

/// A clock that only goes forward, also when the time of day is set.
package enum MonotonicClock {
  /// How long ago some fixed moment is.
  package static var now: Duration {
    let time = time
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// The same in nanoseconds, for what is measured many times.
  package static var nanoseconds: Double {
    let time = time
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }

  private static var time: timespec {
    var time = timespec()
    // SAFETY: the call fills in a value of the type that it takes.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time
  }
}

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

/// Waiting.
package enum Sleep {
  /// Waits so many seconds, or less where a signal comes.
  package static func seconds(_ seconds: Double) {
    guard seconds > 0 else { return }
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
    // SAFETY: the call reads a value of the type that it takes.
    unsafe nanosleep(&time, nil)
  }
}
