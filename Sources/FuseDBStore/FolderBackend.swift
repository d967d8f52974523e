public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
public import FuseDBWriting

/// A store in a folder.
public final class FolderBackend: StoreBackend {
  /// The folder, as it was given.
  public let path: String
  private let folder: String

  /// Opens nothing yet.
  ///
  /// - Parameter path: of the folder, which need not be there yet.
  public init(path: String) {
    self.path = path
    folder = PinnedPath(path).absolute
  }

  private func place(_ name: String) -> String { folder + "/" + name }
  private func folder(of name: String) -> String {
    let place = place(name)
    return place.utf8.lastIndex(of: UInt8(ascii: "/")).flatMap { String(place.utf8[..<$0]) } ?? "."
  }

  /// Makes the folder and those in it. What is there must be an empty folder, or what a call that was ended left.
  public func make(_ folders: [String]) throws(FuseError) {
    let others = try StoreFiles.names(in: folder).filter { !folders.contains($0) && !$0.hasSuffix(".tmp") }
    guard others.isEmpty else {
      throw FuseError(
        .refused, "there is '\(others[0])' in this folder already; choose an empty one, or another path", path: path)
    }
    try FolderFiles.make(folder)
    for name in folders { try StoreFiles.makeFolder(place(name)) }
    try StoreFiles.makeDurable(folder: folder)
  }

  /// The names in a folder.
  public func names(in folder: String) throws(FuseError) -> [String] { try StoreFiles.names(in: place(folder)) }

  /// A file, mapped.
  public func file(_ name: String) throws(FuseError) -> StoreFile? {
    do throws(FuseError) { return StoreFile(try FileMapping(path: place(name))) } catch {
      if error.errno == FuseError.noSuchFile { return nil }
      // A file without bytes can't be mapped.
      if error.code == .truncated { return StoreFile(bytes: []) }
      throw error
    }
  }

  /// A look-up file, mapped.
  public func reader(_ name: String) throws(FuseError) -> FuseReader? {
    do throws(FuseError) { return try FuseReader(path: place(name)) } catch {
      if error.errno == FuseError.noSuchFile { return nil }
      throw error
    }
  }

  /// Writes a file beside and moves it to its name.
  public func write(_ bytes: [UInt8], to name: String, replacing: Bool) throws(FuseError) -> Bool {
    let temporary = place("tmp/\(Hexadecimal.random(16)).tmp")
    let folder = folder(of: name)
    try StoreFiles.makeFolder(folder)
    let file = try GrowingFile(temporary)
    do throws(FuseError) {
      try file.write(bytes.rawSpan, at: 0)
      try file.makeDurable()
      var isDone = true
      if replacing {
        try StoreFiles.rename(temporary, to: place(name))
      } else {
        isDone = try StoreFiles.link(temporary, as: place(name))
        try FolderFiles.remove(temporary)
      }
      try StoreFiles.makeDurable(folder: folder)
      return isDone
    } catch {
      try? FolderFiles.remove(temporary)
      throw error
    }
  }

  /// Makes a file that grows.
  public func begin(_ name: String) throws(FuseError) -> any StoreGrowingFile { try GrowingFile(place(name)) }

  /// Moves a file.
  public func rename(_ name: String, to other: String) throws(FuseError) {
    try StoreFiles.rename(place(name), to: place(other))
    try StoreFiles.makeDurable(folder: folder(of: other))
  }

  /// Builds a look-up file.
  public func build(_ writer: FuseWriter, as name: String) throws(FuseError) { try writer.build(to: place(name)) }

  /// Removes a file.
  public func remove(_ name: String) throws(FuseError) { try FolderFiles.remove(place(name)) }

  /// Whether somebody who lives has the lock of a file.
  public func isLocked(_ name: String) throws(FuseError) -> Bool { try StoreFiles.isLocked(place(name)) }

  /// Removes what a dead process left.
  public func sweep(_ name: String) throws(FuseError) -> Bool { try StoreFiles.sweep(place(name)) }

  /// Takes a lock.
  public func lock(_ name: String, waiting: Bool) throws(FuseError) -> AnyObject? {
    if waiting { return try WaitingLock(place(name)) }
    return try FileLock(place(name), .exclusive)
  }
}

extension GrowingFile: StoreGrowingFile {}
