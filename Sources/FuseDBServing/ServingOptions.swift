public import FuseDBReading
public import FuseDBSystem
internal import FuseDBValues

/// How a ``ReloadableReader`` or a ``FusePool`` serves its files.
public struct ServingOptions: Sendable {
  /// What look-ups compare with its checksum.
  public var checksums = FuseReader.Checksums.verified
  /// How a file is held in memory.
  public var access = FuseAccess.mapped
  /// What a file has to pass before it serves, the first one too.
  public var rules = SwapRules()
  /// How many of the files before this one stay open, for ``Reloadable/rollback()``. Each keeps its disk space, too,
  /// though it has lost its name.
  public var keptFileCount = 0
  /// Whether look-ups are counted, at some six nanoseconds each; see ``ServingCounters/hitCount``.
  public var countsLookups = false

  /// The default options.
  public init() {}
}
