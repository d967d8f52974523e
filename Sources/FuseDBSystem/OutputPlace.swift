package import FuseDBFormat
internal import FuseDBLibc

/// What happens to a symbolic link where a new file is to appear.
public enum OutputLink: Sendable, Hashable {
  /// Nothing is written, and the ``FuseError``, with code `inputOutput`, names what the link leads to. Following a link
  /// such as `current -> v12.fsdb` would change a version that you may want to go back to.
  case refused
  /// The file that the link leads to is replaced, or made where there is none; the link stays.
  case followed
  /// The new file replaces the link; what it led to stays.
  case replaced
}

/// Where a new file is to appear, and what stands there.
package struct OutputPlace {
  /// What keeps a file from appearing at a place.
  package enum Obstacle: Equatable {
    /// A symbolic link, and it was not said whether to follow or to replace it.
    case link(target: String)
    /// Something that is no regular file: `a folder`.
    case kind(String)
  }

  /// What gives way.
  struct Standing {
    /// Of the file, or of a link that gives way.
    let stamp: FileStamp
    /// Those of the file, which may be what a link leads to that gives way; nil where there is none.
    let content: FileStamp?
    let rights: FileRights?
  }

  /// As it was named.
  package let path: String
  /// The path of the new file, wherever the process goes meanwhile; that of another one where links are followed.
  let destination: String
  /// The folder of that.
  let folder: String
  private let links: OutputLink

  /// Looks at what stands at `path`.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` where no file may appear there.
  package init(_ pinned: PinnedPath, links: OutputLink = .refused) throws(FuseError) {
    let path = pinned.absolute
    let name = Self.name(of: path)
    guard !name.isEmpty, name != Array(".".utf8), name != Array("..".utf8), !path.utf8.contains(0) else {
      throw FuseError(.inputOutput, "the path of the new file does not end in a file name", path: pinned.given)
    }
    if let obstacle = Self.obstacle(at: path, links: links) { throw Self.error(obstacle, pinned.given) }
    self.path = pinned.given
    self.links = links
    do throws(FuseError) {
      destination = links == .followed ? try Self.end(of: path) : path
    } catch {
      throw FuseError(error.code, error.message, path: pinned.given)
    }
    folder = Self.folder(of: destination)
  }

  /// What keeps a file from appearing at `path`, if anything does.
  package static func obstacle(at path: String, links: OutputLink) -> Obstacle? {
    var status = stat()
    // SAFETY: the calls read a path that ends in a zero byte, and fill in a value of the type that they take.
    guard unsafe lstat(path.systemPath, &status) == 0 else { return nil }
    let isLink = status.st_mode & S_IFMT == S_IFLNK
    // What a link leads to counts: it may be the place of a folder or a device.
    if isLink, unsafe stat(path.systemPath, &status) != 0 { status.st_mode = S_IFREG }
    if status.st_mode & S_IFMT != S_IFREG { return .kind(kind(status.st_mode, isLink: isLink)) }
    return isLink && links == .refused ? .link(target: target(of: path) ?? "?") : nil
  }

  private static func kind(_ mode: mode_t, isLink: Bool) -> String {
    let kind =
      switch mode & S_IFMT {
      case S_IFDIR: "a folder"
      case S_IFCHR, S_IFBLK: "a device"
      case S_IFIFO: "a pipe"
      case S_IFSOCK: "a socket"
      default: "no regular file"
      }
    return isLink ? "a link to \(kind)" : kind
  }

  private static func error(_ obstacle: Obstacle, _ path: String) -> FuseError {
    switch obstacle {
    case .link(let target):
      FuseError(
        .inputOutput,
        """
        this is a symbolic link to '\(target)'; name the file itself, or let the option 'outputLink' say what is to \
        become of the link
        """, path: path)
    case .kind(let kind):
      FuseError(.inputOutput, "there is \(kind) here, which no file may replace; choose another name", path: path)
    }
  }

  /// What stands there now. It may have changed since the first look.
  func look() throws(FuseError) -> Standing? {
    var status = stat()
    // SAFETY: the calls read a path that ends in a zero byte, and fill in a value of the type that they take.
    guard unsafe lstat(destination.systemPath, &status) == 0 else { return nil }
    // What was followed leads to no further link.
    let obstacle = Self.obstacle(at: destination, links: links == .replaced ? .replaced : .refused)
    if let obstacle { throw Self.error(obstacle, path) }
    let stamp = FileStamp(status)
    let isThere = unsafe stat(destination.systemPath, &status) == 0
    return Standing(
      stamp: stamp, content: isThere ? FileStamp(status) : nil,
      rights: isThere ? FileRights(status, path: destination) : nil)
  }

  /// Of the files that were read, the one that stands here or stood here when it was opened, however its path is spelled:
  /// it is replaced only while it is the same.
  package func source(among files: [(path: String, stamp: FileStamp?)]) throws(FuseError) -> FileStamp? {
    let standing = try look()?.content
    for file in files {
      guard let stamp = file.stamp else { continue }
      if standing?.isSameFile(as: stamp) ?? false || isPlace(of: file.path) { return stamp }
    }
    return nil
  }

  private func isPlace(of other: String) -> Bool {
    guard Self.name(of: other) == Self.name(of: destination) else { return false }
    var (ours, theirs) = (stat(), stat())
    // SAFETY: the calls read paths that end in a zero byte, and fill in a value each, of the type that they take.
    return unsafe stat(folder.systemPath, &ours) == 0 && stat(Self.folder(of: other).systemPath, &theirs) == 0
      && FileStamp(ours).isSameFile(as: FileStamp(theirs))
  }

  // MARK: Paths
  // By bytes: a slash and an accent after it are one character.

  private static func name(of path: String) -> [UInt8] {
    path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last.map(Array.init) ?? []
  }

  private static func folder(of path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).flatMap { String(path.utf8[...$0]) } ?? "."
  }

  /// What a link says, or nil where there is none.
  private static func target(of path: String) -> String? {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    // SAFETY: readlink writes at most as many bytes as there is room for.
    let count = unsafe bytes.withUnsafeMutableBytes { room in
      unsafe readlink(path.systemPath, room.baseAddress!.assumingMemoryBound(to: CChar.self), room.count)
    }
    return count < 0 ? nil : String(path: Array(bytes.prefix(count)))
  }

  /// Where a path leads to that may be a link, and that a further one.
  private static func end(of path: String) throws(FuseError) -> String {
    var end = path
    // The system follows forty.
    for _ in 0...40 {
      if let target = target(of: end) {
        end = target.utf8.first == UInt8(ascii: "/") ? target : folder(of: end) + "/" + target
        continue
      }
      // What /proc says of an open file may be words instead of a path.
      var (named, found) = (stat(), stat())
      // SAFETY: the calls read paths that end in a zero byte, and fill in a value each, of the type that they take.
      let isThere = unsafe stat(path.systemPath, &named) == 0
      if isThere, unsafe stat(end.systemPath, &found) != 0 || !FileStamp(named).isSameFile(as: FileStamp(found)) {
        break
      }
      return end
    }
    throw FuseError(.inputOutput, "this symbolic link does not lead to a path; name the file itself", path: path)
  }
}
