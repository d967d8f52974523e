public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// A database whose file may be replaced while it is read: ``ReloadableReader`` or ``FusePool``.
///
/// Each call reads the newest file, from its beginning to its end. For calls that belong together, such as the look-ups
/// of one request, use one ``snapshot()`` or one ``withReader(_:)``.
///
///     try store.withBytes(forKey: "8.8.8.8") { $0.byteCount }    // 31
///     let view = store.snapshot()                                // stays as it is
///     try store.reload()                                         // view is not disturbed
///
/// A file is taken when it is complete and passes the store's ``SwapRules``. Otherwise the old one serves on, and the
/// call throws the reason.
public protocol Reloadable: AnyObject, Sendable {
  /// Where files are taken from, as it was given.
  var path: String { get }

  /// Where files are taken from, as an absolute path. A relative ``path`` begins at the folder that was the process's
  /// working folder when it was given, even if that has changed since. Symbolic links on the path are followed anew each
  /// time.
  var absolutePath: String { get }

  /// Calls `body` with a reader of the newest file, and returns what it returns: several calls on one file, as cheap as
  /// single ones. The file stays mapped until `body` ends; a reference to the reader that `body` keeps, keeps it longer.
  ///
  /// - Complexity: O(1), beside `body`. It takes no lock and writes nothing that other threads write.
  func withReader<Result, Failure: Error>(
    _ body: (FuseReader) throws(Failure) -> Result
  ) throws(Failure) -> Result

  /// A reader of the newest file, which stays as it is and keeps the file mapped for as long as it lives.
  ///
  /// - Complexity: O(1). It counts a reference, which all threads share; in a loop on many threads,
  ///   ``withReader(_:)`` is the better choice.
  func snapshot() -> FuseReader

  /// Takes the file that is at ``path`` now, whether it changed or not.
  ///
  /// - Throws: ``FuseError`` as ``FuseReader/init(path:checksums:access:)``; `corrupted` when the rules' check finds
  ///   damage; `refused` when it breaks another rule, or is being written to; what
  ///   ``SwapRules/accept`` throws. The old file serves on.
  /// - Precondition: no rule of this store calls it.
  /// - Complexity: that of opening and checking the file. Look-ups do not wait for it.
  func reload() throws(FuseError)

  /// Takes the file that is at ``path`` now, unless it is the one that was looked at last, taken or refused. Returns
  /// whether it was taken.
  ///
  /// - Parameter isAbandoned: asked when the file has passed all checks; if it returns true, nothing is taken.
  /// - Throws: as ``reload()``, once for each file: as long as a refused file stays, further calls return false.
  /// - Complexity: that of ``reload()``; for an unchanged file, that of opening it and reading 40 bytes.
  func reloadIfChanged(unless isAbandoned: () -> Bool) throws(FuseError) -> Bool

  /// Takes the file at `path`, and files from there from now on.
  ///
  /// - Throws: as ``reload()``; ``path`` then stays what it was.
  func swap(to path: String) throws(FuseError)

  /// Goes back to the file before this one, and drops this one. The file under ``path`` is not taken again until another is
  /// there, or it is written to; another name (a hard link, a move and back) or other rights don't count. How many
  /// files are kept for this is up to ``ServingOptions/keptFileCount``.
  ///
  /// - Throws: ``FuseError`` with code `notFound` when no file was kept.
  func rollback() throws(FuseError)

  /// What happened so far.
  ///
  /// - Complexity: O(threads). Look-ups do not wait for it.
  var counters: ServingCounters { get }

  /// Whether look-ups are counted: ``ServingOptions/countsLookups``.
  var countsLookups: Bool { get }

  /// Adds to the counts of look-ups, if they are counted: those that went to a ``snapshot()`` or into a
  /// ``withReader(_:)`` are not counted otherwise.
  ///
  /// - Complexity: O(1). Each thread adds for itself: it takes no lock and writes nothing that other threads write.
  func countLookups(hits: Int, misses: Int, failures: Int)

  /// Calls `body` with the bytes of the object under `key`, in place, and returns what it returns; nil when the newest
  /// file has no such key. It stays mapped until `body` ends.
  ///
  /// - Throws: as ``FuseReader/withBytes(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(1). It takes no lock and writes nothing that other threads write.
  func withBytes<Result>(forKey key: RawSpan, _ body: (RawSpan) throws -> Result) throws -> Result?

  /// Whether the newest file holds `key`.
  ///
  /// - Throws: as ``FuseReader/contains(_:)-(RawSpan)``.
  /// - Complexity: O(1), as ``withBytes(forKey:_:)-(RawSpan,_)``.
  func contains(_ key: RawSpan) throws(FuseError) -> Bool
}

extension Reloadable {
  /// ``path``, from the process's working folder of this moment on where it is relative.
  public var absolutePath: String { PinnedPath(path).absolute }

  /// The number of the file that is served, counted from 1. It only grows, also by ``rollback()``.
  public var generation: Int { withReader { $0.generation } }

  /// Takes the file that is at ``path`` now, unless it is the one that was looked at last, taken or refused. Returns
  /// whether it was taken.
  ///
  /// - Throws: as ``reload()``, once for each file.
  @discardableResult
  public func reloadIfChanged() throws(FuseError) -> Bool { try reloadIfChanged(unless: { false }) }
}
