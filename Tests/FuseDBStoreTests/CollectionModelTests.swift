import Testing

/// The collection's rules, as a machine of a few numbers, and every order in which its steps can come. [SG]
///
/// One chunk, in pack 0 at first, that nothing needs. Two writers put an object that has it; a collection runs again and again. Any of them may be
/// killed between two steps. What is asked: a name never leads to a chunk that is nowhere, and what nothing needs goes in the end.
@Suite struct CollectionModelTests {
  /// Which rule the machine leaves out, to see that it is needed.
  enum Fault: CaseIterable {
    case none
    /// Writers do not look at the generation again after they are registered.
    case noSecondLook
    /// Writers rely on packs that are condemned.
    case reliesOnCondemned
    /// Packs are removed while older writers live.
    case ignoresOlderWriters
    /// What lives is looked for before older writers.
    case marksFirst
    /// Packs are removed in the pass that condemns them.
    case removesAtOnce
  }

  struct Writer: Hashable {
    enum Step: Hashable { case idle, read, registered, looked, wrote, sealed, named, ended, dead }
    var step = Step.idle
    var generation = 0
    /// Whether it relies on another's copy; otherwise it writes its own.
    var relies = false
  }

  struct Pack: Hashable {
    var isThere = true
    /// The list that it is on; 0 for none.
    var condemned = 0
  }

  struct Collector: Hashable {
    enum Step: Hashable { case idle, knowsWriters, knowsNames, marked, copied, condemned }
    var step = Step.idle
    /// The generation of the oldest writer that lives.
    var oldest = 0
    var isLive = false
    /// The packs that it saw, and whether each is to be removed or condemned.
    var seen: [Int] = []
    var removable: [Int] = []
  }

  struct State: Hashable {
    var generation = 0
    /// Packs that have the chunk.
    var packs = [Pack()]
    var writers = [Writer(), Writer()]
    var collector = Collector()
    var passes = 0
  }

  static func isLive(_ state: State) -> Bool {
    state.writers.contains { $0.step == .named || $0.step == .ended }
  }

  static func followers(of state: State, _ fault: Fault) -> [State] {
    var all: [State] = []
    for number in state.writers.indices { all += step(state, writer: number, fault) }
    return all + step(state, fault)
  }

  static func step(_ state: State, writer number: Int, _ fault: Fault) -> [State] {
    var next = state
    var all: [State] = []
    let writer = state.writers[number]
    // A process that dies gives its lock up. What it named stays.
    if ![.idle, .ended, .dead, .named].contains(writer.step) {
      var killed = state
      killed.writers[number].step = .dead
      all.append(killed)
    }
    switch writer.step {
    case .idle: next.writers[number] = Writer(step: .read, generation: state.generation)
    case .read: next.writers[number].step = .registered
    case .registered:
      if fault != .noSecondLook, state.generation != writer.generation {
        next.writers[number] = Writer()
      } else {
        next.writers[number].step = .looked
        // What it sees now is what it relies on.
        next.writers[number].relies = state.packs.contains {
          $0.isThere && ($0.condemned == 0 || fault == .reliesOnCondemned || $0.condemned > writer.generation)
        }
      }
    case .looked: next.writers[number].step = .wrote
    case .wrote:
      next.writers[number].step = .sealed
      if !writer.relies { next.packs.append(Pack()) }
    case .sealed: next.writers[number].step = .named
    case .named: next.writers[number].step = .ended
    case .ended, .dead: return all
    }
    return all + [next]
  }

  static func step(_ state: State, _ fault: Fault) -> [State] {
    var next = state
    let collector = state.collector
    func oldest() -> Int {
      let living = state.writers.filter { [.registered, .looked, .wrote, .sealed, .named].contains($0.step) }
      return living.map(\.generation).min() ?? .max
    }
    switch collector.step {
    case .idle:
      guard state.passes < 4 else { return [] }
      next.passes += 1
      next.collector = Collector(step: .knowsWriters, oldest: oldest())
      if fault == .marksFirst { next.collector.isLive = isLive(state) }
    case .knowsWriters:
      next.collector.step = .knowsNames
      if fault == .marksFirst { next.collector.oldest = oldest() } else { next.collector.isLive = isLive(state) }
    case .knowsNames:
      next.collector.step = .marked
      next.collector.seen = state.packs.indices.filter { state.packs[$0].isThere }
      next.collector.removable = next.collector.seen.filter { place in
        let list = state.packs[place].condemned
        return list > 0 && (list <= collector.oldest || fault == .ignoresOlderWriters)
      }
    case .marked:
      next.collector.step = .copied
      // What leaves and is needed is copied; a copy that stays is enough.
      if collector.isLive, !collector.seen.contains(where: { state.packs[$0].condemned == 0 }) {
        next.packs.append(Pack())
      }
    case .copied:
      next.collector.step = .condemned
      // Nothing of these is needed, as far as this pass knows.
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
    // A collection that is killed leaves what it did.
    var killed = state
    killed.collector = Collector()
    return collector.step == .idle ? [next] : [next, killed]
  }

  /// How many states there are, and whether each keeps what was asked.
  static func explore(_ fault: Fault) -> (count: Int, isSafe: Bool, isClean: Bool) {
    var known: Set<State> = [State()]
    var open = [State()]
    var (isSafe, isClean) = (true, true)
    while let state = open.popLast() {
      if isLive(state), !state.packs.contains(where: { $0.isThere }) { isSafe = false }
      let next = followers(of: state, fault)
      if next.isEmpty, !isLive(state), state.passes == 4 {
        // Both writers died, and nothing is needed: two passes more take all there is.
        if !cleaned(state, fault) { isClean = false }
      }
      for state in next where known.insert(state).inserted { open.append(state) }
    }
    return (known.count, isSafe, isClean)
  }

  static func cleaned(_ state: State, _ fault: Fault) -> Bool {
    var state = state
    state.passes = 2
    for _ in 0..<12 { if let next = step(state, fault).first { state = next } }
    return !state.packs.contains { $0.isThere }
  }

  @Test func `no order of writers, collections and kills loses what is named, and nothing stays for ever`() {
    let (count, isSafe, isClean) = Self.explore(.none)
    #expect(count > 10_000)
    #expect(isSafe)
    #expect(isClean)
  }

  @Test(arguments: Fault.allCases.filter { $0 != .none })
  func `each rule is needed: without it something is lost`(fault: Fault) {
    #expect(!Self.explore(fault).isSafe, "\(fault)")
  }
}
