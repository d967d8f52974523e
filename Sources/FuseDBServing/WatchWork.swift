internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import Synchronization

/// What a ``FuseWatcher`` shares with its thread, which does not keep the watcher itself.
final class WatchWork: Sendable {
  let store: any Reloadable
  let options: FuseWatcher.Options
  let onReload: (@Sendable (FuseReader) -> Void)?
  let onFailure: (@Sendable (FuseError) -> Void)?
  let streams = EventStreams<FuseWatcher.Event>()
  private let wakes = Atomic(0)
  private let gate = StopGate()
  /// It rings when the thread is to end.
  private let waker: Waker

  init(
    store: any Reloadable, options: FuseWatcher.Options, onReload: (@Sendable (FuseReader) -> Void)?,
    onFailure: (@Sendable (FuseError) -> Void)?, waker: Waker
  ) {
    self.store = store
    self.options = options
    self.onReload = onReload
    self.onFailure = onFailure
    self.waker = waker
  }

  /// How often the thread woke up.
  var wakeCount: Int { wakes.load(ordering: .relaxed) }

  /// Watches until ``stop()``.
  func run() {
    var thread = WatchThread(self)
    thread.run()
  }

  func stop() {
    waker.wake()
    gate.stop()
    streams.finish()
  }

  /// Waits for a descriptor or for time; nil when the thread is to end.
  func wait(orFor descriptor: Int32? = nil, atMost time: Duration) -> Waker.Event? {
    let event = waker.wait(orFor: descriptor, atMost: max(.zero, time))
    wakes.add(1, ordering: .relaxed)
    return event == .waker ? nil : event
  }

  /// Has the store take the file that it finds, and tells what came of that.
  ///
  /// - Parameters:
  ///   - untold: why the store refused the file before, if that was not told.
  ///   - isOutdated: asked when the file was refused: whether that is not worth telling, because another file is there
  ///     by now.
  /// - Returns: whether the file was refused, and nil if it was outdated.
  func reload(telling untold: inout FuseError?, unlessRefusedAnd isOutdated: () -> Bool) -> Bool? {
    var isInside = false
    defer { if isInside { gate.leave() } }
    let reason: FuseError
    do throws(FuseError) {
      let isTaken = try store.reloadIfChanged {
        isInside = gate.enter()
        return !isInside
      }
      if isTaken, isInside {
        let reader = store.snapshot()
        streams.send(
          .reloaded(path: store.path, generation: reader.generation, keyCount: reader.keyCount))
        onReload?(reader)
      }
      // The store gives a reason once for each file. If it knows this one, it was the other file that had come already.
      guard !isTaken, let earlier = untold else {
        untold = nil
        return false
      }
      reason = earlier
    } catch {
      if isOutdated() {
        untold = error
        return nil
      }
      reason = error
    }
    untold = nil
    isInside = isInside || gate.enter()
    if isInside {
      streams.send(.refused(reason))
      onFailure?(reason)
    }
    return true
  }
}
