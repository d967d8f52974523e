internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBValues
internal import Synchronization

/// What one thread has counted. No other thread writes to it.
///
/// It is longer than a cache line, and than the two that processors fetch as a pair, so that no thread's counting disturbs
/// that of another.
struct LookupCell: ~Copyable {
  /// The memory of a cell, in bytes.
  static var stride: Int { 128 }

  private let hits = Atomic(0)
  private let misses = Atomic(0)
  private let failures = Atomic(0)

  /// Adds, for the thread that the cell belongs to.
  @inline(__always)
  func add(hits: Int, misses: Int, failures: Int) {
    Self.add(hits, to: self.hits)
    Self.add(misses, to: self.misses)
    Self.add(failures, to: self.failures)
  }

  /// A load and a store: an addition that other threads could take part in would cost ten times as much.
  @inline(__always)
  private static func add(_ count: Int, to sum: borrowing Atomic<Int>) {
    guard count != 0 else { return }
    sum.store(sum.load(ordering: .relaxed) &+ count, ordering: .relaxed)
  }

  /// What was counted so far.
  var sums: LookupSums {
    LookupSums(
      hits: hits.load(ordering: .relaxed), misses: misses.load(ordering: .relaxed),
      failures: failures.load(ordering: .relaxed))
  }
}
