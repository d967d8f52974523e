/// Counts look-ups without contention: each thread has counters of its own.
///
/// What is read while others count may lack their last look-ups.
final class LookupCounters: Sendable {
  /// Adds to this thread's counters.
  func count(hits: Int = 0, misses: Int = 0, failures: Int = 0) {}

  var sums: (hits: Int, misses: Int, failures: Int) { (0, 0, 0) }
}
