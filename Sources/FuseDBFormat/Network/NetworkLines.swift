/// Makes the lines of all tables of a section `NETW` from blocks in order, one after the other. See spec/network.md §4.
///
/// What it holds does not grow with the number of blocks.
package struct NetworkLines {
  /// Takes lines as they become complete, those of each table in order.
  package typealias Sink = (_ table: NetworkSection.Table, _ line: [UInt8], _ base: UInt128) throws(FuseError) -> Void

  /// What became of a block.
  package enum Addition {
    case added
    /// The same block with the same object was added before.
    case repeated
    /// The same block with another object was added before; this one is left out.
    case conflicting
  }

  private var header: NetworkSection
  private var ipv4Runs = NetworkRuns(.ipv4)
  private var ipv6Runs = NetworkRuns(.ipv6)
  private var fillers: Fillers
  private var upper = UpperRuns()
  private var last: FuseNetwork?

  package init(lanes: NetworkSection.Lanes, aliases: [NetworkSection.Alias] = []) {
    header = NetworkSection(lanes: lanes)
    header.aliases = aliases
    fillers = Fillers(lanes)
  }

  /// Adds a block.
  ///
  /// - Parameters:
  ///   - network: in ascending order: IPv4 first, a block before those in it.
  ///   - object: the offset of its object.
  package mutating func add(
    _ network: FuseNetwork, object: UInt64, to sink: Sink
  ) throws(FuseError) -> Addition {
    if let last { precondition(last <= network, "the blocks come in order") }
    last = network
    guard object < NetworkLine.objectLimit(header.lanes) else {
      throw FuseError(.limitExceeded, "an object lies beyond what a network section can tell")
    }
    let addition: NetworkRuns.Addition
    if network.family == .ipv4 {
      addition = try ipv4Runs.add(network, object: object) { start, answer throws(FuseError) in
        try fillers.add(.ipv4, start, answer, sink)
      }
    } else {
      addition = try ipv6Runs.add(network, object: object) { start, answer throws(FuseError) in
        try upper.add(start, answer, &fillers, sink)
      }
    }
    switch addition {
    case .repeated: return .repeated
    case .conflicting: return .conflicting
    case .added:
      if network.family == .ipv4 {
        header.ipv4NetworkCount += 1
        header.ipv4Lengths |= 1 << UInt64(network.prefixLength)
      } else {
        header.ipv6NetworkCount += 1
        header.ipv6Lengths.insert(network.prefixLength)
      }
      return .added
    }
  }

  /// Hands out the last lines.
  ///
  /// - Returns: the header of the section.
  package mutating func finish(to sink: Sink) throws(FuseError) -> NetworkSection {
    try ipv4Runs.finish { start, answer throws(FuseError) in try fillers.add(.ipv4, start, answer, sink) }
    try ipv6Runs.finish { start, answer throws(FuseError) in try upper.add(start, answer, &fillers, sink) }
    try upper.finish(&fillers, sink)
    try fillers.finish(sink)
    header.runCounts = fillers.runCounts
    header.lineCounts = fillers.lineCounts
    return header
  }
}

/// The tables that are being filled.
private struct Fillers {
  private var ipv4: NetworkLineFiller
  private var ipv6: NetworkLineFiller
  private var deep: NetworkLineFiller
  private var lastDeep: (answer: NetworkAnswer, line: Int)?

  init(_ lanes: NetworkSection.Lanes) {
    ipv4 = NetworkLineFiller(lanes)
    ipv6 = NetworkLineFiller(lanes)
    deep = NetworkLineFiller(lanes)
  }

  var runCounts: NetworkSection.Counts { counts(\.runCount) }
  var lineCounts: NetworkSection.Counts { counts(\.lineCount) }

  private func counts(_ member: KeyPath<NetworkLineFiller, Int>) -> NetworkSection.Counts {
    var counts = NetworkSection.Counts()
    counts.ipv4 = ipv4[keyPath: member]
    counts.ipv6 = ipv6[keyPath: member]
    counts.deep = deep[keyPath: member]
    return counts
  }

  mutating func add(
    _ table: NetworkSection.Table, _ start: UInt128, _ answer: NetworkAnswer, _ sink: NetworkLines.Sink
  ) throws(FuseError) {
    if table == .ipv4 {
      _ = try ipv4.add(start, answer) { line, base throws(FuseError) in try sink(.ipv4, line, base) }
    } else {
      _ = try ipv6.add(start, answer) { line, base throws(FuseError) in try sink(.ipv6, line, base) }
    }
  }

  /// Adds a run to the table of longer blocks. Returns the line that answers for its start.
  ///
  /// Between two /64 with longer blocks nobody asks. So a run goes on there where the next one has the same answer. [A12]
  mutating func addDeep(
    _ start: UInt128, _ answer: NetworkAnswer, _ sink: NetworkLines.Sink
  ) throws(FuseError) -> Int {
    if let lastDeep, lastDeep.answer == answer { return lastDeep.line }
    let line = try deep.add(start, answer) { line, base throws(FuseError) in try sink(.deep, line, base) }
    lastDeep = (answer, line)
    return line
  }

  mutating func finish(_ sink: NetworkLines.Sink) throws(FuseError) {
    try ipv4.finish { line, base throws(FuseError) in try sink(.ipv4, line, base) }
    try ipv6.finish { line, base throws(FuseError) in try sink(.ipv6, line, base) }
    try deep.finish { line, base throws(FuseError) in try sink(.deep, line, base) }
  }
}

/// Divides runs of IPv6 addresses into those of the upper 64 bits and, for each /64 that has a longer block, those of all bits. [A12]
private struct UpperRuns {
  /// The answer of the addresses that were reached.
  private var current = NetworkAnswer.none
  /// The run over the upper bits that the next one ends.
  private var pending: (start: UInt64, answer: NetworkAnswer)?
  /// The answer of the run before that.
  private var before: NetworkAnswer?
  /// The /64 whose addresses were reached, if it has longer blocks.
  private var deep: UInt64?

  mutating func add(
    _ start: UInt128, _ answer: NetworkAnswer, _ fillers: inout Fillers, _ sink: NetworkLines.Sink
  ) throws(FuseError) {
    let block = UInt64(truncatingIfNeeded: start >> 64)
    if let deep, deep != block {
      // After a /64 the answer of its last addresses goes on.
      self.deep = nil
      try begin(current, at: deep + 1, &fillers, sink)
    }
    if UInt64(truncatingIfNeeded: start) == 0 {
      try begin(answer, at: block, &fillers, sink)
    } else {
      if deep == nil {
        deep = block
        let line = try fillers.addDeep(UInt128(block) << 64, current, sink)
        try begin(
          NetworkAnswer(object: UInt64(line), length: NetworkAnswer.deeperLength), at: block, &fillers, sink)
      }
      _ = try fillers.addDeep(start, answer, sink)
    }
    current = answer
  }

  mutating func finish(_ fillers: inout Fillers, _ sink: NetworkLines.Sink) throws(FuseError) {
    if let deep, deep < .max { try begin(current, at: deep + 1, &fillers, sink) }
    try handOut(&fillers, sink)
    pending = nil
  }

  private mutating func begin(
    _ answer: NetworkAnswer, at start: UInt64, _ fillers: inout Fillers, _ sink: NetworkLines.Sink
  ) throws(FuseError) {
    var answer = answer
    if (65...128).contains(answer.length) {
      // Longer blocks side by side that have one object: they fill whole /64 with one run, which has no end inside of them.
      let line = try fillers.addDeep(UInt128(start) << 64, answer, sink)
      answer = NetworkAnswer(object: UInt64(line), length: NetworkAnswer.deeperLength)
    }
    if let pending, pending.start < start { try handOut(&fillers, sink) }
    pending = (start, answer)
  }

  private mutating func handOut(_ fillers: inout Fillers, _ sink: NetworkLines.Sink) throws(FuseError) {
    guard let pending, pending.answer != before else { return }
    before = pending.answer
    try fillers.add(.ipv6, UInt128(pending.start), pending.answer, sink)
  }
}
