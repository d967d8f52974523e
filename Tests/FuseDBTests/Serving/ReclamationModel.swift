/// The steps of `HazardCell`, in every order in which they and what they write can happen.
///
/// Memory is as on x86 (TSO): what a thread writes goes through a buffer of its own and reaches memory some time later, in
/// order; the thread itself reads it at once. A fence waits until the buffer is empty, and so does taking a lock. The
/// replacing thread's barrier waits until each other thread's buffer was empty once.
struct ReclamationModel: Hashable {
  /// What is left out, to see that the model notices.
  enum Flaw {
    case noBarrier, noFence, noValidation, noLookWhenLeaving, noLookWhenLate, noLookAtHazards
  }

  /// What must not happen.
  enum Failure {
    case readerUsesReleased, replacedIsKept, threadsWaitForever
  }

  enum Step: UInt8 {
    /// `fuse_enter`
    case load, announce, fenceEntering, validate
    case use
    /// `fuse_leave`
    case withdraw, fenceLeaving, look
    /// `HazardCellOwner.replace` with `fuse_replace`
    case lockToReplace, publish, fenceReplacing, barrier, unlockReplaced
    /// `HazardCellOwner.takeUnused` with `fuse_is_used`
    case lockToDispose, scan, unlockDisposed, release
    case done
  }

  struct Thread: Hashable {
    var step: Step
    /// How many reads or replacements are still to be done, the one under way included.
    var roundCount: UInt8
    /// What is used, as the thread believes.
    var object: UInt8 = 0
    /// Whether the object was replaced while the thread entered.
    var isLate = false
    /// Where the thread goes on when it has disposed.
    var next = Step.done
    /// How far it is in the barrier or the scan.
    var place: UInt8 = 0
    /// What the scan has found, a bit each.
    var unused: UInt8 = 0

    /// What may not be released; 0 for nothing.
    var used: UInt8 { step == .use || step == .withdraw ? object : 0 }
  }

  /// A write that has not reached memory.
  struct Write: Hashable {
    enum Place: UInt8 { case published, hazard, lock }
    var place: Place
    var value: UInt8
  }

  // Memory. Objects are numbered from 1 in the order in which they are published; 0 is none.
  private var published: UInt8 = 1
  private var hazards: [UInt8]
  private var isLocked = false
  // What the lock protects.
  private var replaced: [UInt8] = []
  private var current: UInt8 = 1
  private var released: UInt8 = 0
  /// The readers, and last the thread that replaces.
  private var threads: [Thread]
  private var buffers: [[Write]]

  init(readers: Int, reads: Int, replacements: Int) {
    threads = Array(repeating: Thread(step: .load, roundCount: UInt8(reads)), count: readers)
    threads.append(Thread(step: .lockToReplace, roundCount: UInt8(replacements)))
    hazards = Array(repeating: 0, count: readers)
    buffers = Array(repeating: [], count: readers + 1)
  }

  /// Tries all orders. Returns all that can go wrong, and how many states there are.
  func explore(readersFence: Bool, without flaw: Flaw? = nil) -> (failures: Set<Failure>, stateCount: Int) {
    var failures: Set<Failure> = []
    var seen: Set = [self]
    var open = [self]
    while let state = open.popLast() {
      var isStuck = true
      for thread in threads.indices {
        for drains in [false, true] {
          var next = state
          guard drains ? next.drain(thread) : next.advance(thread, readersFence, flaw) else { continue }
          isStuck = false
          if seen.insert(next).inserted { open.append(next) }
        }
      }
      if state.threads.contains(where: { state.isReleased($0.used) }) { failures.insert(.readerUsesReleased) }
      guard isStuck else { continue }
      if state.threads.contains(where: { $0.step != .done }) { failures.insert(.threadsWaitForever) }
      if !state.replaced.isEmpty { failures.insert(.replacedIsKept) }
    }
    return (failures, seen.count)
  }

  private func isReleased(_ object: UInt8) -> Bool { released & 1 << object != 0 }

  /// Lets a thread's oldest write reach memory.
  private mutating func drain(_ thread: Int) -> Bool {
    guard !buffers[thread].isEmpty else { return false }
    let write = buffers[thread].removeFirst()
    switch write.place {
    case .published: published = write.value
    case .hazard: hazards[thread] = write.value
    case .lock: isLocked = false
    }
    return true
  }

  private func loadPublished(_ thread: Int) -> UInt8 {
    buffers[thread].last { $0.place == .published }?.value ?? published
  }

  private func loadHazard(of reader: Int, _ thread: Int) -> UInt8 {
    guard reader == thread else { return hazards[reader] }
    return buffers[thread].last { $0.place == .hazard }?.value ?? hazards[reader]
  }

  /// Does a thread's next step, unless it waits.
  private mutating func advance(_ number: Int, _ readersFence: Bool, _ flaw: Flaw?) -> Bool {
    var thread = threads[number]
    let isFenced = buffers[number].isEmpty
    switch thread.step {
    case .load:
      thread.object = loadPublished(number)
      thread.step = .announce
    case .announce:
      buffers[number].append(Write(place: .hazard, value: thread.object))
      thread.step = readersFence && flaw != .noFence ? .fenceEntering : .validate
    case .fenceEntering:
      guard isFenced else { return false }
      thread.step = .validate
    case .validate:
      let still = flaw == .noValidation ? thread.object : loadPublished(number)
      if still != thread.object {
        thread.object = still
        thread.isLate = true
        thread.step = .announce
      } else if thread.isLate, flaw != .noLookWhenLate {
        thread.dispose(then: .use)
      } else {
        thread.step = .use
      }
      if thread.step != .announce { thread.isLate = false }
    case .use:
      thread.step = .withdraw
    case .withdraw:
      buffers[number].append(Write(place: .hazard, value: 0))
      thread.step = readersFence && flaw != .noFence ? .fenceLeaving : .look
    case .fenceLeaving:
      guard isFenced else { return false }
      thread.step = .look
    case .look:
      let isReplaced = loadPublished(number) != thread.object
      thread.object = 0
      thread.endRound(.load)
      if isReplaced, flaw != .noLookWhenLeaving { thread.dispose(then: thread.step) }
    case .lockToReplace:
      guard isFenced, !isLocked else { return false }
      isLocked = true
      thread.step = .publish
    case .publish:
      replaced.append(current)
      current += 1
      buffers[number].append(Write(place: .published, value: current))
      thread.step = .fenceReplacing
    case .fenceReplacing:
      guard isFenced else { return false }
      thread.step = readersFence || flaw == .noBarrier ? .unlockReplaced : .barrier
    case .barrier:
      guard buffers[Int(thread.place)].isEmpty else { return false }
      thread.place += 1
      if thread.place == hazards.count {
        thread.place = 0
        thread.step = .unlockReplaced
      }
    case .unlockReplaced:
      buffers[number].append(Write(place: .lock, value: 0))
      thread.endRound(.lockToReplace)
      thread.dispose(then: thread.step)
    case .lockToDispose:
      guard isFenced, !isLocked else { return false }
      isLocked = true
      thread.step = replaced.isEmpty ? .unlockDisposed : .scan
    case .scan:
      // One hazard of one replaced object at a time.
      let (object, reader) = Int(thread.place).quotientAndRemainder(dividingBy: hazards.count)
      let isUsed = flaw != .noLookAtHazards && loadHazard(of: reader, number) == replaced[object]
      if !isUsed, reader + 1 == hazards.count { thread.unused |= 1 << replaced[object] }
      thread.place = isUsed ? UInt8((object + 1) * hazards.count) : thread.place + 1
      if Int(thread.place) == replaced.count * hazards.count {
        thread.place = 0
        thread.step = .unlockDisposed
      }
    case .unlockDisposed:
      replaced.removeAll { thread.unused & 1 << $0 != 0 }
      buffers[number].append(Write(place: .lock, value: 0))
      thread.step = thread.unused == 0 ? thread.next : .release
    case .release:
      released |= thread.unused
      thread.unused = 0
      thread.step = thread.next
    case .done:
      return false
    }
    threads[number] = thread
    return true
  }
}

extension ReclamationModel.Thread {
  fileprivate mutating func endRound(_ first: ReclamationModel.Step) {
    roundCount -= 1
    step = roundCount == 0 ? .done : first
  }

  fileprivate mutating func dispose(then next: ReclamationModel.Step) {
    self.next = next
    step = .lockToDispose
  }
}
