package import FuseDB
internal import Synchronization

/// A file that is served under a name, and what became of it while it was.
package final class ServedDatabase: Sendable {
  /// The name in addresses: letters, digits, `.`, `_` and `-`.
  package let name: String
  package let reader: ReloadableReader
  private let events = Mutex<[Event]>([])

  /// Something that happened to the file.
  package struct Event: Sendable {
    /// Seconds since 1970.
    package var time: Double
    /// The generation that served from then on.
    package var generation: Int
    /// Why a file was refused; nil where one was taken.
    package var refusal: FuseError?
    /// Whether somebody went back to the file before.
    package var isRollback: Bool

    package init(time: Double, generation: Int, refusal: FuseError?, isRollback: Bool = false) {
      self.time = time
      self.generation = generation
      self.refusal = refusal
      self.isRollback = isRollback
    }
  }

  package init(name: String, reader: ReloadableReader) {
    self.name = name
    self.reader = reader
  }

  /// How many events are kept.
  package static let eventLimit = 100

  /// Adds an event; the oldest goes where there are too many.
  package func note(_ event: Event) {
    events.withLock { events in
      if events.count == Self.eventLimit { events.removeFirst() }
      events.append(event)
    }
  }

  /// What happened, the newest last.
  package var history: [Event] { events.withLock { $0 } }
}
