import Testing

/// The collection's rules for what needs others, as a machine, and every order in which its steps can come. [SG6] [SG7]
///
/// A name has two versions, B and X, both whole at first. One writer adds a third: with it, X is a patch of B. Another has a second name lead to X, or
/// to what is a patch of X. The first name may be removed. A collection runs again and again. Each may be killed between two steps. What is asked:
/// whatever a name leads to can be read, and in the end nothing is left that no name needs.
@Suite struct DependencyModelTests {
  /// Which rule the machine leaves out, to see that it is needed.
  enum Fault: CaseIterable {
    case none
    /// What a patch begins from is not needed with it.
    case noBases
    /// What a patch begins from may itself be kept as patches.
    case patchesForBases
    /// Writers rely on a patch without a look at what it begins from.
    case reliesOnPatchAlone
    /// Writers do not store anew what is condemned.
    case reliesOnCondemned
  }

  /// What a pack may have: B, the whole X, and X as a patch of B.
  static let base: UInt8 = 1, whole: UInt8 = 2, patched: UInt8 = 4

  struct Pack: Hashable {
    var has: UInt8
    var isThere = true
    var condemned = 0
  }

  struct Writer: Hashable {
    enum Step: Hashable { case idle, read, registered, looked, sealed, ended, dead }
    var step = Step.idle
    var generation = 0
    /// What it stores itself.
    var stores: UInt8 = 0
  }

  struct Collector: Hashable {
    enum Step: Hashable { case idle, knowsWriters, knowsNames, marked, copied }
    var step = Step.idle
    var oldest = 0
    var list = 0
    var other = false
    var needed: UInt8 = 0
    var seen: [Int] = []
    var removable: [Int] = []
  }

  struct State: Hashable {
    /// How many versions the first name has.
    var list = 2
    /// Whether the second name is there.
    var other = false
    var generation = 0
    var packs = [Pack(has: base), Pack(has: whole)]
    var writers = [Writer(), Writer()]
    var collector = Collector()
    var passes = 0

    var there: UInt8 { packs.reduce(0) { $1.isThere ? $0 | $1.has : $0 } }
  }

  /// What the second name leads to: X, or a patch of X.
  struct Machine {
    var fault = Fault.none
    var otherNeedsWhole: Bool
    /// A machine that lacks a rule is looked at until something is lost.
    private var endsAtLoss: Bool { fault != .none }

    init(fault: Fault = .none, otherNeedsWhole: Bool) {
      (self.fault, self.otherNeedsWhole) = (fault, otherNeedsWhole)
    }

    func isSafe(_ state: State) -> Bool {
      let there = state.there
      let isReadable = there & whole != 0 || there & (patched | base) == patched | base
      if state.list > 0, there & base == 0 || !isReadable { return false }
      return !state.other || (otherNeedsWhole ? there & whole != 0 : isReadable)
    }

    func followers(of state: State) -> [State] {
      var all = step(state)
      for number in state.writers.indices { all += step(state, writer: number) }
      if state.list > 0 {
        var next = state
        next.list = 0
        all.append(next)
      }
      return all
    }

    func step(_ state: State, writer number: Int) -> [State] {
      var next = state
      var all: [State] = []
      let writer = state.writers[number]
      if ![.idle, .ended, .dead].contains(writer.step) {
        var killed = state
        killed.writers[number].step = .dead
        all.append(killed)
      }
      switch writer.step {
      case .idle: next.writers[number] = Writer(step: .read, generation: state.generation)
      case .read: next.writers[number].step = .registered
      case .registered:
        guard state.generation == writer.generation else {
          next.writers[number] = Writer()
          break
        }
        guard let stores = number == 0 ? patched : otherStores(state) else {
          next.writers[number].step = .dead
          break
        }
        next.writers[number].stores = stores
        next.writers[number].step = .looked
      case .looked:
        next.writers[number].step = .sealed
        if writer.stores != 0 { next.packs.append(Pack(has: writer.stores)) }
      case .sealed:
        next.writers[number].step = .ended
        // The list is read once more, alone: if it is gone, there is nothing to lengthen.
        if number == 1 { next.other = true } else if state.list > 0 { next.list = 3 }
      case .ended, .dead: return all
      }
      return all + [next]
    }

    /// What the second writer has to store, by what it sees; nil where X is nowhere.
    private func otherStores(_ state: State) -> UInt8? {
      let reliable = state.packs.reduce(UInt8(0)) {
        $1.isThere && ($1.condemned == 0 || fault == .reliesOnCondemned) ? $0 | $1.has : $0
      }
      let there = state.there
      let isMade = there & (patched | base) == patched | base
      if reliable & whole != 0 { return 0 }
      if reliable & patched != 0, !otherNeedsWhole, fault == .reliesOnPatchAlone { return 0 }
      if otherNeedsWhole || there & whole != 0 { return there & whole != 0 || isMade ? whole : nil }
      guard isMade else { return nil }
      return (patched | base) & ~reliable
    }

    func step(_ state: State) -> [State] {
      var next = state
      let collector = state.collector
      switch collector.step {
      case .idle:
        guard state.passes < 4 else { return [] }
        next.passes += 1
        let living = state.writers.filter { [.registered, .looked, .sealed].contains($0.step) }
        next.collector = Collector(step: .knowsWriters, oldest: living.map(\.generation).min() ?? .max)
      case .knowsWriters:
        (next.collector.list, next.collector.other) = (state.list, state.other)
        next.collector.step = .knowsNames
      case .knowsNames:
        next.collector.step = .marked
        next.collector.seen = state.packs.indices.filter { state.packs[$0].isThere }
        next.collector.removable = next.collector.seen.filter { place in
          (1...max(1, collector.oldest)).contains(state.packs[place].condemned)
            && state.packs[place].condemned <= collector.oldest
        }
        next.collector.needed = needed(collector, state.there)
      case .marked:
        next.collector.step = .copied
        // What is needed and stands in no pack that stays is copied; a pack that has anything else is given up.
        let staying = collector.seen.filter {
          state.packs[$0].condemned == 0 && state.packs[$0].has & ~collector.needed == 0
        }
        let missing = collector.needed & state.there & ~staying.reduce(UInt8(0)) { $0 | state.packs[$1].has }
        if missing != 0 { next.packs.append(Pack(has: missing)) }
      case .copied:
        let given = collector.seen.filter {
          state.packs[$0].condemned == 0 && state.packs[$0].has & ~collector.needed != 0
        }
        if !given.isEmpty {
          next.generation += 1
          for place in given { next.packs[place].condemned = next.generation }
        }
        for place in collector.removable { next.packs[place].isThere = false }
        next.collector = Collector()
      }
      var killed = state
      killed.collector = Collector()
      return collector.step == .idle ? [next] : [next, killed]
    }

    /// [SG7]: the newest version, what a name leads to and what patches begin from stay whole, as long as they are.
    private func needed(_ collector: Collector, _ there: UInt8) -> UInt8 {
      var needed: UInt8 = collector.list > 0 ? base : 0
      let isNeeded = collector.list > 0 || collector.other
      guard isNeeded else { return 0 }
      let staysWhole = collector.list == 2 || (collector.other && !(otherNeedsWhole && fault == .patchesForBases))
      if there & whole != 0, staysWhole || there & patched == 0 {
        needed |= whole
      } else {
        needed |= patched
        if fault != .noBases { needed |= base }
      }
      return needed
    }

    func explore() -> (count: Int, isSafe: Bool, isClean: Bool) {
      var known: Set<State> = [State()]
      var open = [State()]
      var (safe, clean) = (true, true)
      while let state = open.popLast() {
        if !isSafe(state) {
          safe = false
          if endsAtLoss { break }
          continue
        }
        let next = followers(of: state)
        if next.isEmpty, state.list == 0, !state.other, !isEmpty(after: state) { clean = false }
        for state in next where known.insert(state).inserted { open.append(state) }
      }
      return (known.count, safe, clean)
    }

    private func isEmpty(after state: State) -> Bool {
      var state = state
      state.passes = 2
      for _ in 0..<10 { if let next = step(state).first { state = next } }
      return state.there == 0
    }
  }

  @Test(arguments: [false, true]) func `no order loses what a name leads to, and nothing stays for ever`(
    needsWhole: Bool
  ) {
    let (count, isSafe, isClean) = Machine(otherNeedsWhole: needsWhole).explore()
    #expect(count > 10_000)
    #expect(isSafe)
    #expect(isClean)
  }

  @Test(arguments: Fault.allCases.filter { $0 != .none })
  func `each rule is needed: without it something is lost`(fault: Fault) {
    #expect([false, true].contains { !Machine(fault: fault, otherNeedsWhole: $0).explore().isSafe }, "\(fault)")
  }
}
