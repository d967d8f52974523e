internal import Glibc

extension FuseError {
  /// The error of the system call that has just failed, as `errno` has it.
  ///
  /// - Parameter action: what was tried, to stand after "cannot".
  @inline(never)
  static func system(_ action: String, path: String?) -> FuseError {
    let number = Glibc.errno
    let reason = unsafe String(cString: strerror(number))
    let missing = [ENOENT, EACCES, EISDIR, ENOTDIR, ELOOP, ENAMETOOLONG].contains(number)
    return FuseError(missing ? .notFound : .inputOutput, "cannot \(action): \(reason)", path: path, errno: number)
  }
}

extension FuseError {
  /// Memory is short.
  ///
  /// - Parameter action: as for ``system(_:path:)``.
  package static func outOfMemory(_ action: String) -> FuseError {
    Glibc.errno = ENOMEM
    return system(action, path: nil)
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
