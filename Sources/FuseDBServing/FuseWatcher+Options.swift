public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

extension FuseWatcher {
  /// How a file is watched.
  public struct Options: Sendable {
    /// How often the file is looked at where no event tells of a change. A store that is swapped to another path is
    /// followed there by then.
    public var pollInterval = Duration.seconds(2)
    /// Whether the system's file events are used. Without them, changes are seen by polling alone.
    public var usesFileEvents = true
    /// For how long a file has to stay the same before it is examined, so that a copy in progress is left alone. Where
    /// files are written in place by something slow, whose events don't come, it has to be longer than the pauses.
    ///
    /// A file that never comes to rest is examined after a second, and if it is refused again after 2, 4, … 64 seconds.
    public var debounce = Duration.milliseconds(20)

    /// The default options.
    public init() {}
  }

  /// What happened to a file.
  public enum Event: Sendable, Hashable {
    /// A file was taken.
    case reloaded(path: String, generation: Int, keyCount: Int)
    /// A file was refused; the old one serves on.
    case refused(FuseError)
  }
}
