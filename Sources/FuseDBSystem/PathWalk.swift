internal import FuseDBFormat
internal import FuseDBLibc

/// The way that the system takes to what is under a path: in which folders it looks up which names, through all
/// symbolic links.
///
/// Paths and names are bytes here: a link may hold any.
enum PathWalk {
  /// How many links the system follows.
  private static let mostLinks = 40

  /// Goes to the end of `path`, or to where it cannot go on.
  ///
  /// - Parameter visit: called before a name is looked up, with the folder, whose path has no links, and the name. A
  ///   relative path begins in the folder `.`.
  /// - Returns: the path of the regular file at the end, without links; nil if there is none.
  static func take(_ path: String, visit: (_ folder: [UInt8], _ name: [UInt8]) -> Void) -> [UInt8]? {
    // The last name first.
    var rest = names(of: path.pathBytes)
    var folder = path.utf8.first == slash ? [slash] : [dot]
    var linkCount = 0
    while let name = rest.popLast() {
      if name == [dot, dot] {
        folder = parent(of: folder)
        continue
      }
      visit(folder, name)
      let path = folder == [slash] ? folder + name : folder + [slash] + name
      switch kind(of: path) {
      case S_IFDIR: folder = path
      case S_IFLNK:
        linkCount += 1
        guard linkCount <= mostLinks, let target = target(ofLink: path) else { return nil }
        if target.first == slash { folder = [slash] }
        rest += names(of: target)
      case S_IFREG: return rest.isEmpty ? path : nil
      default: return nil
      }
    }
    return nil
  }

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  /// The names in a path, from the last to the first.
  private static func names(of path: [UInt8]) -> [[UInt8]] {
    path.split(separator: slash).map { Array($0) }.filter { $0 != [dot] }.reversed()
  }

  private static func parent(of folder: [UInt8]) -> [UInt8] {
    guard folder != [slash] else { return folder }
    let names = folder.split(separator: slash)
    guard names.last.map({ Array($0) }) != [dot], names.last.map({ Array($0) }) != [dot, dot] else {
      return folder + [slash, dot, dot]
    }
    // At least the slash or the dot at the begin is left.
    return Array(folder.prefix(max(1, folder.count - names.last!.count - 1)))
  }

  /// The type bits of what is there, which may be a link; 0 for nothing.
  private static func kind(of path: [UInt8]) -> mode_t {
    var status = stat()
    // SAFETY: the call reads a path that ends in a zero byte, and fills in a value of the type that it takes.
    return unsafe lstat(cString(path), &status) == 0 ? status.st_mode & S_IFMT : 0
  }

  private static func target(ofLink path: [UInt8]) -> [UInt8]? {
    var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
    // SAFETY: as many bytes are written as there is room for.
    let count = unsafe target.withUnsafeMutableBytes { buffer in
      unsafe readlink(cString(path), buffer.baseAddress!, buffer.count)
    }
    return count > 0 ? Array(target.prefix(count)) : nil
  }

  /// A path as the system takes it.
  static func cString(_ path: [UInt8]) -> [CChar] { path.map { CChar(bitPattern: $0) } + [0] }
}

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
    // SAFETY: `strlen` counts the bytes before the zero byte, and so many are copied.
    let start = unsafe String(path: Array(UnsafeRawBufferPointer(start: folder, count: strlen(folder))))
    // Of a folder that cannot be reached from the root, no path is known.
    guard start.utf8.first == UInt8(ascii: "/") else { return path }
    return start == "/" ? "/" + path : start + "/" + path
  }
}
