import FuseDB

/// What may stand where a good file should be.
enum BadFile: CaseIterable {
  case truncated, halfCopied, wrongChecksum, olderVersion, empty, missing, folder, linkToItself

  /// How it is refused.
  var codes: Set<FuseError.Code> {
    switch self {
    case .truncated, .halfCopied: [.truncated, .corrupted]
    case .wrongChecksum: [.corrupted]
    case .olderVersion: [.unsupportedVersion]
    case .empty: [.truncated]
    case .missing, .folder, .linkToItself: [.notFound]
    }
  }

  /// Puts it in the place of a file.
  func replace(_ path: String, good: [UInt8], in folder: TemporaryFolder) throws {
    try folder.write([], as: "bad")
    switch self {
    case .truncated: try folder.write(Array(good.prefix(good.count * 2 / 3)), as: "bad")
    case .halfCopied:
      let half = good.count / 2
      try folder.write(good.prefix(half) + [UInt8](repeating: 0, count: good.count - half), as: "bad")
    case .wrongChecksum, .olderVersion:
      var bytes = good
      if self == .wrongChecksum { bytes[32] ^= 1 } else { bytes[4] = 1 }
      try folder.write(bytes, as: "bad")
    case .empty: break
    case .missing: return try unlinkFile(path)
    case .folder:
      try unlinkFile(path)
      return try makeFolder(path)
    case .linkToItself:
      try folder.remove("bad")
      try makeLink(to: path, at: folder.path("bad"))
    }
    try renameFile(folder.path("bad"), to: path)
  }
}
