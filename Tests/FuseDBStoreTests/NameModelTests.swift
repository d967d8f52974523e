import Testing

/// Names that move while a collection reads them, one after the other, and every order of that. [SG1] [SG4]
///
/// Pack 0 has a chunk that nothing needs. A writer that relies on it names it `a`; another has `b` lead to it and takes `a` away; a third moves it back. A
/// collection reads `a` and then `b`, so it may find neither. What is asked: while a name leads to the chunk, the chunk is there.
@Suite struct NameModelTests {
  enum Fault: CaseIterable {
    case none
    /// Who has another name lead to the chunk does not store anew what is on its way out.
    case movesWithoutStoring
    /// A pack is removed in the pass that condemns it.
    case removesAtOnce
    /// Older writers do not count.
    case ignoresOlderWriters
  }

  struct Writer: Hashable {
    enum Step: Hashable { case idle, registered, looked, sealed, named, ended }
    var step = Step.idle
    var generation = 0
    var relies = false
  }

  struct Collector: Hashable {
    enum Step: Hashable { case idle, knowsWriters, knowsFirst, knowsNames, marked, copied, condemned }
    var step = Step.idle
    var oldest = 0
    var isLive = false
    var seen: [Int] = []
    var removable: [Int] = []
  }

  struct Pack: Hashable {
    var isThere = true
    var condemned = 0
  }

  struct State: Hashable {
    var names = [false, false]
    var generation = 0
    var packs = [Pack()]
    var writers = [Writer(), Writer(), Writer()]
    var collector = Collector()
    var passes = 0

    var isThere: Bool { packs.contains { $0.isThere } }
  }

  /// Which name a writer sets, and which it takes away.
  private static let moves = [(to: 0, from: Int?.none), (to: 1, from: 0), (to: 0, from: 1)]

  private static func step(_ state: State, writer number: Int, _ fault: Fault) -> [State] {
    var next = state
    let (writer, move) = (state.writers[number], moves[number])
    switch writer.step {
    case .idle:
      // One after the other.
      guard number == 0 || state.writers[number - 1].step == .ended else { return [] }
      next.writers[number] = Writer(step: .registered, generation: state.generation)
    case .registered:
      guard state.generation == writer.generation else {
        next.writers[number].step = .idle
        break
      }
      next.writers[number].step = .looked
      next.writers[number].relies = state.packs.contains {
        $0.isThere && ($0.condemned == 0 || (fault == .movesWithoutStoring && number > 0))
      }
    case .looked:
      if !writer.relies { next.packs.append(Pack()) }
      next.writers[number].step = .sealed
    case .sealed:
      next.names[move.to] = true
      next.writers[number].step = .named
    case .named:
      if let from = move.from { next.names[from] = false }
      next.writers[number].step = .ended
    case .ended: return []
    }
    return [next]
  }

  private static func step(_ state: State, _ fault: Fault) -> [State] {
    var next = state
    let collector = state.collector
    switch collector.step {
    case .idle:
      guard state.passes < 4 else { return [] }
      next.passes += 1
      let living = state.writers.filter { $0.step != .idle && $0.step != .ended }
      next.collector = Collector(step: .knowsWriters, oldest: living.map(\.generation).min() ?? .max)
      return [next]
    case .knowsWriters:
      next.collector.isLive = state.names[0]
      next.collector.step = .knowsFirst
    case .knowsFirst:
      next.collector.isLive = collector.isLive || state.names[1]
      next.collector.step = .knowsNames
    case .knowsNames:
      next.collector.step = .marked
      next.collector.seen = state.packs.indices.filter { state.packs[$0].isThere }
      next.collector.removable = next.collector.seen.filter { place in
        let list = state.packs[place].condemned
        return list > 0 && (list <= collector.oldest || fault == .ignoresOlderWriters)
      }
    case .marked:
      next.collector.step = .copied
      if collector.isLive, !collector.seen.contains(where: { state.packs[$0].condemned == 0 }) {
        next.packs.append(Pack())
      }
    case .copied:
      next.collector.step = .condemned
      let dead = collector.isLive ? [] : collector.seen.filter { state.packs[$0].condemned == 0 }
      if !dead.isEmpty {
        next.generation += 1
        for place in dead { next.packs[place].condemned = next.generation }
        if fault == .removesAtOnce { next.collector.removable += dead }
      }
    case .condemned:
      for place in collector.removable { next.packs[place].isThere = false }
      next.collector = Collector()
    }
    var killed = state
    killed.collector = Collector()
    return [next, killed]
  }

  static func explore(_ fault: Fault) -> (count: Int, isSafe: Bool) {
    var known: Set<State> = [State()]
    var open = [State()]
    var safe = true
    while let state = open.popLast() {
      if state.names.contains(true), !state.isThere {
        safe = false
        if fault != .none { break }
      }
      for number in state.writers.indices {
        for next in step(state, writer: number, fault) where known.insert(next).inserted { open.append(next) }
      }
      for next in step(state, fault) where known.insert(next).inserted { open.append(next) }
    }
    return (known.count, safe)
  }

  @Test func `no order of moves and readings loses what a name leads to`() {
    let (count, isSafe) = Self.explore(.none)
    #expect(count > 1_000)
    #expect(isSafe)
  }

  @Test(arguments: Fault.allCases.filter { $0 != .none })
  func `each rule is needed: without it something is lost`(fault: Fault) {
    #expect(!Self.explore(fault).isSafe, "\(fault)")
  }
}
