internal import FuseDB
internal import FuseDBCommands
internal import FuseDBWeb
internal import Synchronization

/// A file that is to be served under a name: watched, and waited for where it is not there yet.
final class Slot: Sendable {
  let name: String
  let nameBytes: [UInt8]
  let path: String
  private let options: ServingOptions
  private let tell: @Sendable (ServeEvent) -> Void
  /// What serves: 0, or the address of an object that is retained for as long as this one lives.
  private let current = Atomic<UInt>(0)
  private let state = Mutex(State())

  private struct State: Sendable {
    var watcher: FuseWatcher?
    var isStopped = false
    /// Why there is nothing to serve.
    var reason: FuseError?
    var attemptCount = 0
    /// What takes long to count, of this generation.
    var statistics: (generation: Int, statistics: Statistics)?
  }

  init(_ file: Serve.File, keeping keptFileCount: Int, _ tell: @escaping @Sendable (ServeEvent) -> Void) {
    name = file.name
    nameBytes = Array(file.name.utf8)
    path = file.path
    options = {
      var options = ServingOptions()
      options.countsLookups = true
      options.keptFileCount = keptFileCount
      return options
    }()
    self.tell = tell
  }

  deinit {
    // SAFETY: it was retained once.
    unsafe served?.release()
  }

  /// What serves, without a reference being counted; nil while nothing does. It stays as long as this slot.
  var served: Unmanaged<ServedDatabase>? {
    // SAFETY: what is there was retained, and is released with this object.
    guard let address = unsafe UnsafeRawPointer(bitPattern: current.load(ordering: .acquiring)) else { return nil }
    return unsafe Unmanaged<ServedDatabase>.fromOpaque(address)
  }

  /// What serves; nil while nothing does.
  var database: ServedDatabase? {
    // SAFETY: it is retained.
    unsafe served?.takeUnretainedValue()
  }

  /// Why nothing serves.
  var reason: FuseError? { state.withLock { $0.reason } }

  /// Files that were refused before one was taken.
  var earlyRefusalCount: Int { state.withLock { $0.attemptCount } }

  /// Opens the file, or waits for it on a thread of its own.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` where the system has no thread left.
  func start() throws(FuseError) {
    guard !open() else { return }
    try BackgroundWork<Void>.detachOrThrow { [weak self] in
      while true {
        Sleep.seconds(0.25)
        guard let self, !self.state.withLock({ $0.isStopped }), !self.open() else { return }
      }
    }
  }

  func stop() {
    state.withLock { state in
      state.isStopped = true
      return state.watcher
    }?.stop()
  }

  /// Opens the file; whether it serves.
  private func open() -> Bool {
    do throws(FuseError) {
      let database = ServedDatabase(name: name, reader: try ReloadableReader(path: path, options: options))
      let watcher = try FuseWatcher(
        database.reader,
        onReload: { [tell, name] reader in
          database.note(.init(time: WallClock.now, generation: reader.generation, refusal: nil))
          tell(ServeEvent(kind: "reloaded", name: name, reader))
        },
        onFailure: { [tell, name, path] error in
          let generation = database.reader.generation
          database.note(.init(time: WallClock.now, generation: generation, refusal: error))
          tell(ServeEvent(kind: "refused", name: name, path: path, generation: generation, error))
        })
      let reader = database.reader.snapshot()
      database.note(.init(time: WallClock.now, generation: reader.generation, refusal: nil))
      state.withLock { state in
        state.watcher = watcher
        state.reason = nil
      }
      // SAFETY: the reference is released with this object.
      current.store(UInt(bitPattern: unsafe Unmanaged.passRetained(database).toOpaque()), ordering: .releasing)
      tell(ServeEvent(kind: "serving", name: name, reader))
      return true
    } catch {
      let isNew = state.withLock { state in
        defer { state.reason = error }
        if state.reason != error { state.attemptCount += 1 }
        return state.reason != error
      }
      if isNew { tell(ServeEvent(kind: "waiting", name: name, path: path, generation: 0, error)) }
      return false
    }
  }

  /// What the file that serves holds; counted once for each.
  func statistics(of reader: FuseReader) throws(FuseError) -> Statistics {
    if let known = state.withLock({ $0.statistics }), known.generation == reader.generation { return known.statistics }
    let statistics = try reader.statistics()
    state.withLock { $0.statistics = (reader.generation, statistics) }
    return statistics
  }
}
