internal import CFuseSystem
internal import Glibc

/// A file that appears under its name complete or not at all. See spec/decisions/0005-atomic-publish.md.
///
/// The bytes go to a file without a name in the same folder, so a process that is killed while it writes leaves nothing
/// behind. (Where the file system has no such files, they go to one with a unique name.) ``publish(header:)`` makes them
/// durable and moves them over the old file in one step.
final class AtomicFile {
  let path: String
  let folder: String
  private let folderDescriptor: OwnedDescriptor
  private let file: OwnedDescriptor
  /// The name to remove when this object ends without having been published.
  private var temporaryPath: String?
  /// What follows the header.
  private let body: FileStream

  /// The CRC-32 of all bytes written after the first ``Header/byteCount``; flush before.
  var checksum: Checksum { body.checksum }
  /// The bytes written so far, and the header.
  var byteCount: UInt64 { UInt64(body.position) }

  /// Begins a file that is to replace whatever stands at `path`, and leaves room for a header at its start.
  init(replacing path: String) throws(FuseError) {
    self.path = path
    // By bytes: a slash and an accent behind it are one character.
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let name = String(path.utf8[(slash.map { path.utf8.index(after: $0) } ?? path.startIndex)...]) ?? ""
    guard !name.isEmpty, name != ".", name != "..", !path.utf8.contains(0) else {
      throw FuseError(.inputOutput, "the path of the new file does not end in a file name", path: path)
    }
    let folder = slash.map { String(path.utf8[...$0]) ?? "." } ?? "."
    self.folder = folder

    // What a link leads to counts: it may be the place of a folder or a device. A link to nothing is replaced as well.
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw FuseError(
        .inputOutput, "there is something here that is not a regular file; choose another name", path: path)
    }
    // Before the work: a folder that cannot be opened could not be made durable after it.
    let openedFolder = retrying { unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard openedFolder >= 0 else { throw Self.failed("open the folder \(folder)", path: path) }
    folderDescriptor = OwnedDescriptor(openedFolder)
    var opened = retrying { unsafe fuse_open_unnamed(folder, 0o666) }
    if opened < 0, [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) {
      let temporary = Self.uniqueName(beside: path, in: folder)
      opened = retrying { unsafe fuse_create_unfinished(temporary, 0o666) }
      if opened >= 0 { temporaryPath = temporary }
    }
    guard opened >= 0 else { throw Self.failed("create a file in \(folder)", path: path) }
    file = OwnedDescriptor(opened)
    // The header comes last, when its numbers are known.
    do throws(FuseError) {
      body = try FileStream(to: opened, at: Header.byteCount, path: path)
    } catch {
      if let temporaryPath { unsafe fuse_unlink_unfinished(temporaryPath) }
      throw error
    }
  }

  deinit {
    // Where this fails too, nothing is left to try; the first failure is what people read.
    if let temporaryPath { unsafe fuse_unlink_unfinished(temporaryPath) }
  }

  var descriptor: Int32 { file.number }

  /// Appends bytes.
  func write(_ bytes: RawSpan) throws(FuseError) { try body.write(bytes) }

  /// Appends an integer, big-endian.
  func write<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) throws(FuseError) {
    try body.write(bigEndian: value)
  }

  /// Hands over what is buffered, so that `checksum` covers all bytes written.
  func flush() throws(FuseError) { try body.flush() }

  /// What was written so far, to be read back; flush before.
  func mapped() throws(FuseError) -> FileMapping {
    try FileMapping(mapping: descriptor, byteCount: Int(byteCount), path: path, access: .mapped)
  }

  /// Writes the header, makes the file durable and moves it to its name.
  func publish(header: [UInt8]) throws(FuseError) {
    try flush()
    guard writeAll(header.rawSpan, to: descriptor, at: 0) else {
      throw Self.failed("write the header", path: path)
    }
    // Not repeated when it fails: the system may have dropped what it could not write, and would say yes.
    guard retrying({ fsync(descriptor) }) == 0 else { throw Self.failed("make the file durable", path: path) }
    try moveToName()
    // A name lasts when its folder has been written. Some file systems cannot sync a folder and say EINVAL; they have
    // nothing to sync then.
    if retrying({ fsync(folderDescriptor.number) }) != 0, errno != EINVAL {
      throw Self.failed("make the folder durable (the new file is in place)", path: path)
    }
  }

  /// Gives the file its name: at once where nothing stands there, otherwise by way of another name.
  private func moveToName() throws(FuseError) {
    if temporaryPath == nil {
      if unsafe fuse_link_finished(descriptor, path) == 0 { return }
      guard errno == EEXIST else { throw Self.failed("name the new file", path: path) }
      let temporary = Self.uniqueName(beside: path, in: folder)
      guard unsafe fuse_link_unfinished(descriptor, temporary) == 0 else {
        throw Self.failed("name the new file", path: path)
      }
      temporaryPath = temporary
    }
    guard unsafe fuse_rename_finished(temporaryPath!, path) == 0 else {
      throw Self.failed("move the new file to its name", path: path)
    }
    temporaryPath = nil
  }

  /// Hidden, and named after the file, so that a person who finds one knows what it was.
  private static func uniqueName(beside path: String, in folder: String) -> String {
    let name = path.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) } ?? ""
    // NAME_MAX is 255 bytes; what is added has 23.
    return "\(folder)/.\(name.utf8.count > 200 ? "fsdb" : name).\(fuse_random().hexadecimal.dropFirst(2)).tmp"
  }

  /// Whatever goes wrong on the writing side is a failure to write, even when a folder is missing.
  static func failed(_ action: String, path: String) -> FuseError {
    let error = FuseError.system(action, path: path)
    return FuseError(.inputOutput, error.message, path: path, errno: error.errno)
  }
}
