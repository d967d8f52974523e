internal import CFusePublish
package import FuseDBFormat
internal import FuseDBLibc

/// Files that are small enough to be read whole.
package enum SmallFile {
  /// The bytes of a regular file.
  ///
  /// - Throws: ``FuseError`` with code `notFound`, or `limitExceeded` where it has more than `most`.
  package static func bytes(at path: String, most: Int) throws(FuseError) -> [UInt8] {
    try bytes(of: try OwnedDescriptor(reading: path), named: path, most: most)
  }

  /// The same of a file that is open.
  package static func bytes(of file: OwnedDescriptor, named path: String, most: Int) throws(FuseError) -> [UInt8] {
    guard let status = FileStatus(of: file.number) else { throw .system("look at the file", path: path) }
    guard status.kind == .regular else { throw FuseError(.notFound, "this is no regular file", path: path) }
    var bytes = [UInt8](repeating: 0, count: min(status.byteCount, most) + 1)
    // SAFETY: as many bytes are read as there is room for.
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe readAll(file.number, into: $0, at: 0) }
    guard count >= 0 else { throw .system("read the file", path: path) }
    guard count <= most else { throw FuseError(.limitExceeded, "the file has more than \(most) bytes", path: path) }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// Puts a file of these bytes in the place of what is at `path`, in one step and durably.
  ///
  /// - Parameters:
  ///   - isSecret: whether only its owner may read it. Nothing may stand there then.
  ///   - hasLaterTime: whether the file is a second younger at least than the one that gives way, by the times that the system keeps.
  package static func write(
    _ bytes: [UInt8], to path: String, isSecret: Bool = false, hasLaterTime: Bool = false
  ) throws(FuseError) {
    if isSecret {
      // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
      let opened = retrying { unsafe open(path.systemPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
      guard opened >= 0 else { throw AtomicFile.failed("create the file", path: path) }
      let file = OwnedDescriptor(opened)
      guard writeAll(bytes.rawSpan, to: file.number, at: 0), retrying({ fuse_make_durable(file.number) }) == 0 else {
        throw AtomicFile.failed("write the file", path: path)
      }
    } else {
      let file = try AtomicFile(replacing: PinnedPath(path))
      let stream = try file.stream(at: 0)
      try stream.write(bytes.rawSpan)
      try stream.flush()
      if hasLaterTime, let before = FolderFiles.time(of: path), before.rounded(.down) >= WallClock.now.rounded(.down) {
        let next = timespec(tv_sec: Int(before) + 1, tv_nsec: 0)
        var times = [next, next]
        // SAFETY: the call reads two times, which the array has.
        guard unsafe futimens(file.descriptor, &times) == 0 else {
          throw AtomicFile.failed("set the time of the file", path: path)
        }
      }
      try file.publish(header: [])
    }
  }
}

/// What is done to the files of a folder.
package enum FolderFiles {
  /// Makes the folder at `path`, and those above it, where they are missing.
  package static func make(_ path: String) throws(FuseError) {
    // SAFETY: the calls read a path that ends in a zero byte and lives until they return.
    if unsafe mkdir(path.systemPath, 0o777) == 0 || errno == EEXIST {
      guard FileStatus(at: path)?.kind == .folder else {
        throw FuseError(.inputOutput, "there is something here that is no folder", path: path)
      }
      return
    }
    guard errno == ENOENT, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else {
      throw AtomicFile.failed("make the folder", path: path)
    }
    try make(String(path.utf8[..<slash]) ?? "")
    guard unsafe mkdir(path.systemPath, 0o777) == 0 || errno == EEXIST else {
      throw AtomicFile.failed("make the folder", path: path)
    }
  }

  /// Gives a file another name, in place of what has it, and makes that durable.
  package static func move(_ path: String, to other: String) throws(FuseError) {
    // SAFETY: the call reads paths that end in a zero byte and live until it returns.
    guard unsafe rename(path.systemPath, other.systemPath) == 0 else {
      throw AtomicFile.failed("give the file its name", path: other)
    }
    try makeDurable(folderOf: other)
  }

  /// Gives a file a second name, in place of what has it.
  package static func link(_ path: String, as other: String) throws(FuseError) {
    try remove(other)
    // SAFETY: the call reads paths that end in a zero byte and live until it returns.
    guard unsafe FuseDBLibc.link(path.systemPath, other.systemPath) == 0 else {
      throw AtomicFile.failed("give the file a second name", path: other)
    }
  }

  /// Removes a file; one that is gone is no error.
  package static func remove(_ path: String) throws(FuseError) {
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    guard unsafe unlink(path.systemPath) == 0 || errno == ENOENT else {
      throw AtomicFile.failed("remove the file", path: path)
    }
  }

  /// When the file was last written, in seconds since 1970; nil where there is none.
  package static func time(of path: String) -> Double? {
    var status = stat()
    // SAFETY: the call reads a path that ends in a zero byte, and fills in a value of the type that it takes.
    guard unsafe lstat(path.systemPath, &status) == 0 else { return nil }
    return Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
  }

  private static func makeDurable(folderOf path: String) throws(FuseError) {
    let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).flatMap { String(path.utf8[...$0]) } ?? "."
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    let opened = retrying { unsafe open(folder.systemPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard opened >= 0 else { throw AtomicFile.failed("open the folder", path: folder) }
    let descriptor = OwnedDescriptor(opened)
    if retrying({ fuse_make_durable(descriptor.number) }) != 0, errno != EINVAL {
      throw AtomicFile.failed("make the folder durable", path: folder)
    }
  }
}

/// A file that one process at a time has, for as long as this object lives. A process that ends gives it up.
package final class FileLock: Sendable {
  package enum Kind: Sendable {
    /// With nobody else.
    case exclusive
    /// With others that take it so.
    case shared
  }

  private let file: OwnedDescriptor

  /// Takes the lock at `path`, which is made where it is missing; nil where others have it.
  package init?(_ path: String, _ kind: Kind) throws(FuseError) {
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    let opened = retrying { unsafe open(path.systemPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666) }
    guard opened >= 0 else { throw AtomicFile.failed("open the lock", path: path) }
    file = OwnedDescriptor(opened)
    guard retrying({ flock(opened, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) }) == 0 else {
      guard errno == EWOULDBLOCK else { throw AtomicFile.failed("take the lock", path: path) }
      return nil
    }
  }
}

/// A file that is written as its bytes come, which may be after a part that is there from before.
package final class PartFile {
  package let path: String
  private let file: OwnedDescriptor
  /// How many bytes it has.
  package private(set) var byteCount: Int

  /// Opens the file at `path`, which is made where it is missing; what it has stays.
  package init(_ path: String) throws(FuseError) {
    self.path = path
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    let opened = retrying { unsafe open(path.systemPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666) }
    guard opened >= 0 else { throw AtomicFile.failed("create the file", path: path) }
    file = OwnedDescriptor(opened)
    guard let status = FileStatus(of: opened) else { throw .system("look at the file", path: path) }
    byteCount = status.byteCount
  }

  package func append(_ bytes: RawSpan) throws(FuseError) {
    guard writeAll(bytes, to: file.number, at: byteCount) else { throw AtomicFile.failed("write the file", path: path) }
    byteCount += bytes.byteCount
  }

  /// Takes away all that it has.
  package func clear() throws(FuseError) {
    guard retrying({ ftruncate(file.number, 0) }) == 0 else { throw AtomicFile.failed("shorten the file", path: path) }
    byteCount = 0
  }

  /// The same file, mapped.
  package func mapped() throws(FuseError) -> FileMapping { try FileMapping(descriptor: file.number, path: path) }
}

/// The program that runs.
package enum OwnProgram {
  /// The folder that it is in; nil where the system does not say.
  package static var folder: String? {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    // SAFETY: readlink writes at most as many bytes as there is room for.
    let count = unsafe bytes.withUnsafeMutableBytes { room in
      unsafe readlink("/proc/self/exe", room.baseAddress!.assumingMemoryBound(to: CChar.self), room.count)
    }
    guard count > 0, let slash = bytes.prefix(count).lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return String(path: Array(bytes.prefix(slash)))
  }

  /// Becomes the program at `path`. Returns the error where that is not possible.
  package static func become(_ path: String, _ words: [[UInt8]]) -> FuseError {
    var arguments: [UnsafeMutablePointer<CChar>?] = unsafe []
    for word in words {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: word.count + 1)
      // SAFETY: there is room for the bytes of the word and a zero byte.
      for (place, byte) in word.enumerated() { unsafe copy[place] = CChar(bitPattern: byte) }
      unsafe copy[word.count] = 0
      unsafe arguments.append(copy)
    }
    unsafe arguments.append(nil)
    // SAFETY: the words end in a zero byte, the list in a nil. They stay for as long as this process is this program.
    unsafe execv(path.systemPath, arguments)
    return .system("run the program", path: path)
  }
}
