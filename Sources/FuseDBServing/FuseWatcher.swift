public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Reloads a ``ReloadableReader`` or a ``FusePool`` when the file under its path changes.
///
///     let geo = try ReloadableReader(path: "geo.fsdb")
///     let watcher = try FuseWatcher(geo, onReload: { print("\($0.keyCount) keys") }, onFailure: { print($0) })
///     …
///     watcher.stop()
///
/// It sees a file that is renamed over the old one, copied over it, or created anew; symbolic links and folders on the
/// path that are swapped, as containers do; and a file, link or folder that is missing for a while. With the system's
/// file events a change is taken some 30 milliseconds after it is complete. Where there are none (network file systems,
/// more watches than the system allows) the file is looked at every ``Options/pollInterval``.
///
/// A file is taken when it is steady and passes the store's rules. Otherwise the old one serves on, and the reason is
/// reported once for each file. The watcher prints nothing. A store has one watcher: of two, only one hears of each file.
/// See spec/decisions/0015-watching.md.
public final class FuseWatcher: Sendable {
  private let work: WatchWork

  /// Begins to watch, on a thread of its own, until ``stop()`` or until the watcher is released.
  ///
  /// The functions are called on that thread, one at a time; what follows waits for them. They may reload the store,
  /// roll it back, and stop the watcher. To refer to the watcher itself without keeping it, they capture it weakly.
  ///
  /// The thread takes no signals, and neither do programs that the functions start, unless they unblock them.
  ///
  /// - Parameters:
  ///   - store: kept by the watcher.
  ///   - onReload: called after each file that the watcher took, with a reader of the newest file.
  ///   - onFailure: called once for each file that was refused, with the reason; `notFound` where none is there.
  /// - Throws: ``FuseError`` with code `inputOutput` where the system has no thread or no descriptor left.
  /// - Precondition: the poll interval is positive, the debounce not negative.
  public init(
    _ store: any Reloadable, options: Options = Options(), onReload: (@Sendable (FuseReader) -> Void)? = nil,
    onFailure: (@Sendable (FuseError) -> Void)? = nil
  ) throws(FuseError) {
    precondition(options.pollInterval > .zero, "the interval between looks at the file is positive")
    precondition(options.debounce >= .zero, "the time for which a file is steady is not negative")
    let work = WatchWork(
      store: store, options: options, onReload: onReload, onFailure: onFailure, waker: try Waker())
    try BackgroundWork.detachOrThrow { work.run() }
    self.work = work
  }

  deinit { stop() }

  /// Ends the watching. When this returns no function of the watcher's runs any more, and no file is taken any more: it
  /// waits for one that is being called, unless that is the caller, and not for a file that is being checked.
  /// Again, it does nothing.
  public func stop() { work.stop() }

  /// What happens from now on, until the watcher stops. Each use gives another sequence, and each of these all events;
  /// one that isn't read keeps the last 64.
  ///
  ///     for await event in watcher.events { … }
  public var events: AsyncStream<Event> { work.streams.stream() }

  /// What is watched.
  var store: any Reloadable { work.store }

  /// How often the thread woke up.
  var wakeCount: Int { work.wakeCount }
}

extension FuseWatcher {
  /// How a file is watched.
  public struct Options: Sendable {
    /// How often the file is looked at where no event tells of a change. A store that is swapped to another path is
    /// followed there by then.
    public var pollInterval = Duration.seconds(2)
    /// Whether the system's file events are used. Without them, changes are seen by polling alone.
    public var usesFileEvents = true
    /// For how long a file has to stay the same before it is examined, so that a copy in progress is left alone. Where
    /// files are written in place by something slow, whose events don't come, it has to be longer than the pauses.
    ///
    /// A file that never comes to rest is examined after a second, and if it is refused again after 2, 4, … 64 seconds.
    public var debounce = Duration.milliseconds(20)

    /// The default options.
    public init() {}
  }

  /// What happened to a file.
  public enum Event: Sendable, Hashable {
    /// A file was taken.
    case reloaded(path: String, generation: Int, keyCount: Int)
    /// A file was refused; the old one serves on.
    case refused(FuseError)
  }
}

/// Hands events to any number of consumers, each of which gets all from when it began.
final class EventStreams<Event: Sendable>: Sendable {
  /// A consumer that is slower loses the oldest.
  static var bufferedCount: Int { 64 }

  private struct State: Sendable {
    var consumers: [Int: AsyncStream<Event>.Continuation] = [:]
    var begunCount = 0
    var isFinished = false
  }

  // The continuations are called outside of it: they call back when a consumer goes.
  private let state = Monitor(State())

  /// How many consumers there are.
  var count: Int { state.change { $0.consumers.count } }

  func stream() -> AsyncStream<Event> {
    let (stream, consumer) = AsyncStream.makeStream(
      of: Event.self, bufferingPolicy: .bufferingNewest(Self.bufferedCount))
    let number: Int? = state.change { state in
      guard !state.isFinished else { return nil }
      state.begunCount += 1
      state.consumers[state.begunCount] = consumer
      return state.begunCount
    }
    guard let number else {
      consumer.finish()
      return stream
    }
    consumer.onTermination = { [weak self] _ in self?.state.change { $0.consumers[number] = nil } }
    return stream
  }

  func send(_ event: Event) {
    for consumer in state.change({ $0.consumers }).values { consumer.yield(event) }
  }

  /// Ends all streams, also those of later consumers.
  func finish() {
    let consumers = state.change { state in
      state.isFinished = true
      return state.consumers
    }
    for consumer in consumers.values { consumer.finish() }
  }
}
