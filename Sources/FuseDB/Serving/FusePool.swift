/// Several readers of one file, of which each thread has its own, and which are replaced all at once.
///
///     let pool = try FusePool(path: "geo.fsdb", size: 8)
///     try pool.withBytes(forKey: "8.8.8.8") { $0.byteCount }   // 31
///     try pool.swap(to: "geo-2.fsdb")                          // from now on, every call of every thread reads that
///
/// A ``ReloadableReader`` scales to any number of threads, too, and is the first choice. The members of a pool share
/// nothing but the file: with `access: .copied` each has the file in memory of its own, for machines where memory is near to
/// some processors and far from others.
public final class FusePool: Reloadable {
  private let published: Published<PoolMembers>
  private let swapper: FileSwapper<PoolMembers>
  /// How many readers there are.
  public let size: Int
  private let lookups = LookupCounters()
  /// Whether look-ups are counted.
  public let countsLookups: Bool

  /// Opens the file at `path` so many times, if it passes the rules.
  ///
  /// - Parameter size: how many readers; by default as many as there are processors. Threads beyond that share.
  /// - Throws: ``FuseError`` as ``Reloadable/reload()``.
  /// - Precondition: `size` is at least 1.
  /// - Complexity: that of checking the file, and of opening it `size` times.
  public convenience init(
    path: String, size: Int? = nil, options: ServingOptions = ServingOptions()
  ) throws(FuseError) {
    try self.init(path: path, size: size ?? Parallel.processorCount, options: options, readersFence: false)
  }

  init(path: String, size: Int, options: ServingOptions, readersFence: Bool) throws(FuseError) {
    precondition(size >= 1, "a pool has at least one reader")
    swapper = try FileSwapper(path: path, options: options, readersFence: readersFence) {
      file, path, generation throws(FuseError) in
      var readers: [FuseReader] = []
      for _ in 0..<size {
        readers.append(try FuseReader(file, path: path, options: options, generation: generation))
      }
      return PoolMembers(readers)
    }
    published = swapper.published
    self.size = size
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
    guard let use = unsafe enter() else { return try body(snapshot()) }
    // SAFETY: as for ReloadableReader.
    defer { unsafe leave(use) }
    do {
      return try unsafe use.reader._withUnsafeGuaranteedRef(body)
    } catch {
      // That function forgets which errors `body` throws.
      throw error as! Failure
    }
  }

  /// A reader of the newest file, which stays as it is.
  public func snapshot() -> FuseReader { published.retained().own }
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

  /// The members in use, and of these this thread's.
  @usableFromInline
  @unsafe
  struct Use {
    let members: UnsafeRawPointer
    @usableFromInline let reader: Unmanaged<FuseReader>
  }

  @usableFromInline
  @unsafe
  func enter() -> Use? {
    guard let members = unsafe published.enter() else { return nil }
    let own = unsafe members._withUnsafeGuaranteedRef { unsafe Unmanaged.passUnretained($0.own) }
    return unsafe Use(members: UnsafeRawPointer(members.toOpaque()), reader: own)
  }

  @usableFromInline
  @unsafe
  func leave(_ use: Use) { unsafe published.leave(.fromOpaque(use.members)) }
}
