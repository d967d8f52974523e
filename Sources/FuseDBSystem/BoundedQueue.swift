internal import FuseDBFormat

/// Hands elements from threads to threads, in order, and makes the giving ones wait while too many are on their way.
package final class BoundedQueue<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var isClosed = false
  }

  private let capacity: Int
  private let state = Monitor(State())

  package init(capacity: Int) { self.capacity = capacity }

  /// Adds an element once there is room. Returns false, without adding it, when the queue is closed.
  package func push(_ element: Element) -> Bool {
    let capacity = capacity
    return state.wait { state in
      if state.isClosed { return false }
      guard state.elements.count < capacity else { return nil }
      state.elements.append(element)
      return true
    }
  }

  /// Takes the oldest element once there is one. Returns nil when the queue is closed and empty.
  package func pop() -> Element? {
    state.wait { state -> Element?? in
      if !state.elements.isEmpty { return .some(state.elements.removeFirst()) }
      return state.isClosed ? .some(nil) : nil
    }
  }

  /// Lets nothing more in.
  package func close() { state.change { $0.isClosed = true } }
}
