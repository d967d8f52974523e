package import FuseDBFormat

extension NetworkTable {
  /// Where the object of exactly this block is, or nil; from the exact index of the file.
  package typealias ExactIndex = (FuseNetwork) throws(FuseError) -> UInt64?

  /// Whether the header says that some block has this prefix length.
  func hasLength(_ length: Int, _ family: FuseAddress.Family) -> Bool {
    family == .ipv4 ? section.ipv4Lengths >> UInt64(length) & 1 == 1 : section.ipv6Lengths.contains(length)
  }

  /// Calls `body` with each block that holds an address, the longest first, for as long as it returns true. [A15]
  package func forEachContaining(
    _ address: FuseAddress, isChecked: Bool = true, exact: ExactIndex,
    _ body: (FuseNetwork, _ object: UInt64) throws(FuseError) -> Bool
  ) throws(FuseError) {
    let match = try match(address, isChecked: isChecked)
    guard let longest = key(of: match, address), try body(longest, match.object) else { return }
    for length in (0..<longest.prefixLength).reversed() where hasLength(length, address.family) {
      let network = FuseNetwork(around: address, prefixLength: length)
      if let object = try exact(network), try !body(network, object) { return }
    }
  }
}

/// Goes through the blocks inside of one, in order: by first address, a block before those in it. [A16]
package struct NetworkWalk: Sendable {
  private let table: NetworkTable
  private let within: FuseNetwork
  private let isChecked: Bool
  /// The next address to look at; nil after the last.
  private var position: UInt128?
  /// The run that holds it.
  private var run: (first: UInt128, last: UInt128)?
  private var match = NetworkMatch(.none, .ipv4, line: -1)
  /// The next prefix length to ask for at `position`, when blocks that begin there are being handed out.
  private var length: Int?
  /// How many more runs there can be: each /64 with longer blocks has a deep run of its own, and perhaps the end of another.
  private var stepsLeft: Int
  /// How many more blocks the file says that it has.
  private var left: Int

  package init(_ table: NetworkTable, within: FuseNetwork, isChecked: Bool = true) {
    self.table = table
    self.within = within
    self.isChecked = isChecked
    position = within.address.bits
    let runs = table.section.runCounts
    stepsLeft = runs.ipv4 + runs.ipv6 + 2 * runs.deep + 2
    left = Int(within.family == .ipv4 ? table.section.ipv4NetworkCount : table.section.ipv6NetworkCount)
  }

  /// The next block and its object's offset; nil after the last.
  package mutating func next(
    exact: NetworkTable.ExactIndex
  ) throws(FuseError) -> (network: FuseNetwork, object: UInt64)? {
    while let position {
      let address = FuseAddress(family: within.family, bits: position)
      try findRun(of: address)
      // Blocks that are not inside begin elsewhere, or hold more.
      guard match.isFound, match.prefixLength >= within.prefixLength else {
        advance(past: run!.last)
        continue
      }
      let visible = FuseNetwork(around: address, prefixLength: match.prefixLength)
      if visible.address == address, let found = try shorter(at: address, exact) { return try count(found) }
      advance(past: min(visible.lastBits, run!.last))
      if visible.address == address { return try count((visible, match.object)) }
    }
    return nil
  }

  private mutating func findRun(of address: FuseAddress) throws(FuseError) {
    if let run, run.first <= address.bits, address.bits <= run.last { return }
    match = try table.match(address, isChecked: isChecked)
    let found = table.run(of: match, address)
    stepsLeft -= 1
    // In bytes that were not compared, or were made to mislead, a run may end before it begins, and many may follow. [A16]
    guard found.first <= address.bits, address.bits <= found.last, stepsLeft >= 0 else {
      throw .corrupted("the runs of the network section do not follow one another", at: table.offset)
    }
    run = found
  }

  /// The next of the shorter blocks that begin where the longest one does. One that longer ones cover whole shows nowhere else.
  private mutating func shorter(
    at address: FuseAddress, _ exact: NetworkTable.ExactIndex
  ) throws(FuseError) -> (FuseNetwork, UInt64)? {
    // A block is as large as the zeros at the end of its address let it.
    let zeros = min(address.bits.trailingZeroBitCount, address.family.bitCount)
    var next = length ?? max(within.prefixLength, address.family.bitCount - zeros)
    while next < match.prefixLength {
      defer { next += 1 }
      guard table.hasLength(next, address.family) else { continue }
      let network = FuseNetwork(around: address, prefixLength: next)
      if let object = try exact(network) {
        length = next + 1
        return (network, object)
      }
    }
    length = next
    return nil
  }

  private mutating func advance(past last: UInt128) {
    position = last < within.lastBits ? last + 1 : nil
    length = nil
  }

  private mutating func count(_ found: (FuseNetwork, UInt64)) throws(FuseError) -> (FuseNetwork, UInt64) {
    left -= 1
    guard left >= 0 else {
      throw .corrupted("the network section has more networks than it says", at: table.offset)
    }
    return found
  }
}
