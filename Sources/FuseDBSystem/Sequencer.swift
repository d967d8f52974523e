internal import FuseDBFormat

/// Runs work of several threads one after the other, in the order of their numbers.
package final class Sequencer: Sendable {
  private let next = Monitor(0)

  package init() {}

  /// Runs `body` once that of every smaller number has ended. Every number from 0 on has to run, once.
  package func run<Failure: Error>(_ number: Int, _ body: () throws(Failure) -> Void) throws(Failure) {
    next.wait { $0 == number ? () : nil }
    defer { next.change { $0 += 1 } }
    try body()
  }
}
