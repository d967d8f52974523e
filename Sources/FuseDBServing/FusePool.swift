public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Several readers of one file, one for each thread, which are all replaced at once.
///
///     let pool = try FusePool(path: "geo.fsdb", size: 8)
///     try pool.withBytes(forKey: "8.8.8.8") { $0.byteCount }   // 31
///     try pool.swap(to: "geo-2.fsdb")                          // from now on, every call of every thread reads that
///
/// A ``ReloadableReader`` scales to any number of threads, too, and is the first choice. The members of a pool share
/// nothing but the file: with `access: .copied` each has the file in memory of its own, for machines with
/// non-uniform memory access (NUMA).
public final class FusePool: Reloadable {
  private let lookups: GuardedLookups<PoolMembers>
  private let swapper: FileSwapper<PoolMembers>
  /// How many readers there are.
  public let size: Int

  /// Opens the file at `path` `size` times, if it passes the rules.
  ///
  /// - Parameter size: how many readers; by default, one for each processor. More threads than that share them.
  /// - Throws: ``FuseError`` as ``Reloadable/reload()``.
  /// - Precondition: `size` is at least 1.
  /// - Complexity: that of checking the file, and of opening it `size` times.
  public convenience init(
    path: String, size: Int? = nil, options: ServingOptions = ServingOptions()
  ) throws(FuseError) {
    try self.init(path: path, size: size ?? Parallel.processorCount, options: options, readersFence: false)
  }

  /// - Parameter readersFence: as for ``HazardCell``.
  package init(path: String, size: Int, options: ServingOptions, readersFence: Bool) throws(FuseError) {
    precondition(size >= 1, "a pool has at least one reader")
    swapper = try FileSwapper(path: path, options: options, readersFence: readersFence) {
      file, generation, serving throws(FuseError) in
      var readers: [FuseReader] = []
      for _ in 0..<size {
        readers.append(
          try FuseReader(file, options: options, generation: generation, insteadOf: serving?.reader))
      }
      return PoolMembers(readers)
    }
    lookups = GuardedLookups(cell: swapper.cell, counters: options.countsLookups ? LookupCounters() : nil)
    self.size = size
  }

  /// Where files are taken from, as it was given.
  public var path: String { swapper.path.given }

  /// Where files are taken from; see ``Reloadable/absolutePath``.
  public var absolutePath: String { swapper.path.absolute }

  /// What happened so far.
  public var counters: ServingCounters { swapper.counters(lookups.counters?.sums ?? LookupSums()) }

  /// Whether look-ups are counted.
  public var countsLookups: Bool { lookups.counters != nil }

  /// Calls `body` with the bytes of the object under `key`, in place; see ``Reloadable/withBytes(forKey:_:)-(RawSpan,_)``.
  @inlinable
  public func withBytes<Result>(forKey key: RawSpan, _ body: (RawSpan) throws -> Result) throws -> Result? {
    // SAFETY: the bytes are there until the look-up is finished, once.
    guard let found = try unsafe look(key) else { return nil }
    if unsafe found.isExpanded { return try unsafe withExpandedBytes(forKey: key, found.pin, body) }
    let result: Result
    do {
      result = try unsafe body(RawSpan(_unsafeStart: found.start, byteCount: found.byteCount))
    } catch {
      unsafe abandon(found.pin)
      throw error
    }
    try unsafe finish(found.pin)
    return result
  }

  /// Whether the newest file holds `key`; see ``Reloadable/contains(_:)-(RawSpan)``.
  public func contains(_ key: RawSpan) throws(FuseError) -> Bool { try lookups.contains(key) }

  /// Calls `body` with a reader of the newest file; see ``Reloadable/withReader(_:)``.
  @inlinable
  public func withReader<Result, Failure: Error>(
    _ body: (FuseReader) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let pin = unsafe enter()
    // SAFETY: the reader stays until `leave`, and so does every reference that `body` made of it before.
    defer { unsafe leave(pin) }
    return try unsafe pin.reader.borrowed(body)
  }

  /// Adds to the counts of look-ups, if they are counted; see ``Reloadable/countLookups(hits:misses:failures:)``.
  public func countLookups(hits: Int, misses: Int, failures: Int) {
    lookups.counters?.count(hits: hits, misses: misses, failures: failures)
  }

  /// This thread's reader of the newest file, which stays as it is; see ``Reloadable/snapshot()``.
  public func snapshot() -> FuseReader { lookups.cell.retained().own }

  /// Takes the file that is at ``path`` now; see ``Reloadable/reload()``.
  public func reload() throws(FuseError) { try swapper.reload() }

  /// Takes the file that is at ``path`` now, if it changed; see ``Reloadable/reloadIfChanged(unless:)``.
  public func reloadIfChanged(unless isAbandoned: () -> Bool) throws(FuseError) -> Bool {
    try swapper.reload(onlyIfChanged: true, unless: isAbandoned)
  }

  /// Takes the file at `path`, and files from there from now on; see ``Reloadable/swap(to:)``.
  public func swap(to path: String) throws(FuseError) { try swapper.reload(from: path) }

  /// Goes back to the file before this one; see ``Reloadable/rollback()``.
  public func rollback() throws(FuseError) { try swapper.rollback() }

  // What `withBytes` and `withReader` are made of, so that they can be compiled into the caller.

  // SAFETY: the caller finishes or abandons what it gets, once, and uses its bytes only until then.
  @usableFromInline
  @unsafe
  func look(_ key: RawSpan) throws(FuseError) -> PinnedBytes? { try unsafe lookups.look(key) }

  // SAFETY: the pin is one that `look` gave; the look-up ends here, once.
  @usableFromInline
  @unsafe
  func withExpandedBytes<Result>(
    forKey key: RawSpan, _ pin: Pin, _ body: (RawSpan) throws -> Result
  ) throws -> Result? {
    try unsafe lookups.withExpandedBytes(forKey: key, pin, body)
  }

  // SAFETY: the pin is one that `look` gave; the caller gives it back once, and has no bytes of it any more.
  @usableFromInline
  @unsafe
  func finish(_ pin: Pin) throws(FuseError) { try unsafe lookups.finish(pin) }

  // SAFETY: the pin is one that `look` gave; the caller gives it back once, and has no bytes of it any more.
  @usableFromInline
  @unsafe
  func abandon(_ pin: Pin) { unsafe lookups.abandon(pin) }

  // SAFETY: the caller leaves what it enters, once and on the same thread.
  @usableFromInline
  @unsafe
  func enter() -> Pin { unsafe lookups.enter() }

  // SAFETY: the pin is one that `enter` gave to this thread, and its reader is used no more.
  @usableFromInline
  @unsafe
  func leave(_ pin: Pin) { unsafe lookups.leave(pin) }
}

/// The readers of a pool: one file, each thread has its own way to it.
final class PoolMembers: Served {
  private let readers: [FuseReader]

  /// - Precondition: there is at least one reader.
  init(_ readers: [FuseReader]) { self.readers = readers }

  var reader: FuseReader { readers[0] }

  /// All memory that goes away with the members.
  var byteCount: Int { readers.reduce(0) { $0 + $1.byteCount } }

  func again(generation: Int) -> PoolMembers { PoolMembers(readers.map { $0.again(generation: generation) }) }

  /// The reader of the thread that asks.
  @inline(__always)
  var own: FuseReader {
    let number = ThreadNumber.own
    return readers[number < readers.count ? number : number % readers.count]
  }

  @inline(__always)
  @unsafe
  static func ownReader(of object: Unmanaged<PoolMembers>) -> Unmanaged<FuseReader> {
    // SAFETY: the caller has entered `object`, so it lives until it is left, and so do the readers that it keeps.
    unsafe object._withUnsafeGuaranteedRef { unsafe .passUnretained($0.own) }
  }
}
