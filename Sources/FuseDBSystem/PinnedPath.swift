internal import FuseDBFormat
internal import FuseDBLibc

/// A path that is kept, and means the same place wherever the process goes meanwhile.
///
/// Links on the way are followed anew each time: who lets `current` lead elsewhere wants that to be seen.
package struct PinnedPath: Sendable {
  /// As it was given: for messages.
  package let given: String
  /// For the system: without a working folder, from which a relative path would begin.
  package let absolute: String

  /// Takes a relative path to begin at the process's working folder of this moment.
  package init(_ path: String) {
    given = path
    absolute = Self.pin(path)
  }

  private static func pin(_ path: String) -> String {
    // An empty path leads nowhere, and has to go on doing so.
    guard let first = path.utf8.first, first != UInt8(ascii: "/") else { return path }
    // SAFETY: without a buffer, the system returns one of its own, which ends in a zero byte, or nil.
    guard let folder = unsafe getcwd(nil, 0) else { return path }
    defer { unsafe free(folder) }
    let start = unsafe String(cString: folder)
    // Of a folder that cannot be reached from the root, no path is known.
    guard start.utf8.first == UInt8(ascii: "/") else { return path }
    return start == "/" ? "/" + path : start + "/" + path
  }
}
