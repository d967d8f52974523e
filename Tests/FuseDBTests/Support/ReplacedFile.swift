import Glibc

/// A file that is replaced in one of the ways in which people and programs do that.
final class ReplacedFile: Sendable {
  /// The ways.
  enum Way: CaseIterable {
    case renamedOver, copiedOver, madeAnew, linkFlipped, dataFolderFlipped, folderRenamed, folderMadeAnew, sameTimes
  }

  let folder: TemporaryFolder
  let way: Way
  let path: String

  init(_ bytes: [UInt8], way: Way) throws {
    folder = try TemporaryFolder()
    self.way = way
    switch way {
    case .renamedOver, .copiedOver, .madeAnew, .sameTimes:
      path = folder.path("geo.fsdb")
      try folder.write(bytes, as: "geo.fsdb")
    case .linkFlipped:
      path = folder.path("geo.fsdb")
      try link(to: try folder.write(bytes, as: "geo-0.fsdb"), as: "geo.fsdb")
    case .dataFolderFlipped:
      // What Kubernetes makes of a volume.
      path = folder.path("geo.fsdb")
      try makeFolder("..2026_00", bytes)
      try link(to: "..2026_00", as: "..data")
      try link(to: "..data/geo.fsdb", as: "geo.fsdb")
    case .folderRenamed, .folderMadeAnew:
      path = folder.path("site/geo.fsdb")
      try makeFolder("site", bytes)
    }
  }

  /// Puts a file of these bytes in the place.
  ///
  /// - Parameter number: another one each time.
  func replace(by bytes: [UInt8], number: Int) throws {
    switch way {
    case .renamedOver:
      try renameFile(try folder.write(bytes, as: "new"), to: path)
    case .copiedOver:
      let descriptor = unsafe open(path, O_WRONLY | O_TRUNC)
      defer { close(descriptor) }
      try write(bytes, to: descriptor)
    case .madeAnew:
      try unlinkFile(path)
      let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL, 0o644)
      defer { close(descriptor) }
      try write(bytes, to: descriptor)
    case .linkFlipped:
      try link(to: "geo-\(number).fsdb", as: "new")
      try folder.write(bytes, as: "geo-\(number).fsdb")
      try renameFile(folder.path("new"), to: path)
    case .dataFolderFlipped:
      try makeFolder("..2026_\(number)", bytes)
      try link(to: "..2026_\(number)", as: "..data_tmp")
      try renameFile(folder.path("..data_tmp"), to: folder.path("..data"))
    case .folderRenamed:
      try makeFolder("site-\(number)", bytes)
      try renameFile(folder.path("site"), to: folder.path("site-before-\(number)"))
      try renameFile(folder.path("site-\(number)"), to: folder.path("site"))
    case .folderMadeAnew:
      try folder.remove("site")
      try makeFolder("site", bytes)
    case .sameTimes:
      var before = stat()
      try succeed(unsafe stat(path, &before))
      let descriptor = unsafe open(path, O_WRONLY)
      defer { close(descriptor) }
      try write(bytes, to: descriptor)
      let times = [before.st_atim, before.st_mtim]
      try succeed(unsafe futimens(descriptor, times))
    }
  }

  private func makeFolder(_ name: String, _ bytes: [UInt8]) throws {
    try FuseDBTests.makeFolder(folder.path(name))
    try folder.write(bytes, as: name + "/geo.fsdb")
  }

  private func link(to target: String, as name: String) throws { try makeLink(to: target, at: folder.path(name)) }

  /// In two parts, as copying does.
  private func write(_ bytes: [UInt8], to descriptor: Int32) throws {
    for part in [bytes.prefix(bytes.count / 2), bytes.suffix(bytes.count - bytes.count / 2)].map(Array.init) {
      try succeed(unsafe Glibc.write(descriptor, part, part.count) == part.count ? 0 : -1)
    }
  }
}
