internal import CFusePublish
internal import CFuseSystem
package import FuseDBFormat
internal import FuseDBLibc

/// What a store does to its folder. Nothing here is silent: a folder that can't be read is no empty one.
package enum StoreFiles {
  /// The names in the folder at `path`, sorted; none where there is no folder.
  package static func names(in path: String) throws(FuseError) -> [String] {
    // SAFETY: the path ends in a zero byte. The folder is open until it is closed below.
    guard let folder = unsafe opendir(path.systemPath) else {
      if errno == ENOENT { return [] }
      throw .system("list the folder", path: path)
    }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(folder) else {
        guard errno == 0 else { throw .system("list the folder", path: path) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      }
      // SAFETY: the entry stays as it is until the folder is read again, and its name ends in a zero byte.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in unsafe Array(bytes.prefix { $0 != 0 }) }
      if name != Array(".".utf8), name != Array("..".utf8) { names.append(String(path: name)) }
    }
  }

  /// Makes a folder at `path`, durably, where there is none.
  package static func makeFolder(_ path: String) throws(FuseError) {
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    guard unsafe mkdir(path.systemPath, 0o777) == 0 else {
      guard errno == EEXIST else { throw AtomicFile.failed("make the folder", path: path) }
      return
    }
    try makeDurable(folderOf: path)
  }

  /// Gives a file another name, in place of what has it; ``makeDurable(folder:)`` makes it last.
  package static func rename(_ path: String, to other: String) throws(FuseError) {
    // SAFETY: the call reads paths that end in a zero byte and live until it returns.
    guard unsafe FuseDBLibc.rename(path.systemPath, other.systemPath) == 0 else {
      throw AtomicFile.failed("give the file its name", path: other)
    }
  }

  /// Gives a file a second name. Returns false where something has it already.
  package static func link(_ path: String, as other: String) throws(FuseError) -> Bool {
    // SAFETY: the call reads paths that end in a zero byte and live until it returns.
    if unsafe FuseDBLibc.link(path.systemPath, other.systemPath) == 0 { return true }
    guard errno == EEXIST else { throw AtomicFile.failed("give the file its name", path: other) }
    return false
  }

  /// Has the disk keep the names in a folder. Some file systems cannot sync a folder and say EINVAL; they have nothing to sync then.
  package static func makeDurable(folder path: String) throws(FuseError) {
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    let opened = retrying { unsafe open(path.systemPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard opened >= 0 else { throw AtomicFile.failed("open the folder", path: path) }
    let folder = OwnedDescriptor(opened)
    guard retrying({ fuse_make_durable(folder.number) }) == 0 || errno == EINVAL else {
      throw AtomicFile.failed("make the folder durable", path: path)
    }
  }

  private static func makeDurable(folderOf path: String) throws(FuseError) {
    let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).flatMap { String(path.utf8[...$0]) } ?? "."
    try makeDurable(folder: folder)
  }

  /// Whether a living process has the lock of the file at `path`; false where there is no file.
  package static func isLocked(_ path: String) throws(FuseError) -> Bool {
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    let opened = retrying { unsafe open(path.systemPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
    guard opened >= 0 else {
      if errno == ENOENT { return false }
      throw .system("open the file", path: path)
    }
    let file = OwnedDescriptor(opened)
    if retrying({ flock(file.number, LOCK_SH | LOCK_NB) }) == 0 { return false }
    guard errno == EWOULDBLOCK else { throw .system("look at the lock", path: path) }
    return true
  }
}

extension StoreFiles {
  /// What the environment says under a name; nil where it says nothing.
  package static func variable(_ name: String) -> String? {
    // SAFETY: the name ends in a zero byte, and so does the value, which is copied at once.
    unsafe getenv(name).map { unsafe String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The most memory that the process has had, in bytes.
  package static var peakMemory: Int {
    var usage = rusage()
    // SAFETY: the call fills in a value of the type that it takes.
    return unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 ? Int(usage.ru_maxrss) * 1024 : 0
  }
}

/// A file that grows, whose lock this process has for as long as the object lives: who finds the lock free knows that its owner is gone.
package final class GrowingFile {
  package let path: String
  private let file: OwnedDescriptor

  /// Makes a file under a name that nothing has.
  package init(_ path: String) throws(FuseError) {
    self.path = path
    while true {
      // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
      let opened = retrying { unsafe open(path.systemPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666) }
      guard opened >= 0 else { throw AtomicFile.failed("create the file", path: path) }
      let file = OwnedDescriptor(opened)
      guard retrying({ flock(opened, LOCK_EX) }) == 0 else { throw AtomicFile.failed("lock the file", path: path) }
      // Who sweeps took it for one that a dead process left, if it came between the two calls.
      var status = stat()
      guard unsafe fstat(opened, &status) == 0 else { throw .system("look at the file", path: path) }
      guard status.st_nlink == 0 else {
        self.file = file
        return
      }
    }
  }

  package func write(_ bytes: RawSpan, at offset: Int) throws(FuseError) {
    guard writeAll(bytes, to: file.number, at: offset) else { throw AtomicFile.failed("write the file", path: path) }
    // The disk works while the rest comes, so that there is little left to wait for at the end.
    guard offset + bytes.byteCount - begun >= Self.stepByteCount else { return }
    fuse_begin_writing(file.number, Int64(begun), Int64(offset + bytes.byteCount - begun))
    begun = offset + bytes.byteCount
  }

  /// Writes bytes that nobody reads soon: straight to the disk where they and the offset are whole pages. To copy them into the page cache,
  /// and to make room there, takes as long as to digest them.
  package func stream(_ bytes: RawSpan, at offset: Int) throws(FuseError) {
    guard
      // SAFETY: the address is looked at, and nothing there is read.
      unsafe bytes.withUnsafeBytes({ UInt(bitPattern: $0.baseAddress) | UInt($0.count) | UInt(offset) }) & 4095 == 0,
      let file = pastCache()
    else { return try write(bytes, at: offset) }
    if writeAll(bytes, to: file.number, at: offset) { return }
    // The file system wants other multiples, or can't do it after all; whatever came through is written once more.
    guard errno == EINVAL else { throw AtomicFile.failed("write the file", path: path) }
    (direct, isCached) = (nil, true)
    try write(bytes, at: offset)
  }

  private func pastCache() -> OwnedDescriptor? {
    if isCached || direct != nil { return direct }
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    let opened = retrying { unsafe fuse_open_past_cache(path.systemPath) }
    if opened >= 0 { direct = OwnedDescriptor(opened) } else { isCached = true }
    return direct
  }

  private var direct: OwnedDescriptor?
  /// Whether the file system does not write past the cache.
  private var isCached = false
  /// Up to where the disk was told to begin.
  private var begun = 0
  private static let stepByteCount = 8 << 20

  /// Gives the file permissions, without a change where it has them.
  package func setMode(_ mode: UInt32) throws(FuseError) {
    guard fchmod(file.number, mode_t(mode)) == 0 else {
      throw AtomicFile.failed("set the permissions of the file", path: path)
    }
  }

  /// The bytes from `offset` on; fewer where the file ends.
  package func bytes(at offset: Int, count: Int) throws(FuseError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    // SAFETY: as many bytes are read as there is room for.
    let done = unsafe bytes.withUnsafeMutableBytes { unsafe readAll(file.number, into: $0, at: offset) }
    guard done >= 0 else { throw .system("read the file", path: path) }
    bytes.removeLast(count - done)
    return bytes
  }

  /// Has the disk keep what was written. Not repeated when it fails: the system may have dropped what it could not write.
  package func makeDurable() throws(FuseError) {
    guard retrying({ fuse_make_durable(file.number) }) == 0 else {
      throw AtomicFile.failed("make the file durable", path: path)
    }
  }
}

extension StoreFiles {
  /// Removes a file that grows, if no living process has its lock. Returns whether it is gone.
  package static func sweep(_ path: String) throws(FuseError) -> Bool {
    // SAFETY: the calls read a path that ends in a zero byte and lives until they return.
    let opened = retrying { unsafe open(path.systemPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
    guard opened >= 0 else {
      if errno == ENOENT { return true }
      throw .system("open the file", path: path)
    }
    let file = OwnedDescriptor(opened)
    guard retrying({ flock(file.number, LOCK_EX | LOCK_NB) }) == 0 else {
      guard errno == EWOULDBLOCK else { throw .system("look at the lock", path: path) }
      return false
    }
    guard unsafe unlink(path.systemPath) == 0 || errno == ENOENT else {
      throw AtomicFile.failed("remove the file", path: path)
    }
    return true
  }
}

/// A lock that is waited for.
package final class WaitingLock {
  private let file: OwnedDescriptor

  /// Takes the lock at `path`, once nobody else has it.
  package init(_ path: String) throws(FuseError) {
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    let opened = retrying { unsafe open(path.systemPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666) }
    guard opened >= 0 else { throw AtomicFile.failed("open the lock", path: path) }
    file = OwnedDescriptor(opened)
    guard retrying({ flock(opened, LOCK_EX) }) == 0 else { throw AtomicFile.failed("take the lock", path: path) }
  }
}
