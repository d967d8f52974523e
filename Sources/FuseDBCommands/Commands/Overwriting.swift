internal import FuseDB
internal import FuseDBInput

/// Refuses, before anything is read, to replace a file of another kind than the command writes.
enum Overwriting {
  static let database = (magic: Array("FSDB".utf8), noun: "database")
  static let patch = (magic: Array("FSDPAT".utf8), noun: "patch")

  /// Why the file at `path` must not be overwritten: it is a link, no file, or neither of that kind nor empty.
  ///
  /// - Parameter advice: what to do about a file of another kind.
  static func refusal(
    of path: String, unless kind: (magic: [UInt8], noun: String), links: OutputLink, advice: String
  ) -> String? {
    if let obstacle = obstacle(at: path, links: links) { return obstacle }
    // Replacing the link itself leaves the file that it leads to as it is.
    guard let name = FileStatus(atLink: path), links != .replaced || name.kind != .link else { return nil }
    guard let status = FileStatus(at: path), status.kind == .regular, status.byteCount > 0 else { return nil }
    guard (try? Descriptor.checkReadable(path)) != nil else {
      return "'\(path)' may not be read, and may be another file than a \(kind.noun): \(advice)"
    }
    guard !begins(path, with: kind.magic) else { return nil }
    let size = Humans.size(status.byteCount)
    return "'\(path)' is a file of \(size) that is no \(kind.noun), and would be overwritten; \(advice)"
  }

  /// Why no file may be written at `path`, whatever the old file contains.
  static func obstacle(at path: String, links: OutputLink) -> String? {
    switch OutputPlace.obstacle(at: path, links: links) {
    case nil: nil
    case .kind where SetPlace.isSet(path):
      "'\(path)' is a set of shards, and a file cannot take its place; --shards builds a set anew, and 'fusedb shard' makes one of a file"
    case .kind(let kind): "'\(path)' is \(kind), and a file cannot take its place; choose another name"
    case .link(let target):
      """
      '\(path)' is a symbolic link to '\(target)'; name that file instead, or give '--output-link follow' to replace it \
      or '--output-link replace' to replace the link
      """
    }
  }

  /// Why what is printed must not go to `path`.
  ///
  /// - Parameter isMeant: whether a file that is there may be replaced.
  static func refusalToPrint(to path: String, isMeant: Bool) -> String? {
    switch OutputPlace.obstacle(at: path, links: .refused) {
    case .link(let target): return "'\(path)' is a symbolic link to '\(target)'; name that file instead"
    case .kind: return obstacle(at: path, links: .refused)
    case nil: break
    }
    guard let status = FileStatus(at: path), status.byteCount > 0 else { return nil }
    for kind in [database, patch] where begins(path, with: kind.magic) {
      return "'\(path)' is a \(kind.noun), and would be overwritten; give OUTPUT another name, or remove that file"
    }
    guard !isMeant else { return nil }
    return
      "'\(path)' is a file of \(Humans.size(status.byteCount)), and would be overwritten; say --overwrite if it is meant"
  }

  /// Why no set may be written into the folder at `path`: it is none, or has other files and no set.
  static func refusalOfSet(_ path: String) -> String? {
    guard let status = FileStatus(at: path) else { return nil }
    guard status.kind == .folder else {
      return "'\(path)' is a file, and a set of shards is a folder; choose another name, or leave out --shards"
    }
    guard !SetPlace.isSet(path) else { return nil }
    let others = (try? StoreFiles.names(in: path))?.first {
      ShardName($0) == nil && !ShardName.isTemporary($0) && $0 != SetManifest.lockName
    }
    return others.map {
      "'\(path)' is a folder with other files, such as '\($0)', and no set of shards; name another, which is made"
    }
  }

  /// Whether anything is at `path`.
  static func isThere(_ path: String) -> Bool { FileStatus(atLink: path) != nil }

  /// Whether a database is at `path`.
  static func isDatabase(_ path: String) -> Bool {
    // Opening a named pipe would wait for a writer.
    FileStatus(at: path)?.kind == .regular && begins(path, with: database.magic)
  }

  /// Whether a file begins with these bytes; false where it cannot be read.
  private static func begins(_ path: String, with magic: [UInt8]) -> Bool {
    guard let descriptor = try? Descriptor(reading: path) else { return false }
    defer { descriptor.close() }
    var head = [UInt8](repeating: 0, count: magic.count)
    return (try? descriptor.read(into: &head, head.indices, name: path)) == magic.count && head == magic
  }
}
