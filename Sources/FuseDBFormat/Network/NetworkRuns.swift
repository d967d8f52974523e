/// Turns the blocks of one family, in order, into runs: stretches of addresses that have the same longest block's object and
/// length. See spec/network.md §4.
///
/// Runs follow one another from address 0 to the last one, and neighbours differ.
struct NetworkRuns {
  private struct Open {
    var address: UInt128
    var last: UInt128
    var answer: NetworkAnswer
  }

  /// The last address of the family.
  private let end: UInt128
  /// The blocks that hold the current address, the longest last.
  private var open: [Open] = []
  /// The run that the next boundary ends; it is not known yet whether it has any addresses.
  private var pending: (start: UInt128, answer: NetworkAnswer) = (0, .none)
  /// The answer of the last run that was handed out.
  private var before: NetworkAnswer?
  private var isEmpty = true

  init(_ family: FuseAddress.Family) { end = FuseAddress.hostMask(family, 0) }

  /// What became of a block.
  enum Addition {
    case added
    /// The same block with the same object was added before.
    case repeated
    /// The same block with another object was added before.
    case conflicting
  }

  /// Adds a block.
  ///
  /// - Precondition: it does not come before the one that was added last.
  mutating func add(
    _ network: FuseNetwork, object: UInt64, _ emit: (UInt128, NetworkAnswer) throws(FuseError) -> Void
  ) throws(FuseError) -> Addition {
    isEmpty = false
    let address = network.address.bits
    try close(before: address, emit)
    let answer = NetworkAnswer(object: object, length: UInt8(network.prefixLength))
    if let last = open.last {
      precondition(address >= last.address && network.lastBits <= last.last, "the blocks come in order")
      if last.answer.length == answer.length { return last.answer == answer ? .repeated : .conflicting }
    }
    open.append(Open(address: address, last: network.lastBits, answer: answer))
    try begin(answer, at: address, emit)
    return .added
  }

  /// Hands out the last runs. Of no blocks there is none.
  mutating func finish(_ emit: (UInt128, NetworkAnswer) throws(FuseError) -> Void) throws(FuseError) {
    guard !isEmpty else { return }
    while let last = open.popLast() {
      // Nothing comes after the last address.
      if last.last < end { try begin(open.last?.answer ?? .none, at: last.last + 1, emit) }
    }
    try handOut(emit)
  }

  /// Ends the blocks whose last address comes before `address`.
  private mutating func close(
    before address: UInt128, _ emit: (UInt128, NetworkAnswer) throws(FuseError) -> Void
  ) throws(FuseError) {
    while let last = open.last, last.last < address {
      open.removeLast()
      try begin(open.last?.answer ?? .none, at: last.last + 1, emit)
    }
  }

  private mutating func begin(
    _ answer: NetworkAnswer, at start: UInt128, _ emit: (UInt128, NetworkAnswer) throws(FuseError) -> Void
  ) throws(FuseError) {
    if start > pending.start { try handOut(emit) }
    pending = (start, answer)
  }

  private mutating func handOut(_ emit: (UInt128, NetworkAnswer) throws(FuseError) -> Void) throws(FuseError) {
    guard pending.answer != before else { return }
    before = pending.answer
    try emit(pending.start, pending.answer)
  }
}
