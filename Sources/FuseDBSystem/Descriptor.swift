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
    number = retrying { unsafe open(path, O_RDONLY | O_CLOEXEC) }
    guard number >= 0 else { throw Self.unreadable("open", errno, name: path) }
  }

  package func close() { FuseDBLibc.close(number) }

  /// Throws unless a file at `path` is there to be read.
  package static func checkReadable(_ path: String) throws(FuseError) {
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    guard unsafe access(path, R_OK) == 0 else { throw unreadable("open", errno, name: path) }
    guard let status = FileStatus(at: path) else { throw unreadable("open", errno, name: path) }
    if status.kind == .folder { throw unreadable("read", EISDIR, name: path) }
  }

  /// Whether a person is at the other end.
  package var isTerminal: Bool { isatty(number) == 1 }

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

  /// Ends the process as writing to a pipe that nobody reads would; where that signal is ignored, returns the error.
  package static func brokenPipe(name: String) -> FuseError {
    raise(SIGPIPE)
    return unwritable(EPIPE, name: name)
  }

  /// Whether whoever read what was written has closed the pipe.
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

  /// What is at `path`, or where a link there leads; nil where there is nothing, and `errno` says why.
  package init?(at path: String) {
    var status = stat()
    // SAFETY: the call reads a path that ends in a zero byte, and fills in a value of the type that it takes.
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// What is at `path`, which may be a link; nil where there is nothing.
  package init?(atLink path: String) {
    var status = stat()
    // SAFETY: the call reads a path that ends in a zero byte, and fills in a value of the type that it takes.
    guard unsafe lstat(path, &status) == 0 else { return nil }
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
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
  }
}
