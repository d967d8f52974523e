/// A share of all hashes, by their upper bits: what a pass over a file counts, where one pass for all would take too much memory.
///
/// Passes go over the shares in their order. A share that turns out to be too large is halved while it is counted.
struct HashShare {
  private static let mostBits: UInt64 = 40

  private var bits: UInt64 = 0
  private var prefix: UInt64 = 0
  /// Whether all shares were counted.
  private(set) var isDone = false

  @inline(__always)
  func contains(_ hash: UInt64) -> Bool {
    // A shift by all 64 bits leaves 0.
    hash >> (64 &- bits) == prefix
  }

  var canBeHalved: Bool { bits < Self.mostBits }

  /// Leaves the upper half for the next pass.
  mutating func halve() {
    bits += 1
    prefix *= 2
  }

  /// Goes on to the next share.
  mutating func advance() {
    prefix += 1
    isDone = prefix == 1 << bits
    // Two halves that are both to come may fit together, but to find out costs as much as a pass.
  }
}
