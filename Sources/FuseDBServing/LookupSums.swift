internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Numbers of look-ups, by what they came to.
struct LookupSums: Sendable, Equatable {
  var hits = 0
  var misses = 0
  var failures = 0

  static func + (left: LookupSums, right: LookupSums) -> LookupSums {
    LookupSums(
      hits: left.hits &+ right.hits, misses: left.misses &+ right.misses, failures: left.failures &+ right.failures)
  }
}
