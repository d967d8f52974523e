public import FuseDBFormat
internal import FuseDBSystem

extension FusePublisher {
  /// What ``expire(_:keeping:grace:)`` did.
  public struct Expiry: Sendable {
    /// How many files were removed.
    public var removedCount = 0
    /// How many bytes they had.
    public var removedByteCount = 0
    /// How many files are condemned: a later pass removes them.
    public var condemnedCount = 0
    /// How many bytes these have.
    public var condemnedByteCount = 0
  }

  /// Gives up versions of a name that are older than the newest ones. See spec/delivery.md §10.
  ///
  /// In two passes: the first condemns what no ref leads to any more, a later one removes it, once `grace` has gone by. So a client
  /// that is in the middle of a transfer finds what it needs. Of other names all versions stay.
  ///
  /// - Parameters:
  ///   - count: how many versions to keep, counted back from each ref and from the version that was published last; at least 1.
  ///   - grace: for how long a condemned file stays.
  /// - Throws: ``FuseError`` with code `outputChanged` while others publish, `inputOutput` where the remote cannot be written.
  @discardableResult
  public func expire(_ name: String, keeping count: Int, grace: Duration = .seconds(3600)) throws(FuseError) -> Expiry {
    precondition(count >= 1, "at least one version is kept")
    let lock = try folder.lock(.exclusive)
    defer { withExtendedLifetime(lock) {} }
    var kept: Set<String> = []
    var starts: [(name: String, digest: FuseDigest)] = []
    for other in folder.names() {
      if let head = try folder.head(of: other) { starts.append((other, head.digest)) }
    }
    for ref in try folder.refs() {
      starts.append((ref.name.name, ref.manifest.digest))
      for patch in ref.patches { kept.insert("blobs/\(patch.blob.digest)") }
    }
    for start in starts {
      for (digest, manifest) in try folder.versions(from: start.digest, most: start.name == name ? count : .max) {
        kept.insert("manifests/\(digest)")
        kept.insert("blobs/\(manifest.whole.digest)")
        for patch in manifest.patches { kept.insert("blobs/\(patch.blob.digest)") }
      }
    }
    var condemned = try Condemned(folder)
    let now = WallClock.now
    var report = Expiry()
    for name in files() where !kept.contains(name) {
      let path = "\(folder.path)/\(name)"
      let byteCount = FileStatus(atLink: path)?.byteCount ?? 0
      // Of a file that was written anew since it was condemned, the time begins anew. A clock that was set back makes nothing older than it is.
      let written = FolderFiles.time(of: path) ?? now
      if let since = condemned.times[name], written <= since, now - since >= grace.inSeconds {
        try FolderFiles.remove(path)
        condemned.times[name] = nil
        report.removedCount += 1
        report.removedByteCount += byteCount
      } else {
        if condemned.times[name].map({ written > $0 || $0 > now }) ?? true { condemned.times[name] = now }
        report.condemnedCount += 1
        report.condemnedByteCount += byteCount
      }
    }
    let present = Set(files())
    condemned.times = condemned.times.filter { present.contains($0.key) && !kept.contains($0.key) }
    try condemned.save(folder)
    return report
  }

  /// All files but refs.
  private func files() -> [String] {
    ["blobs", "manifests", "tmp"].flatMap { part in
      FolderListing.names(at: "\(folder.path)/\(part)", most: .max).map { "\(part)/\($0)" }
    }
  }
}

/// Files that no ref leads to, and since when that is known. [Z23]
private struct Condemned {
  var times: [String: Double] = [:]

  private static func path(_ folder: RemoteFolder) -> String { "\(folder.path)/condemned" }

  init(_ folder: RemoteFolder) throws(FuseError) {
    let path = Self.path(folder)
    guard FileStatus(atLink: path) != nil else { return }
    let text = String(decoding: try SmallFile.bytes(at: path, most: 1 << 28), as: UTF8.self)
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      // What cannot be read is condemned anew, and so stays longer.
      if words.count == 2, let time = Double(words[0]) { times[String(words[1])] = time }
    }
  }

  func save(_ folder: RemoteFolder) throws(FuseError) {
    let lines = times.sorted { $0.key < $1.key }.map { "\(Int($0.value.rounded(.up))) \($0.key)\n" }
    try SmallFile.write(Array(lines.joined().utf8), to: Self.path(folder))
  }
}
