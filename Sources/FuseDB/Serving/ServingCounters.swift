/// What happened to a ``ReloadableReader`` or a ``FusePool`` so far. Times are in seconds since the beginning of 1970, UTC.
public struct ServingCounters: Sendable {
  /// The generation that serves.
  public var generation: Int
  /// How often a file took another's place, by reload, swap or rollback.
  public var reloadCount: Int
  /// How often a file was refused.
  public var refusalCount: Int
  /// Why the last refused file was; it stays when a later file is taken.
  public var lastError: FuseError?
  /// When the file that serves was taken.
  public var loadedAt: Double
  /// When the file's data were built, by its metadata `built`; nil where they say nothing that is a time.
  public var builtAt: Double?
  /// Look-ups, when ``ServingOptions/countsLookups`` is on: keys that were there,
  public var hitCount: Int
  /// keys that were not,
  public var missCount: Int
  /// and calls that threw an error.
  public var failureCount: Int

  /// All look-ups.
  public var lookupCount: Int { hitCount + missCount + failureCount }
}
