internal import CFuseSystem
package import FuseDBFormat
internal import FuseDBLibc

/// A folder in which files are made by their names alone: the system need not look up its path for each of them.
package final class OutputFolder {
  package let path: String
  private let folder: OwnedDescriptor

  /// Opens the folder at `path`, which is made where it is missing, as those above it are.
  package init(_ path: String) throws(FuseError) {
    self.path = path
    try FolderFiles.make(path)
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    let opened = retrying { unsafe fuse_open_folder(path.systemPath) }
    guard opened >= 0 else { throw AtomicFile.failed("open the folder", path: path) }
    folder = OwnedDescriptor(opened)
  }

  private func place(_ name: [UInt8]) -> String { path + "/" + String(path: name) }

  /// Makes a file under a name that nothing has.
  package func create(_ name: [UInt8]) throws(FuseError) -> OutputFile {
    let text = PathWalk.cString(name)
    // SAFETY: the call reads a name that ends in a zero byte and lives until it returns.
    let opened = retrying {
      unsafe openat(folder.number, text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    }
    guard opened >= 0 else { throw AtomicFile.failed("create the file", path: place(name)) }
    return OutputFile(OwnedDescriptor(opened), name, self)
  }

  /// Removes a file that was made here; one that is gone is no error.
  fileprivate func remove(_ name: [UInt8]) {
    let text = PathWalk.cString(name)
    // SAFETY: the call reads a name that ends in a zero byte and lives until it returns.
    _ = unsafe unlinkat(folder.number, text, 0)
  }

  fileprivate func failed(_ action: String, _ name: [UInt8]) -> FuseError {
    AtomicFile.failed(action, path: place(name))
  }
}

/// A file that was made in a folder, and is being written.
package final class OutputFile {
  private let file: OwnedDescriptor
  private let name: [UInt8]
  private let folder: OutputFolder

  fileprivate init(_ file: OwnedDescriptor, _ name: [UInt8], _ folder: OutputFolder) {
    (self.file, self.name, self.folder) = (file, name, folder)
  }

  package func write(_ bytes: RawSpan, at offset: Int) throws(FuseError) {
    guard writeAll(bytes, to: file.number, at: offset) else { throw folder.failed("write the file", name) }
  }

  /// Gives the file permissions.
  package func setMode(_ mode: UInt32) throws(FuseError) {
    guard fchmod(file.number, mode_t(mode)) == 0 else { throw folder.failed("set the permissions of the file", name) }
  }

  /// Takes the file away again.
  package func remove() { folder.remove(name) }
}
