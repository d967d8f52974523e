internal import CFuseSystem
package import FuseDBFormat
internal import FuseDBLibc

/// A descriptor that is read or written in order: a file, a pipe, a terminal.
package struct Descriptor: Sendable {
  package static let standardInput = Descriptor(STDIN_FILENO)
  package static let standardOutput = Descriptor(STDOUT_FILENO)
  package static let standardError = Descriptor(STDERR_FILENO)

  package let number: Int32

  package init(_ number: Int32) { self.number = number }

  /// Opens the file at `path` for reading; ``close()`` closes it.
  ///
  /// - Throws: ``FuseError`` with code `notFound`.
  package init(reading path: String) throws(FuseError) {
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    number = retrying { unsafe open(path.systemPath, O_RDONLY | O_CLOEXEC) }
    guard number >= 0 else { throw Self.unreadable("open", errno, name: path) }
  }

  package func close() { FuseDBLibc.close(number) }

  /// Throws unless a file at `path` is there to be read.
  package static func checkReadable(_ path: String) throws(FuseError) {
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    guard unsafe access(path.systemPath, R_OK) == 0 else { throw unreadable("open", errno, name: path) }
    guard let status = FileStatus(at: path) else { throw unreadable("open", errno, name: path) }
    if status.kind == .folder { throw unreadable("read", EISDIR, name: path) }
  }

  /// Whether a person is at the other end.
  package var isTerminal: Bool { isatty(number) == 1 }

  /// Whether colours are wanted there: by a person at a terminal that has them, unless the environment has `NO_COLOR`, as
  /// https://no-color.org asks.
  package var showsColours: Bool {
    isTerminal && Self.variable("NO_COLOR").isEmpty && !["", "dumb"].contains(Self.variable("TERM"))
  }

  private static func variable(_ name: String) -> String {
    // SAFETY: the name ends in a zero byte, and so does the value, which is copied at once; no other thread runs that
    // changes the environment.
    unsafe getenv(name).map { unsafe String(cString: $0) } ?? ""
  }

  /// How many columns the terminal has at this moment; nil where that is not known.
  package var columnCount: Int? {
    let count = fuse_terminal_width(number)
    return count > 0 ? Int(count) : nil
  }

  /// How many bytes of a file are still to be read; nil for what is no file.
  package var unreadByteCount: Int? {
    guard let status = FileStatus(of: number), status.kind == .regular else { return nil }
    return max(0, status.byteCount - max(0, Int(lseek(number, 0, SEEK_CUR))))
  }

  /// Reads into `bytes[range]` what is there, at least one byte; 0 at the end.
  ///
  /// - Parameter name: of the input, for errors.
  /// - Throws: ``FuseError`` with code `notFound`.
  package func read(into bytes: inout [UInt8], _ range: Range<Int>, name: String) throws(FuseError) -> Int {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the range lies inside the array")
    // SAFETY: the range lies inside the array.
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      retrying { unsafe FuseDBLibc.read(number, bytes.baseAddress! + range.lowerBound, range.count) }
    }
    guard count >= 0 else { throw Self.unreadable("read", errno, name: name) }
    return count
  }

  /// Writes all of `bytes`.
  ///
  /// - Parameter name: of the output, for errors.
  /// - Throws: ``FuseError`` with code `inputOutput`.
  package func write(_ bytes: [UInt8], name: String) throws(FuseError) {
    var done = 0
    while done < bytes.count {
      // SAFETY: write reads exactly what is left of the bytes.
      let written = unsafe bytes.withUnsafeBytes { bytes in
        retrying { unsafe FuseDBLibc.write(number, bytes.baseAddress! + done, bytes.count - done) }
      }
      guard written > 0 else { throw Self.unwritable(errno, name: name) }
      done += written
    }
  }

  /// Ends the process as writing to a pipe without a reader would; where that signal is ignored, returns the error.
  package static func brokenPipe(name: String) -> FuseError {
    raise(SIGPIPE)
    return unwritable(EPIPE, name: name)
  }

  /// Whether the reading end of the pipe is closed.
  package static func isBrokenPipe(_ error: FuseError) -> Bool { error.errno == EPIPE }

  private static func unreadable(_ action: String, _ number: Int32, name: String) -> FuseError {
    // SAFETY: `strerror` gives a text that ends in a zero byte, which is copied at once.
    FuseError(
      .notFound, "cannot \(action) the input: \(unsafe String(cString: strerror(number)))", path: name, errno: number)
  }

  private static func unwritable(_ number: Int32, name: String) -> FuseError {
    // SAFETY: `strerror` gives a text that ends in a zero byte, which is copied at once.
    FuseError(.inputOutput, "cannot write to \(name): \(unsafe String(cString: strerror(number)))", errno: number)
  }
}

/// What the system says of a file: its kind and its length.
package struct FileStatus: Sendable {
  package enum Kind: Sendable {
    case regular
    case folder
    case link
    /// A pipe, a socket or a device.
    case other
  }

  package let kind: Kind
  package let byteCount: Int
  /// The permissions.
  package let mode: UInt32

  /// What is at `path`, or where a link there leads; nil where there is nothing, and `errno` says why.
  package init?(at path: String) {
    var status = stat()
    // SAFETY: the call reads a path that ends in a zero byte, and fills in a value of the type that it takes.
    guard unsafe stat(path.systemPath, &status) == 0 else { return nil }
    self.init(status)
  }

  /// What is at `path`, which may be a link; nil where there is nothing.
  package init?(atLink path: String) {
    var status = stat()
    // SAFETY: the call reads a path that ends in a zero byte, and fills in a value of the type that it takes.
    guard unsafe lstat(path.systemPath, &status) == 0 else { return nil }
    self.init(status)
  }

  init?(of descriptor: Int32) {
    var status = stat()
    // SAFETY: the call fills in a value of the type that it takes.
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    byteCount = Int(status.st_size)
    mode = UInt32(status.st_mode) & 0o7777
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
  }
}

/// An open file that is read piece by piece: what is read counts as memory only where the caller keeps it, while the
/// kernel maps as much as two megabytes around a byte that is read of a mapping.
package final class InputDescriptor: Sendable {
  /// How many descriptors the process may have.
  package static var mostOpen: Int { Int(clamping: fuse_limit(FUSE_LIMITED_FILES)) }

  /// As it was given.
  package let path: String
  private let file: OwnedDescriptor

  /// Opens the file at `path`.
  package init(_ path: PinnedPath) throws(FuseError) {
    self.path = path.given
    file = try OwnedDescriptor(reading: path.absolute, named: path.given)
  }

  init(_ file: OwnedDescriptor, named path: String) {
    self.path = path
    self.file = file
  }

  /// The same file, mapped.
  package func mapping() throws(FuseError) -> FileMapping { try FileMapping(descriptor: file.number, path: path) }

  /// What the file is now.
  package func stamp() throws(FuseError) -> FileStamp {
    guard let stamp = FileStamp(of: file.number) else { throw .system("read the file's size", path: path) }
    return stamp
  }

  /// Reads up to `count` bytes from `offset` on, fewer where the file ends, after what `bytes` holds already.
  package func append(_ count: Int, at offset: Int, to bytes: inout [UInt8]) throws(FuseError) {
    try bytes.makeRoom(for: count)
    var error: FuseError?
    bytes.append(addingCapacity: count) { room in
      // SAFETY: pread writes at most what is left of the room, and as much as it says is initialized.
      unsafe room.withUnsafeMutableBufferPointer { room, done in
        while done < count {
          let result = retrying {
            unsafe pread(file.number, room.baseAddress! + done, count - done, off_t(offset + done))
          }
          guard result >= 0 else { return error = .system("read the file", path: path) }
          if result == 0 { return }
          done += result
        }
      }
    }
    if let error { throw error }
  }
}

/// An open descriptor that is closed with this object.
package final class OwnedDescriptor: Sendable {
  package let number: Int32

  package init(_ number: Int32) { self.number = number }

  /// Opens what is at `path`, for reading. Errors call it by `name`, or by its path.
  package init(reading path: String, named name: String? = nil) throws(FuseError) {
    // The system takes a path to end at its first zero byte, and would open another file.
    guard !path.utf8.contains(0) else {
      throw FuseError(.notFound, "the path holds a zero byte, so there can be no such file", path: name ?? path)
    }
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    number = retrying { unsafe open(path.systemPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard number >= 0 else { throw .system("open the file", path: name ?? path) }
  }

  // What closing could still report, fsync has reported, or the file is given up.
  deinit { close(number) }
}

/// Writes all of `bytes` into a file, from `offset` on. Returns false, with the reason in `errno`, where that fails.
func writeAll(_ bytes: RawSpan, to descriptor: Int32, at offset: Int) -> Bool {
  var done = 0
  while done < bytes.byteCount {
    let rest = bytes.extracting(droppingFirst: done)
    // SAFETY: pwrite reads exactly the rest of the span.
    let written = unsafe rest.withUnsafeBytes { rest in
      retrying { unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done)) }
    }
    // A file that takes no byte and gives no reason would never be done.
    if written == 0 { errno = EIO }
    guard written > 0 else { return false }
    done += written
  }
  return true
}

/// Fills `bytes` with what stands in a file from `offset` on. Returns how many bytes there were, fewer where the file ends
/// early; -1, with the reason in `errno`, where reading fails.
func readAll(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
  var done = 0
  while done < bytes.count {
    // SAFETY: pread writes at most the rest of the bytes.
    let count = retrying {
      unsafe pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
    }
    guard count > 0 else { return count < 0 ? -1 : done }
    done += count
  }
  return done
}

/// The same, where fewer bytes are a failure too, for which `errno` says EIO.
func readWhole(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) -> Bool {
  // SAFETY: the buffer is handed on as the caller gave it, and not kept.
  let count = unsafe readAll(descriptor, into: bytes, at: offset)
  if count >= 0, count < bytes.count { errno = EIO }
  return count == bytes.count
}
