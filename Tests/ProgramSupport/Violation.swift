import Glibc

/// Something that must not happen.
package struct Violation: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }

  /// A system call has just failed.
  static func cannot(_ action: String) -> Violation {
    Violation("cannot \(action): \(unsafe String(cString: strerror(errno)))")
  }
}
