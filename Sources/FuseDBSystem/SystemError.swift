internal import CFusePublish
package import FuseDBFormat
internal import FuseDBLibc

extension FuseError {
  /// The ``errno`` of a file that is not there.
  package static var noSuchFile: Int32 { ENOENT }

  /// The error of the system call that has just failed, as `errno` has it.
  ///
  /// - Parameter action: what was tried, to stand after "cannot".
  @inline(never)
  package static func system(_ action: String, path: String? = nil) -> FuseError {
    let number = FuseDBLibc.errno
    // SAFETY: `strerror` gives a text that ends in a zero byte, which is copied at once.
    let reason = unsafe String(cString: strerror(number))
    let missing = [ENOENT, EACCES, EISDIR, ENOTDIR, ELOOP, ENAMETOOLONG].contains(number)
    return FuseError(missing ? .notFound : .inputOutput, "cannot \(action): \(reason)", path: path, errno: number)
  }
}

/// Repeats a system call that a signal interrupted.
@inline(__always)
func retrying<T: SignedInteger>(_ call: () -> T) -> T {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

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
