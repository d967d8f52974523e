internal import CFuseFaults

/// What this library does about the signal SIGBUS of the process that it is in.
///
///     FuseSignals.use(.once)      // before the first file is opened
///
/// A mapped file that is cut while it is read raises SIGBUS. A handler of this library makes that the error
/// ``FuseError/Code/truncated``, and passes on what is not about its files to the handler that was there before: a crash reporter goes on
/// reporting. But a process has one handler, and whoever installs theirs later may not pass on. See
/// spec/decisions/0029-signals-of-a-host.md.
public enum FuseSignals: Sendable, Hashable {
  /// Each time a file is mapped, the handler is put before the one in force, once for each other handler. The default.
  case inFront
  /// The handler is installed when the first file is mapped, and never again: where the host sees to the order itself.
  case once
  /// It is not installed. A mapped file that is cut then ends the process, or does what the host's own handler does. Files
  /// that are held in memory (``FuseAccess/copied``) are not concerned.
  case none

  /// Chooses for the files that are opened from now on, in all of the process. A handler that is there stays.
  public static func use(_ signals: FuseSignals) {
    switch signals {
    case .inFront: fuse_handler_set(FUSE_HANDLER_IN_FRONT)
    case .once: fuse_handler_set(FUSE_HANDLER_ONCE)
    case .none: fuse_handler_set(FUSE_HANDLER_NONE)
    }
  }
}
