internal import FuseDBFormat
internal import FuseDBPatching
internal import FuseDBReading
internal import FuseDBSystem

/// A remote that is a folder, for who writes to it. See spec/delivery.md §9.
struct RemoteFolder {
  let path: String

  /// - Throws: ``FuseError`` with code `invalidArgument` where the remote is no folder.
  init(_ remote: FuseRemote) throws(FuseError) {
    guard case .folder(let path) = remote.place else {
      throw FuseError(
        .invalidArgument, "a web server hands out what a folder has: publish to the folder behind \(remote)",
        path: remote.description)
    }
    self.path = path
  }

  /// Makes the folders that are missing.
  func prepare() throws(FuseError) {
    for name in ["refs", "heads", "manifests", "blobs", "tmp"] { try FolderFiles.make("\(path)/\(name)") }
  }

  func path(of blob: FuseDigest) -> String { "\(path)/blobs/\(blob)" }
  func path(ofManifest digest: FuseDigest) -> String { "\(path)/manifests/\(digest)" }
  func path(of ref: RefName) -> String { "\(path)/refs/\(ref)" }

  /// A name for a file that is being written.
  func temporary() -> String { "\(path)/tmp/\(UInt64.random(in: 0 ... .max).hexadecimal.dropFirst(2))" }

  /// Held by each publisher while it writes, and by nobody else while files are removed.
  func lock(_ kind: FileLock.Kind) throws(FuseError) -> FileLock {
    if let lock = try FileLock("\(path)/lock", kind) { return lock }
    throw FuseError(
      .outputChanged,
      kind == .shared
        ? "files of this remote are being removed; try again" : "another process publishes to this remote; try again",
      path: path)
  }

  // MARK: Reading

  func ref(_ name: RefName) throws(FuseError) -> (ref: Ref, bytes: [UInt8])? {
    let path = path(of: name)
    guard FileStatus(atLink: path) != nil else { return nil }
    let bytes = try SmallFile.bytes(at: path, most: Ref.mostBytes)
    return (try Ref(parsing: bytes, of: name, path: path), bytes)
  }

  /// The version that was published last under a name, wherever refs lead; nil where there is none.
  func head(of name: String) throws(FuseError) -> (digest: FuseDigest, manifest: Manifest)? {
    let path = "\(path)/heads/\(name)"
    guard FileStatus(atLink: path) != nil else { return nil }
    let text = String(decoding: try SmallFile.bytes(at: path, most: 100), as: UTF8.self)
    guard text.last == "\n", let digest = FuseDigest(text.dropLast()) else {
      throw FuseError(.corrupted, "this has to be the digest of a manifest on one line", path: path)
    }
    guard let manifest = try manifest(digest) else {
      throw FuseError(.corrupted, "the manifest that this names is gone", path: path)
    }
    return (digest, manifest)
  }

  func setHead(of name: String, to digest: FuseDigest) throws(FuseError) {
    try SmallFile.write(Array("\(digest)\n".utf8), to: "\(path)/heads/\(name)")
  }

  /// The names of all databases.
  func names() -> [String] {
    FolderListing.names(at: "\(path)/heads", most: .max).filter { (try? RefName($0)) != nil }.sorted()
  }

  /// The manifest of that digest; nil where it is gone.
  func manifest(_ digest: FuseDigest) throws(FuseError) -> Manifest? {
    let path = path(ofManifest: digest)
    guard FileStatus(atLink: path) != nil else { return nil }
    let bytes = try SmallFile.bytes(at: path, most: Manifest.mostBytes)
    return try Manifest(parsing: bytes, named: digest, path: path)
  }

  /// All refs, of all names and channels.
  func refs() throws(FuseError) -> [Ref] {
    var refs: [Ref] = []
    for text in FolderListing.names(at: "\(path)/refs", most: .max).sorted() {
      // Temporary names begin with a dot, which no name does.
      guard let name = try? RefName(text), let found = try ref(name) else { continue }
      refs.append(found.ref)
    }
    return refs
  }

  /// A version and those before it, as far as they are kept; with their digests, the latest first.
  func versions(from digest: FuseDigest, most: Int = .max) throws(FuseError) -> [(
    digest: FuseDigest, manifest: Manifest
  )] {
    var versions: [(digest: FuseDigest, manifest: Manifest)] = []
    var next: FuseDigest? = digest
    while let digest = next, versions.count < most, let manifest = try manifest(digest) {
      versions.append((digest, manifest))
      next = manifest.parent
    }
    return versions
  }

  // MARK: Writing

  /// Gives a file that was written durably to a temporary name its place among the blobs.
  func addBlob(_ temporary: String) throws(FuseError) -> Manifest.Blob {
    let file = try FileMapping(path: temporary)
    let blob = Manifest.Blob(digest: try FuseDigest.of(file), byteCount: file.byteCount)
    // Also where it is there already: that one may be damaged, or about to be removed.
    try FolderFiles.move(temporary, to: path(of: blob.digest))
    return blob
  }

  func add(_ manifest: Manifest) throws(FuseError) -> Manifest.Blob {
    let bytes = manifest.bytes
    guard bytes.count <= Manifest.mostBytes else {
      throw FuseError(
        .limitExceeded,
        "the manifest would have \(bytes.count) bytes, and \(Manifest.mostBytes) are the most; give fewer metadata")
    }
    let digest = try FuseDigest.of(bytes)
    try SmallFile.write(bytes, to: path(ofManifest: digest))
    return Manifest.Blob(digest: digest, byteCount: bytes.count)
  }

  /// Changes a ref, if it is still what it was. [Z3]
  ///
  /// - Parameters:
  ///   - before: its bytes; nil where there was none.
  ///   - head: a new version, which is the last that was published; nil for none.
  func set(_ ref: Ref, insteadOf before: [UInt8]?, head: FuseDigest? = nil, after parent: FuseDigest? = nil)
    throws(FuseError)
  {
    guard let lock = try FileLock("\(path)/heads/.\(ref.name.name).lock", .exclusive) else {
      throw Self.overtaken(ref.name)
    }
    defer { withExtendedLifetime(lock) {} }
    if let head {
      guard try self.head(of: ref.name.name)?.digest == parent else { throw Self.overtaken(ref.name) }
      try setHead(of: ref.name.name, to: head)
    }
    guard try self.ref(ref.name)?.bytes == before else { throw Self.overtaken(ref.name) }
    // Web servers make entity tags of the length and the second. [Z24]
    try SmallFile.write(ref.bytes, to: path(of: ref.name), hasLaterTime: true)
  }

  private static func overtaken(_ name: RefName) -> FuseError {
    FuseError(
      .outputChanged, "somebody else changed the ref '\(name)' meanwhile, and theirs stands; look at it, and try again")
  }

  /// The file of a version, unpacked to a temporary name.
  func unpack(_ manifest: Manifest) throws(FuseError) -> String {
    let path = path(of: manifest.whole.digest)
    let packed = try FileMapping(path: path)
    let name = temporary()
    let file = try AtomicFile(replacing: PinnedPath(name))
    let stream = try file.stream(at: 0)
    let digest = try DigestStream()
    try Packing.unpack(packed, byteCount: manifest.file.byteCount, path: path) { part throws(FuseError) in
      try digest.add(part)
      try stream.write(part)
    }
    guard try digest.value() == manifest.file.digest else {
      throw FuseError(.corrupted, "the file's SHA-256 is another than its manifest says", path: path)
    }
    try stream.flush()
    try file.publish(header: [])
    return name
  }
}
