internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// Keeps a thread from doing what must not be done any more once it was told to stop.
final class StopGate: Sendable {
  private struct State: Sendable {
    var isStopped = false
    var inside: ThreadIdentity?
  }

  private let state = Monitor(State())

  /// Lets the thread in, which then calls ``leave()``; returns false after ``stop()``. One thread alone uses the gate.
  func enter() -> Bool {
    state.change { state in
      guard !state.isStopped else { return false }
      state.inside = ThreadIdentity()
      return true
    }
  }

  func leave() { state.change { $0.inside = nil } }

  /// Lets nobody in any more, and waits until the thread has left, unless it is the thread itself that stops.
  func stop() {
    state.change { $0.isStopped = true }
    state.wait { $0.inside.map { $0.isOwn } ?? true ? () : nil }
  }
}
