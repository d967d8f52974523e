internal import CFusePublish
internal import FuseDBLibc

/// What a command does when SIGHUP, SIGINT or SIGTERM ends it. See spec/decisions/0012-signals.md.
package enum Interruption {
  /// From now on these signals, unless they are ignored, first remove the temporary names of this process's unfinished
  /// files and write a text to standard error; then they end the process as they would have.
  ///
  /// A process that does more than one command's work keeps its signals to itself and does not call this.
  ///
  /// - Parameters:
  ///   - text: what to write until a file has been published.
  ///   - textWhenPublished: what to write from then on. A later call changes both, and begins anew.
  package static func write(_ text: String, whenPublished textWhenPublished: String) {
    // SAFETY: both texts end in a zero byte, and are copied before the call returns.
    unsafe fuse_on_interruption(text, textWhenPublished)
  }

  /// From now on a write beyond the limit on file sizes fails like any other, and is reported.
  package static func ignoreFileSizeSignal() { signal(SIGXFSZ, SIG_IGN) }
}
