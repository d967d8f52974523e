internal import FuseDBFormat
internal import FuseDBSystem

/// What happens to records that cannot be read. [S9]
package enum FlawPolicy: Sendable, Equatable {
  /// So many of them are told at most, and nothing is built.
  case told(atMost: Int)
  /// They are left out and counted.
  case skipped

  /// How many are remembered in a block, and of all.
  var mostRemembered: Int {
    switch self {
    case .told(let count): count
    case .skipped: 10
    }
  }

  /// Whether records are read after one that is bad.
  var goesOn: Bool { self != .told(atMost: 1) }
}

extension FuseError {
  /// The error of a record after which nothing is read: where bad ones are skipped, it says why this one is not. [S9]
  func ending(_ policy: FlawPolicy, _ names: OptionNames) -> FuseError {
    guard policy == .skipped, code == .invalidValue || code == .limitExceeded else { return self }
    let why = code == .invalidValue ? "where the next record begins is not known" : "what is too long is not read on"
    return FuseError(
      code, "\(message); \(names.skipBadRows) does not skip this, for \(why)", offset: offset, path: path, errno: errno)
  }
}

/// Bad records, in the order of the inputs.
struct RecordFlaws {
  private var blocks: [(number: Int, flaws: [FuseError])] = []
  /// How many there are in all.
  private(set) var count = 0

  /// Adds those of a block, the first of `count`. Returns the block at which there are as many as are told, if there is one.
  mutating func add(_ flaws: [FuseError], count: Int, block number: Int, _ policy: FlawPolicy) -> Int? {
    guard count > 0 else { return nil }
    self.count += count
    let place = blocks.firstIndex { $0.number > number } ?? blocks.count
    blocks.insert((number, flaws), at: place)
    var sum = 0
    for (index, block) in blocks.enumerated() {
      sum += block.flaws.count
      guard sum >= policy.mostRemembered else { continue }
      blocks.removeSubrange((index + 1)...)
      return policy == .skipped ? nil : block.number
    }
    return nil
  }

  /// The first ones, of blocks up to and with the given one.
  func first(_ count: Int, upTo block: Int = .max) -> [FuseError] {
    Array(blocks.lazy.filter { $0.number <= block }.map { $0.flaws }.joined().prefix(count))
  }
}
