/// A reader whose file may be replaced while any number of threads read it: each call reads the newest file.
///
///     let geo = try ReloadableReader(path: "geo.fsdb")
///     try geo.withBytes(forKey: "8.8.8.8") { $0.byteCount }   // 31
///     try geo.reload()                                        // takes the rebuilt file, if it is sound
///     geo.generation                                          // 2
///
/// A look-up takes no lock and writes to no memory that other threads write to, so it costs a nanosecond or two more than
/// that of a ``FuseReader``, on any number of threads, also while files are swapped. A replaced file is unmapped when the
/// last call and the last ``snapshot()`` that use it have ended. See spec/decisions/0014-reclamation.md.
///
/// ``FuseWatcher`` reloads when the file changes.
public final class ReloadableReader: Reloadable {
  private let published: Published<FuseReader>
  private let swapper: FileSwapper<FuseReader>
  private let lookups = LookupCounters()
  /// Whether look-ups are counted.
  public let countsLookups: Bool

  /// Opens the file at `path`, if it passes the rules.
  ///
  /// - Throws: ``FuseError`` as ``Reloadable/reload()``.
  /// - Complexity: that of opening and checking the file.
  public convenience init(path: String, options: ServingOptions = ServingOptions()) throws(FuseError) {
    try self.init(path: path, options: options, readersFence: false)
  }

  init(path: String, options: ServingOptions, readersFence: Bool) throws(FuseError) {
    swapper = try FileSwapper(path: path, options: options, readersFence: readersFence) {
      file, path, generation throws(FuseError) in
      try FuseReader(file, path: path, options: options, generation: generation)
    }
    published = swapper.published
    countsLookups = options.countsLookups
  }

  /// Where files are taken from.
  public var path: String { swapper.path }
  /// What happened so far.
  public var counters: ServingCounters { swapper.counters(lookups.sums) }

  /// Adds to the counts of look-ups, if they are counted.
  public func countLookups(hits: Int, misses: Int, failures: Int) {
    guard countsLookups else { return }
    lookups.count(onThread: ThreadNumber.own, hits: hits, misses: misses, failures: failures)
  }

  /// Calls `body` with a reader of the newest file.
  @inlinable
  public func withReader<Result, Failure: Error>(
    _ body: (FuseReader) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let reader = unsafe enter() else { return try body(snapshot()) }
    // SAFETY: the reader stays until `leave`, and so does every reference that `body` made of it before.
    defer { unsafe leave(reader) }
    do {
      return try unsafe reader._withUnsafeGuaranteedRef(body)
    } catch {
      // That function forgets which errors `body` throws.
      throw error as! Failure
    }
  }

  /// A reader of the newest file, which stays as it is.
  public func snapshot() -> FuseReader { published.retained() }
  /// Takes the file that is at ``path`` now.
  public func reload() throws(FuseError) { try swapper.reload() }
  /// Takes the file that is at ``path`` now, unless it was looked at before.
  public func reloadIfChanged(unless isAbandoned: () -> Bool) throws(FuseError) -> Bool {
    try swapper.reload(onlyIfChanged: true, unless: isAbandoned)
  }
  /// Takes the file at `path`, and files from there from now on.
  public func swap(to path: String) throws(FuseError) { try swapper.reload(from: path) }
  /// Goes back to the file before this one.
  public func rollback() throws(FuseError) { try swapper.rollback() }

  @usableFromInline
  @unsafe
  func enter() -> Unmanaged<FuseReader>? { unsafe published.enter() }

  @usableFromInline
  @unsafe
  func leave(_ reader: Unmanaged<FuseReader>) { unsafe published.leave(reader) }
}
