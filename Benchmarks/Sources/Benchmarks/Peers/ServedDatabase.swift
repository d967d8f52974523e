import FuseDB
import Glibc
import Synchronization

/// Look-ups through something whose file may be replaced.
final class ServedDatabase: LocalDatabase {
  private let store: any Reloadable
  /// The loop, compiled for the type of the store as a service's code would be.
  private let loop: (ByteList, Range<Int>) throws -> Tally
  var other: (any Session)?

  init(_ store: ReloadableReader) {
    self.store = store
    loop = { try StoreLookUp(store: store).tally($0, $1) }
  }

  init(_ store: FusePool) {
    self.store = store
    loop = { try StoreLookUp(store: store).tally($0, $1) }
  }

  /// What one would write without ``Reloadable/withReader(_:)``: each look-up counts a reference.
  init(snapshotsOf store: ReloadableReader) {
    self.store = store
    loop = { try SnapshotLookUp(store: store).tally($0, $1) }
  }

  private init(_ other: ServedDatabase) {
    store = other.store
    loop = other.loop
  }

  func value(forKey key: UnsafeRawBufferPointer) throws -> [UInt8]? {
    try store.withBytes(forKey: RawSpan(_unsafeBytes: key)) { bytes in bytes.withUnsafeBytes { [UInt8]($0) } }
  }

  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally { try loop(keys, range) }

  func anotherSession() throws -> any Session { ServedDatabase(self) }

  func swapping(_ body: () throws -> Outcome?) throws -> Outcome? {
    let swaps = Swaps(of: store)
    try swaps.start()
    let outcome = Result { try body() }
    try swaps.stop()
    return try outcome.get()
  }
}

private struct StoreLookUp<Store: Reloadable>: LookUp {
  let store: Store

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try store.withBytes(forKey: RawSpan(_unsafeBytes: key)) { $0.firstWord }
  }
}

private struct SnapshotLookUp: LookUp {
  let store: ReloadableReader

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try store.snapshot().withBytes(forKey: RawSpan(_unsafeBytes: key)) { $0.firstWord }
  }
}

/// A thread that takes the file anew a hundred times a second.
private final class Swaps: Sendable {
  static let pause: useconds_t = 10_000

  private let store: any Reloadable
  private let isStopped = Atomic(false)
  private let thread = Mutex<pthread_t?>(nil)
  private let failure = Mutex<FuseError?>(nil)

  init(of store: any Reloadable) { self.store = store }

  func start() throws {
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { context in
        Unmanaged<Swaps>.fromOpaque(context!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard result == 0 else { throw PeerFailure("a thread cannot be started: errno \(result)") }
    self.thread.withLock { [thread] in $0 = thread }
  }

  private func run() {
    while !isStopped.load(ordering: .relaxed) {
      usleep(Self.pause)
      do { try store.reload() } catch { failure.withLock { [error] in $0 = error } }
    }
  }

  func stop() throws {
    isStopped.store(true, ordering: .relaxed)
    if let thread = thread.withLock({ $0 }) { pthread_join(thread, nil) }
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
