internal import CFuseSystem
internal import Glibc

/// A file's bytes, mapped read-only for as long as this object lives.
///
/// A file that somebody truncates while it is mapped reads as zeros where it was cut, and `shrunkAt` says so: whoever
/// takes bytes from the mapping checks afterwards. See spec/decisions/0003-truncation-while-mapped.md.
@safe
final class FileMapping: Sendable {
  let path: String
  let byteCount: Int
  // SAFETY: both point at memory that this object owns until deinit; the region's one mutable field is read atomically.
  private nonisolated(unsafe) let base: UnsafeRawPointer
  private nonisolated(unsafe) let region: UnsafeMutablePointer<fuse_region>

  init(path: String) throws(FuseError) {
    // The system takes a path to end at its first zero byte, and would open another file.
    guard !path.utf8.contains(0) else {
      throw FuseError(.notFound, "the path holds a zero byte, so there can be no such file", path: path)
    }
    let descriptor = retrying { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw .system("open the file", path: path) }
    defer { close(descriptor) }

    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system("read the file's size", path: path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FuseError(.notFound, "not a regular file, and only those can be mapped", path: path)
    }
    // mmap refuses a length of zero; such a file is refused here, in the words of a file that was cut short.
    guard status.st_size > 0 else {
      throw FuseError(.truncated, "the file is empty and a header has \(Header.byteCount) bytes", offset: 0, path: path)
    }
    let size = Int(status.st_size)
    guard let mapped = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), unsafe mapped != MAP_FAILED else {
      throw .system("map the file", path: path)
    }
    guard let region = unsafe fuse_region_watch(mapped, size) else {
      unsafe munmap(mapped, size)
      throw .system("watch the mapping", path: path)
    }
    self.path = path
    byteCount = size
    unsafe base = UnsafeRawPointer(mapped)
    unsafe self.region = region
  }

  deinit {
    unsafe fuse_region_release(region)
    unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount)
  }

  /// The file's bytes.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get {
      // SAFETY: the mapping has exactly `byteCount` bytes and outlives the borrow of self.
      unsafe _overrideLifetime(RawSpan(_unsafeStart: base, byteCount: byteCount), borrowing: self)
    }
  }

  /// Where the first byte was found missing, or nil while all that was read came from the file.
  @inline(__always)
  var shrunkAt: Int? {
    let fault = unsafe fuse_region_fault(region)
    return fault < 0 ? nil : Int(fault)
  }

  /// Throws once a byte was found missing.
  @inline(__always)
  func checkNotShrunk() throws(FuseError) {
    if let offset = shrunkAt { throw shrunk(at: offset) }
  }

  @inline(never)
  private func shrunk(at offset: Int) -> FuseError {
    FuseError(
      .truncated,
      "the file became shorter while it was open (or cannot be read); replace files by renaming and open this one again",
      offset: UInt64(offset), path: path)
  }

  /// Tells the kernel that all bytes will be read once, from the first to the last.
  func willReadInOrder() {
    unsafe madvise(UnsafeMutableRawPointer(mutating: base), byteCount, MADV_WILLNEED)
  }
}
