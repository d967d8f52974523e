internal import CFuseSystem
package import FuseDBFormat
internal import FuseDBLibc

extension FileMapping {
  /// Opens the file at `path`.
  ///
  /// - Parameter name: what errors call it; nil for the path.
  package convenience init(path: String, named name: String? = nil, access: FuseAccess = .mapped) throws(FuseError) {
    let descriptor = try OwnedDescriptor(reading: path, named: name ?? path)
    try self.init(descriptor: descriptor.number, path: name ?? path, access: access)
  }

  /// The file of an open descriptor, which stays the caller's: neither closed nor moved.
  package convenience init(descriptor: Int32, path: String? = nil, access: FuseAccess = .mapped) throws(FuseError) {
    let isOurs = path != nil
    let path = path ?? "descriptor \(descriptor)"
    var status = stat()
    // SAFETY: the call fills in a value of the type that it takes.
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system("read the file's size", path: path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let kind = status.st_mode & S_IFMT == S_IFDIR ? "this is a folder" : "not a regular file"
      throw FuseError(.notFound, "\(kind), and only regular files can be opened", path: path)
    }
    // Mapping and reading would refuse it with different errors.
    if !isOurs, fcntl(descriptor, F_GETFL) & O_ACCMODE == O_WRONLY {
      throw FuseError(.notFound, "not open for reading; open it with O_RDONLY or O_RDWR", path: path)
    }
    // mmap refuses a length of zero; such a file is refused here, in the words of a file that was cut short.
    guard status.st_size > 0 else { throw .noBytes(in: "file", path: path) }
    let byteCount = Int(status.st_size)
    switch access.memory {
    case .mapped:
      try self.init(
        mapping: descriptor, byteCount: byteCount, path: path, access: access, stamp: FileStamp(status))
    case .copied:
      try self.init(
        reading: descriptor, byteCount: byteCount, path: path, isLocked: access.isLocked, stamp: FileStamp(status))
    }
  }

  /// A copy of the first `byteCount` bytes of an open file, which had so many a moment ago.
  convenience init(
    reading descriptor: Int32, byteCount: Int, path: String, isLocked: Bool, stamp: FileStamp? = nil
  ) throws(FuseError) {
    // SAFETY: the memory has `byteCount` bytes.
    unsafe try self.init(copying: byteCount, path: path, isLocked: isLocked, stamp: stamp) { memory throws(FuseError) in
      let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
      let before = FileStamp(of: descriptor)
      let count = unsafe readAll(descriptor, into: bytes, at: 0)
      guard count >= 0 else { throw .system("read the file", path: path) }
      guard count == byteCount else { throw .changedWhileRead(at: count, path: path) }
      // A copy of which one part is of another file than the rest would be taken for a file.
      guard let before, before == FileStamp(of: descriptor) else { throw .changedWhileRead(at: 0, path: path) }
      if before.isRecent, let offset = unsafe try Self.firstDifference(of: descriptor, from: bytes, path: path) {
        throw .changedWhileRead(at: offset, path: path)
      }
    }
  }

  /// Where a file has another byte than `bytes`, or none; nil if it has them all.
  private static func firstDifference(
    of descriptor: Int32, from bytes: UnsafeMutableRawBufferPointer, path: String
  ) throws(FuseError) -> Int? {
    let portion = try ZeroedMemory(byteCount: 1 << 20)
    var offset = 0
    while offset < bytes.count {
      let count = min(portion.byteCount, bytes.count - offset)
      // SAFETY: the portion has so many bytes, and so many are left.
      let isRead = unsafe readWhole(
        descriptor, into: UnsafeMutableRawBufferPointer(start: portion.start, count: count), at: offset)
      guard isRead, unsafe memcmp(portion.start, bytes.baseAddress! + offset, count) == 0 else { return offset }
      offset += count
    }
    return nil
  }

  /// A copy of `bytes`.
  ///
  /// - Parameter path: where they are from.
  package convenience init(bytes: RawSpan, isLocked: Bool, path: String = "bytes in memory") throws(FuseError) {
    guard bytes.byteCount > 0 else { throw .noBytes(in: "database", path: path) }
    // SAFETY: the memory has as many bytes, and is new.
    unsafe try self.init(copying: bytes.byteCount, path: path, isLocked: isLocked) { memory in
      unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }
  }
}

extension FuseError {
  fileprivate static func changedWhileRead(at offset: Int, path: String) -> FuseError {
    FuseError(
      .truncated,
      "the file was overwritten or became shorter while it was read; replace files by renaming and open this one again",
      offset: UInt64(offset), path: path)
  }

  fileprivate static func noBytes(in what: String, path: String) -> FuseError {
    FuseError(
      .truncated, "the \(what) is empty and a header has \(Header.byteCount) bytes; copy or build it again", offset: 0,
      path: path)
  }

  /// The system refused to keep `byteCount` bytes in memory.
  static func cannotLock(_ byteCount: Int, errno number: Int32, path: String) -> FuseError {
    let limit = fuse_limit(FUSE_LIMITED_LOCKED)
    let allowed = limit < .max ? counted(limit, "byte") : "without limit"
    // SAFETY: `strerror` gives a text that ends in a zero byte, which is copied at once.
    return FuseError(
      .inputOutput,
      """
      cannot lock \(counted(byteCount, "byte")) in memory: \(unsafe String(cString: strerror(number))); this process may lock \
      \(allowed) in all (RLIMIT_MEMLOCK): raise that with 'ulimit -l \((byteCount + 1023) / 1024)' or more, or open \
      without locking
      """, path: path, errno: number)
  }
}
