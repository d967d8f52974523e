import Testing

/// The rules for marks, as a machine, and every order in which its steps can come. [SM2] [SM4] [SP5]
///
/// Pack 0 keeps an object. One process takes that back; another puts the object; a collection copies the mark again and again, and removes the pack that
/// had it. Each may be killed between two steps. What is asked: what was put is kept, what was taken back is not, as far as one came after the other.
@Suite struct MarkModelTests {
  /// Which rule the machine leaves out, to see that it is needed.
  enum Fault: CaseIterable {
    case none
    /// What was taken back while it was copied is not looked at.
    case copiesWhatItRead
    /// It is looked at, and the lock is given up before the copy's index is there.
    case sealsWithoutLock
    /// The pack of a process that died before its index was there is made whole.
    case keepsUnsealed
    /// A writer believes the marks that it read when it began.
    case believesOldMarks
  }

  struct Pack: Hashable {
    enum Step: Hashable { case open, named, sealed }
    var step = Step.sealed
    var isGone = false
    var isThere = true
    /// Whether the process that made it died before its index was there.
    var isOrphan = false

    var keeps: Bool { step == .sealed && isThere && !isGone }
  }

  struct Process: Hashable {
    enum Step: Hashable { case idle, listed, asked, looked, named, locked, done, dead }
    var step = Step.idle
    /// The packs that it saw, and those of them that kept the object.
    var seen: [Int] = []
    var kept: [Int] = []
    /// The pack that it makes.
    var own = -1
  }

  struct State: Hashable {
    var packs = [Pack()]
    var putter = Process()
    var remover = Process()
    var collector = Process()
    var isLocked = false
    var passes = 0
    var putCameAfter = false
    var removalCameAfter = false

    var keeps: Bool { packs.contains(where: \.keeps) }
    var visible: [Int] { packs.indices.filter { packs[$0].step == .sealed && packs[$0].isThere } }
  }

  static func isSafe(_ state: State) -> Bool {
    if state.remover.step == .idle { return state.keeps }
    if state.remover.step == .done, [.idle, .listed].contains(state.putter.step) || state.removalCameAfter {
      return !state.keeps
    }
    if state.putter.step == .done, state.putCameAfter { return state.keeps }
    return true
  }

  static func followers(of state: State, _ fault: Fault) -> [State] {
    put(state, fault) + remove(state) + collect(state, fault)
  }

  private static func killed(_ state: State, _ path: WritableKeyPath<State, Process>) -> State {
    var state = state
    if state[keyPath: path].step == .locked || (path == \.collector && state.collector.step == .named) {
      state.isLocked = false
    }
    let own = state[keyPath: path].own
    if own >= 0, state.packs[own].step != .sealed {
      if state.packs[own].step == .open { state.packs[own].isThere = false } else { state.packs[own].isOrphan = true }
    }
    state[keyPath: path] = Process(step: path == \.collector ? .idle : .dead)
    return state
  }

  private static func put(_ state: State, _ fault: Fault) -> [State] {
    var next = state
    switch state.putter.step {
    case .idle:
      next.putter = Process(step: .listed, seen: state.visible, kept: state.visible.filter { state.packs[$0].keeps })
    case .listed:
      next.putter.step = .asked
      next.putCameAfter = state.remover.step == .done
    case .asked:
      // The lists of what was taken back are read again.
      let isKept = state.putter.kept.contains { fault == .believesOldMarks || !state.packs[$0].isGone }
      next.putter.step = isKept ? .done : .looked
    case .looked:
      next.putter.own = state.packs.count
      next.packs.append(Pack(step: .named))
      next.putter.step = .named
    case .named:
      next.packs[state.putter.own].step = .sealed
      next.putter.step = .done
    default: return []
    }
    return [next, killed(state, \.putter)]
  }

  private static func remove(_ state: State) -> [State] {
    var next = state
    switch state.remover.step {
    case .idle:
      next.remover.step = .looked
      next.removalCameAfter = state.putter.step == .done
    case .looked:
      guard !state.isLocked else { return [] }
      next.isLocked = true
      next.remover.step = .locked
    case .locked:
      for pack in state.visible { next.packs[pack].isGone = true }
      next.isLocked = false
      next.remover.step = .done
    default: return []
    }
    return [next, killed(state, \.remover)]
  }

  private static func collect(_ state: State, _ fault: Fault) -> [State] {
    var next = state
    let collector = state.collector
    switch collector.step {
    case .idle:
      guard state.passes < 3 else { return [] }
      next.passes += 1
      for place in state.packs.indices where state.packs[place].isOrphan && state.packs[place].step == .named {
        if fault == .keepsUnsealed { next.packs[place].step = .sealed } else { next.packs[place].isThere = false }
        next.packs[place].isOrphan = false
      }
      next.collector = Process(
        step: .listed, seen: next.visible, kept: next.visible.filter { next.packs[$0].keeps })
      return [next]
    case .listed:
      if !collector.kept.isEmpty {
        next.collector.own = state.packs.count
        next.packs.append(Pack(step: .open))
      }
      next.collector.step = .looked
    case .looked:
      guard collector.own >= 0 else {
        next.collector.step = .done
        break
      }
      guard !state.isLocked else { return [killed(state, \.collector)] }
      next.isLocked = fault != .sealsWithoutLock
      let wasTakenBack = collector.kept.contains { state.packs[$0].isGone }
      next.packs[collector.own].isGone = wasTakenBack && fault != .copiesWhatItRead
      next.packs[collector.own].step = .named
      next.collector.step = .named
    case .named:
      next.packs[collector.own].step = .sealed
      if fault != .sealsWithoutLock { next.isLocked = false }
      next.collector.step = .done
    case .done:
      // Packs that a writer saw stay while it lives.
      let isWriting = [.listed, .asked, .looked, .named].contains(state.putter.step)
      for pack in collector.seen where !isWriting { next.packs[pack].isThere = false }
      next.collector = Process()
    default: return []
    }
    return [next, killed(state, \.collector)]
  }

  static func explore(_ fault: Fault) -> (count: Int, isSafe: Bool) {
    var known: Set<State> = [State()]
    var open = [State()]
    var safe = true
    while let state = open.popLast() {
      if !isSafe(state) {
        safe = false
        if fault != .none { break }
      }
      for state in followers(of: state, fault) where known.insert(state).inserted { open.append(state) }
    }
    return (known.count, safe)
  }

  @Test func `no order loses a mark, and none brings one back that was taken back`() {
    let (count, isSafe) = Self.explore(.none)
    #expect(count > 1_000)
    #expect(isSafe)
  }

  @Test(arguments: Fault.allCases.filter { $0 != .none })
  func `each rule is needed: without it a mark is lost or comes back`(fault: Fault) {
    #expect(!Self.explore(fault).isSafe, "\(fault)")
  }
}
