internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What the thread of a ``FuseWatcher`` does: it waits for a change, lets the file come to rest, and reloads.
struct WatchThread {
  /// How long a file may be restless, at first and at most.
  private static let patience = Duration.seconds(1)...Duration.seconds(64)
  /// How often a restless file is looked at, and how often a folder that is busy with other names.
  private static let pause = Duration.milliseconds(10)

  /// What is under the path at one moment.
  private struct Look: Equatable {
    var path: String
    var identity: FileIdentity
  }

  private let work: WatchWork
  private var events: PathEvents?
  /// What the store was last told to take.
  private var examined: Look?
  /// Why it refused what was gone by then, or had just come.
  private var untold: FuseError?
  /// Since when there is something that it was not told to take.
  private var changedSince: Duration?
  private var patience = Self.patience.lowerBound

  init(_ work: WatchWork) { self.work = work }

  mutating func run() {
    repeat {
      var current = look()
      // Whether a file that looks as before is the same, the store knows best.
      if current == examined { examine(current, isForced: false) }
      // What changes while the store is busy is not waited for.
      while current != examined {
        guard let rest = comingToRest(current) else { return }
        examine(rest.look, isForced: rest.isForced)
        current = look()
      }
    } while waitForChange()
  }

  private mutating func look() -> Look {
    let path = ServedFile.place(of: work.store.absolutePath)
    if work.options.usesFileEvents {
      // Where the system had none left, it may have some by now.
      if events == nil { events = PathEvents() }
      // Of what they tell, all is looked at now.
      _ = events?.take()
      events?.follow(path)
    }
    return Look(path: path, identity: FileIdentity(path: path))
  }

  /// Waits until the file stays the same, or patience ends. Returns it; nil when the thread is to end.
  private mutating func comingToRest(_ first: Look) -> (look: Look, isForced: Bool)? {
    let debounce = work.options.debounce
    var current = first
    var same = MonotonicClock.now
    let end = (changedSince ?? same) + max(patience, debounce * 2)
    changedSince = changedSince ?? same
    while true {
      let now = MonotonicClock.now
      let isQuiet = now - same >= debounce && events?.isBeingWritten != true
      if isQuiet || now >= end { return (current, isForced: !isQuiet) }
      guard work.wait(atMost: min(max(debounce, .milliseconds(1)), Self.pause)) != nil else { return nil }
      let next = look()
      if next != current {
        current = next
        same = MonotonicClock.now
      }
    }
  }

  private mutating func examine(_ found: Look, isForced: Bool) {
    examined = found
    // A refusal of what is gone already says nothing; but a file that is never at rest has to be reported.
    var after: Look?
    var untold = untold
    defer { self.untold = untold }
    let isRefused = work.reload(telling: &untold) {
      after = look()
      return !isForced && after != found
    }
    guard let isRefused else { return }
    changedSince = nil
    patience = isForced && isRefused ? min(patience * 2, Self.patience.upperBound) : Self.patience.lowerBound
  }

  /// Waits until it is time for a look. Returns false when the thread is to end.
  private func waitForChange() -> Bool {
    let options = work.options
    // What is found then has to stay the same for a while, and shall have been taken when the interval is over.
    let end = MonotonicClock.now + max(options.pollInterval - options.debounce, options.pollInterval / 2)
    while true {
      guard let event = work.wait(orFor: events?.number, atMost: end - MonotonicClock.now) else { return false }
      // A folder that is never quiet must not keep the thread from looking.
      guard event == .descriptor, let events, MonotonicClock.now < end else { return true }
      if events.take() { return true }
      guard work.wait(atMost: Self.pause) != nil else { return false }
    }
  }
}

/// Keeps a thread from doing what must not be done any more once it was told to stop.
package final class StopGate: Sendable {
  private struct State: Sendable {
    var isStopped = false
    var inside: ThreadIdentity?
  }

  private let state = Monitor(State())

  package init() {}

  /// Lets the thread in, which then calls ``leave()``; returns false after ``stop()``. One thread alone uses the gate.
  package func enter() -> Bool {
    state.change { state in
      guard !state.isStopped else { return false }
      state.inside = ThreadIdentity()
      return true
    }
  }

  package func leave() { state.change { $0.inside = nil } }

  /// Lets no thread in any more, and waits until the thread has left, unless it is the thread itself that stops.
  package func stop() {
    state.change { $0.isStopped = true }
    state.wait { $0.inside.map { $0.isOwn } ?? true ? () : nil }
  }
}
