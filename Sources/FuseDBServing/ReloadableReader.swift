public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// A reader whose file may be replaced while any number of threads read it: each call reads the newest file.
///
///     let geo = try ReloadableReader(path: "geo.fsdb")
///     try geo.withBytes(forKey: "8.8.8.8") { $0.byteCount }   // 31
///     try geo.reload()                                        // takes the rebuilt file, if it is sound
///     geo.generation                                          // 2
///
/// A look-up takes no lock and writes to no memory that other threads write to, so from the cache it costs two or three
/// nanoseconds more than that of a ``FuseReader``, on any number of threads, also while files are swapped. A replaced
/// file is unmapped when the last call and the last ``snapshot()`` that use it have ended. See
/// spec/decisions/0014-reclamation.md.
///
/// The path may be that of a set of shards: all of its shards are swapped, or none, and those that did not change stay as they are; see ``ShardedReader``.
///
/// ``FuseWatcher`` reloads when the file changes.
public final class ReloadableReader: Reloadable {
  private let lookups: GuardedLookups<FuseReader>
  private let swapper: FileSwapper<FuseReader>

  /// Opens the file at `path`, if it passes the rules.
  ///
  /// - Throws: ``FuseError`` as ``Reloadable/reload()``.
  /// - Complexity: that of opening and checking the file.
  public convenience init(path: String, options: ServingOptions = ServingOptions()) throws(FuseError) {
    try self.init(path: path, options: options, readersFence: false)
  }

  /// - Parameter readersFence: as for ``HazardCell``.
  package init(path: String, options: ServingOptions, readersFence: Bool) throws(FuseError) {
    swapper = try FileSwapper(path: path, options: options, readersFence: readersFence) {
      file, generation, serving throws(FuseError) in
      try FuseReader(file, options: options, generation: generation, insteadOf: serving)
    }
    lookups = GuardedLookups(cell: swapper.cell, counters: options.countsLookups ? LookupCounters() : nil)
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

  /// A reader of the newest file, which stays as it is; see ``Reloadable/snapshot()``.
  public func snapshot() -> FuseReader { lookups.cell.retained() }

  /// A reader of the file that ``rollback()`` would go back to; nil where none is kept.
  package var keptReader: FuseReader? { swapper.lastKept }

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
