internal import FuseDBFormat
internal import FuseDBLibc

extension FuseError {
  /// The error of the system call that has just failed, as `errno` has it.
  ///
  /// - Parameter action: what was tried, to stand after "cannot".
  @inline(never)
  static func system(_ action: String, path: String?) -> FuseError {
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
