public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What happened to a ``ReloadableReader`` or a ``FusePool`` so far. Times are in seconds since the beginning of 1970, UTC.
public struct ServingCounters: Sendable {
  /// The generation that serves.
  public var generation: Int
  /// How often a file replaced another, by reload, swap or rollback.
  public var reloadCount: Int
  /// How often a file was refused.
  public var refusalCount: Int
  /// Why the last refused file was refused; it stays when a later file is taken.
  public var lastError: FuseError?
  /// When the file that serves was taken.
  public var loadedAt: Double
  /// When the file's data were built, by its metadata `built`; nil if that is no time.
  ///
  /// A time by RFC 3339 is one, `fusedb build --meta built=2026-11-21T16:11:12Z`, a date alone, which is its midnight, and a number
  /// of seconds. See spec/extension.md §7.
  public var builtAt: Double?
  /// When these numbers were gathered.
  public var gatheredAt: Double

  /// How old the data are, in seconds, below 0 where the clocks disagree; nil where ``builtAt`` is.
  public var dataAge: Double? { builtAt.map { gatheredAt - $0 } }

  /// How many look-ups found their key; 0 unless ``ServingOptions/countsLookups`` is on, as for those below.
  public var hitCount: Int
  /// How many look-ups found that there is no such key.
  public var missCount: Int
  /// How many calls threw an error, including errors of the caller's own.
  public var failureCount: Int
  /// All look-ups.
  public var lookupCount: Int { hitCount &+ missCount &+ failureCount }
}
