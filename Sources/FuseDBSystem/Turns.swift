internal import FuseDBFormat

/// Lets threads do something one after the other, in the order of the numbers that they have.
package final class Turns: Sendable {
  private let next = Monitor(0)

  package init() {}

  /// Does `body` once all smaller numbers have had their turn. Every number from 0 on has to take its turn, once.
  package func take<Failure: Error>(_ number: Int, _ body: () throws(Failure) -> Void) throws(Failure) {
    next.wait { $0 == number ? () : nil }
    defer { next.change { $0 += 1 } }
    try body()
  }
}
