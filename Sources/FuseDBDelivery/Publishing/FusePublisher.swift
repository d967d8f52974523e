public import FuseDBFormat
internal import FuseDBPatching
internal import FuseDBReading
internal import FuseDBServing
internal import FuseDBSystem

/// Adds versions of databases to a remote, and says which of them clients are to have. See spec/delivery.md §9.
///
///     let publisher = try FusePublisher(FuseRemote("/srv/fuse"))
///     let report = try publisher.publish("geo.fsdb", as: RefName("geo"))
///     report.generation      // 42
///
/// Other publishers may work on the same remote: of two that change one ref at a time, one throws, and has changed nothing.
public struct FusePublisher: Sendable {
  /// What a version has to be, and what is said of it.
  public struct Options: Sendable {
    /// The keys that sign the manifest and the ref; none for no signature.
    public var keys: [SigningKey] = []
    /// What is said of the version, for people and programs; 256 names at most.
    public var metadata: [String: String] = [:]
    /// For how long clients may trust the ref; nil for any time.
    public var validity: Duration?
    /// From which earlier versions patches are made, counted back from the new one.
    public var patchDistances = [1, 2, 4, 8, 16, 24]
    /// The fewest keys that the file may have.
    public var leastKeyCount = 0
    /// The greatest share of the keys that may be missing in comparison with the version before, from 0 to 1.
    public var greatestShrink: Double?

    /// The default options.
    public init() {}
  }

  /// What ``publish(_:as:options:progress:)`` did.
  public struct Report: Sendable {
    /// The version.
    public var manifest: FuseDigest
    /// Its number, from 1.
    public var generation: Int
    /// Whether there is a new version; false where the file is that of the ref.
    public var isNew: Bool
    /// How many bytes the file has.
    public var byteCount: Int
    /// How many it has as it is transferred.
    public var packedByteCount: Int
    /// The patches that were made: of which generation, and how long.
    public var patches: [(generation: Int, byteCount: Int)] = []
    /// How many keys the file has.
    public var keyCount: Int
  }

  /// A version as it is listed.
  public struct Version: Sendable {
    /// The digest of its manifest, by which it is named.
    public var manifest: FuseDigest
    /// Its number, from 1.
    public var generation: Int
    /// When it was published, in seconds since 1970.
    public var time: Int
    /// The SHA-256 of the file.
    public var file: FuseDigest
    /// How many bytes the file has.
    public var byteCount: Int
    /// How many it has as it is transferred.
    public var packedByteCount: Int
    /// How many keys it has.
    public var keyCount: Int
    /// From how many earlier versions a patch leads to it.
    public var patchCount: Int
    /// What was said of it when it was published.
    public var metadata: [String: String]
    /// The refs that lead to it.
    public var refs: [RefName]
  }

  let folder: RemoteFolder

  /// - Throws: ``FuseError`` with code `invalidArgument` where the remote is no folder.
  public init(_ remote: FuseRemote) throws(FuseError) { folder = try RemoteFolder(remote) }

  // MARK: Publishing

  /// Adds a file as the newest version, and has a ref lead to it.
  ///
  /// The file is verified whole. Each patch is applied, and what it makes compared, before anything is announced.
  ///
  /// - Parameters:
  ///   - path: of the database.
  ///   - progress: called now and then with what is done, for people.
  /// - Throws: ``FuseError`` with the codes of opening and verifying; `refused` when a rule does not let it follow the version
  ///   before; `outputChanged` when somebody else changed the ref meanwhile; `inputOutput` when the remote cannot be written.
  ///   The ref leads where it led then.
  /// - Complexity: packing the file, and for each patch unpacking an earlier one, ``FusePatch/make(from:to:at:outputLink:)`` and
  ///   applying it. Temporary files as long as both.
  @discardableResult
  public func publish(
    _ path: String, as name: RefName, options: Options = Options(), progress: ((String) -> Void)? = nil
  ) throws(FuseError) -> Report {
    try folder.prepare()
    let lock = try folder.lock(.shared)
    defer { withExtendedLifetime(lock) {} }
    let before = try folder.ref(name)
    let newest = try folder.head(of: name.name)
    progress?("verifying")
    let reader = try FuseReader(path: path)
    guard reader.shards == nil else {
      throw FuseError(
        .notFound,
        "this is a set of shards, and versions are of one file: publish its files, or copy the folder, whose files never change",
        path: path)
    }
    var rules = SwapRules()
    rules.check = .full
    rules.leastKeyCount = options.leastKeyCount
    rules.allowsEmpty = true
    try rules.examine(reader, insteadOf: nil)
    if let share = options.greatestShrink, let count = newest?.manifest.keyCount, reader.keyCount < count {
      guard ReplacementRules.shrink(from: count, to: reader.keyCount) <= share else {
        throw FuseError(
          .refused,
          "the file has \(counted(reader.keyCount, "key")) and the version before has \(count), of which a share of \(share) may be missing at most (rule 'greatestShrink'); nothing has changed",
          path: path)
      }
    }
    let file = Manifest.Blob(digest: try FuseDigest.of(reader.mapping), byteCount: reader.byteCount)
    if let newest, newest.manifest.file == file {
      // One that was killed before it announced the version comes here again, and so does a promotion.
      if before?.ref.manifest.digest != newest.digest || options.validity != nil {
        try announce(newest, as: name, insteadOf: before, options.keys, validity: options.validity)
      }
      return Report(
        manifest: newest.digest, generation: newest.manifest.generation, isNew: false, byteCount: file.byteCount,
        packedByteCount: newest.manifest.whole.byteCount, keyCount: reader.keyCount)
    }
    progress?("packing")
    let whole = try pack(reader)
    var manifest = Manifest(
      name: name.name, file: file, keyCount: reader.keyCount, objectCount: Int(reader.header.objectCount),
      generation: (newest?.manifest.generation ?? 0) + 1, time: Int(WallClock.now), parent: newest?.digest, whole: whole
    )
    manifest.metadata = options.metadata.map { (name: $0.key, text: $0.value) }
      .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    if let newest { try addPatches(to: &manifest, of: reader, from: newest.digest, options.patchDistances, progress) }
    for key in options.keys {
      let signature = try key.signature(of: Array(manifest.signedText.utf8))
      manifest.signatures.append(DocumentSignature(key: key.id, bytes: signature))
    }
    // What comes now names what has been proved. [Z21] [Z22]
    let added = try folder.add(manifest)
    try announce(
      (added.digest, manifest), as: name, insteadOf: before, options.keys, validity: options.validity, isNew: true)
    return Report(
      manifest: added.digest, generation: manifest.generation, isNew: true, byteCount: file.byteCount,
      packedByteCount: whole.byteCount, patches: manifest.patches.map { ($0.generation, $0.blob.byteCount) },
      keyCount: reader.keyCount)
  }

  private typealias Found = (digest: FuseDigest, manifest: Manifest)

  private func pack(_ reader: FuseReader) throws(FuseError) -> Manifest.Blob {
    let name = folder.temporary()
    let file = try AtomicFile(replacing: PinnedPath(name))
    let stream = try file.stream(at: 0)
    try Packing.pack(reader.mapping, progress: { _ in }) { part throws(FuseError) in try stream.write(part) }
    try stream.flush()
    try file.publish(header: [])
    return try folder.addBlob(name)
  }

  private func addPatches(
    to manifest: inout Manifest, of reader: FuseReader, from newest: FuseDigest, _ distances: [Int],
    _ progress: ((String) -> Void)?
  ) throws(FuseError) {
    guard let furthest = distances.max(), furthest > 0 else { return }
    let earlier = try folder.versions(from: newest, most: furthest)
    for distance in Set(distances).sorted() where distance >= 1 && distance <= earlier.count {
      let (digest, old) = earlier[distance - 1]
      guard old.file.digest != manifest.file.digest else { continue }
      progress?("making the patch from generation \(old.generation)")
      if let patch = try patch(from: (digest, old), to: reader, manifest) { manifest.patches.append(patch) }
    }
  }

  /// Makes a patch, and tries it; nil where the whole file is less. [Z21]
  private func patch(
    from old: Found, to reader: FuseReader, _ manifest: Manifest
  ) throws(FuseError) -> Manifest.Patch? {
    let oldPath = try folder.unpack(old.manifest)
    let (patchPath, madePath) = (folder.temporary(), folder.temporary())
    defer { for path in [oldPath, patchPath, madePath] { try? FolderFiles.remove(path) } }
    let oldReader = try FuseReader(path: oldPath)
    let report = try FusePatch.make(from: oldReader, to: reader, at: patchPath)
    // No client would take it.
    guard report.byteCount < manifest.whole.byteCount else { return nil }
    var limits = FusePatch.Options()
    limits.greatestByteCount = manifest.file.byteCount
    try FusePatch.apply(patchPath, to: oldReader, output: madePath, options: limits)
    guard try FuseDigest.of(FileMapping(path: madePath)) == manifest.file.digest else {
      throw FuseError(
        .corrupted,
        "the patch from generation \(old.manifest.generation) makes another file; this is a fault of the library",
        path: patchPath)
    }
    return Manifest.Patch(
      generation: old.manifest.generation, manifest: old.digest, file: old.manifest.file.digest,
      blob: try folder.addBlob(patchPath))
  }

  private func announce(
    _ version: Found, as name: RefName, insteadOf before: (ref: Ref, bytes: [UInt8])?, _ keys: [SigningKey],
    validity: Duration?, isNew: Bool = false, patches: [Manifest.Patch] = []
  ) throws(FuseError) {
    let now = Int(WallClock.now)
    var ref = Ref(
      name: name, manifest: Manifest.Blob(digest: version.digest, byteCount: version.manifest.bytes.count),
      generation: version.manifest.generation, sequence: (before?.ref.sequence ?? 0) + 1, time: now)
    ref.expires = validity.map { now + Int($0.inSeconds) }
    ref.goesBack = version.manifest.generation < before?.ref.generation ?? 0
    ref.patches = patches
    for key in keys {
      let signature = try key.signature(of: Array(ref.signedText.utf8))
      ref.signatures.append(DocumentSignature(key: key.id, bytes: signature))
    }
    try folder.set(
      ref, insteadOf: before?.bytes, head: isNew ? version.digest : nil, after: version.manifest.parent)
  }

  // MARK: Versions

  /// The versions of a name that are kept, the newest first.
  ///
  /// - Throws: ``FuseError`` with code `notFound` where there is none, and as for what it reads.
  public func versions(of name: String) throws(FuseError) -> [Version] {
    guard let head = try folder.head(of: name) else {
      throw FuseError(.notFound, "no version of '\(name)' was published here", path: folder.path)
    }
    let refs = try folder.refs().filter { $0.name.name == name }
    var versions: [FuseDigest: Version] = [:]
    for start in [head.digest] + refs.map(\.manifest.digest) where versions[start] == nil {
      for (digest, manifest) in try folder.versions(from: start) { versions[digest] = Version(digest, manifest) }
    }
    for ref in refs { versions[ref.manifest.digest]?.refs.append(ref.name) }
    return versions.values.sorted {
      ($0.generation, $0.manifest.description) > ($1.generation, $1.manifest.description)
    }
  }

  /// Has a ref lead to a version that is kept: goes back, pins, or promotes what a channel has.
  ///
  /// Where it goes back, a patch is made from the version that the ref leads to now, so that clients transfer what differs.
  ///
  /// - Parameter version: a generation, or the first digits of a manifest's digest.
  /// - Returns: the generation that the ref leads to now.
  /// - Throws: ``FuseError`` with code `notFound` where there is no such version, `outputChanged` where somebody else changed
  ///   the ref meanwhile.
  @discardableResult
  public func announce(
    _ version: String, as name: RefName, keys: [SigningKey] = [], validity: Duration? = nil
  ) throws(FuseError) -> Int {
    let lock = try folder.lock(.shared)
    defer { withExtendedLifetime(lock) {} }
    let before = try folder.ref(name)
    let found = try versions(of: name.name).filter {
      String($0.generation) == version || version.utf8.count >= 8 && $0.manifest.description.hasPrefix(version)
    }
    guard let chosen = found.first else {
      throw FuseError(
        .notFound,
        "there is no version '\(EscapedText.harmless(version))' of '\(name.name)'; 'fusedb versions' lists those that are kept",
        path: folder.path)
    }
    guard found.count == 1 else {
      throw FuseError(
        .invalidArgument,
        "'\(EscapedText.harmless(version))' is more than one version of '\(name.name)'; name it by its digest",
        path: folder.path)
    }
    guard let manifest = try folder.manifest(chosen.manifest) else {
      throw FuseError(.notFound, "the manifest of that version is gone", path: folder.path)
    }
    var patches: [Manifest.Patch] = []
    if let ref = before?.ref, ref.generation > manifest.generation, let left = try folder.manifest(ref.manifest.digest)
    {
      // All clients go back at the same time: with what changed alone.
      let path = try folder.unpack(manifest)
      defer { try? FolderFiles.remove(path) }
      if let patch = try patch(from: (ref.manifest.digest, left), to: try FuseReader(path: path), manifest) {
        patches.append(patch)
      }
    }
    try announce(
      (chosen.manifest, manifest), as: name, insteadOf: before, keys, validity: validity, patches: patches)
    return manifest.generation
  }
}
