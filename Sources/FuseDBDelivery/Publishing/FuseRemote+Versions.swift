public import FuseDBFormat

extension FuseRemote {
  /// The versions of a name, the newest first: of a folder those that any of its refs leads to; of a web server those from the ref
  /// on, one request for each.
  ///
  /// - Throws: ``FuseError`` with code `notFound` where there is none, `unavailable`, or `corrupted`.
  public func versions(of name: RefName, most: Int = .max) throws(FuseError) -> [FusePublisher.Version] {
    if case .folder = place, name.channel == nil {
      return Array(try FusePublisher(self).versions(of: name.name).prefix(most))
    }
    let session = try RemoteSession(self)
    let refName = "refs/\(name)"
    guard case .bytes(let bytes, _) = try session.document(refName, most: Ref.mostBytes) else { return [] }
    let ref = try Ref(parsing: bytes, of: name, path: path(of: refName))
    var versions: [FusePublisher.Version] = []
    var next: FuseDigest? = ref.manifest.digest
    while let digest = next, versions.count < most {
      let manifestName = "manifests/\(digest)"
      let bytes: [UInt8]
      do throws(FuseError) {
        guard case .bytes(let found, _) = try session.document(manifestName, most: Manifest.mostBytes) else { break }
        bytes = found
      } catch {
        guard error.code == .notFound, !versions.isEmpty else { throw error }
        break
      }
      let manifest = try Manifest(parsing: bytes, named: digest, path: path(of: manifestName))
      versions.append(FusePublisher.Version(digest, manifest, refs: versions.isEmpty ? [name] : []))
      next = manifest.parent
    }
    return versions
  }
}

extension FusePublisher.Version {
  init(_ digest: FuseDigest, _ manifest: Manifest, refs: [RefName] = []) {
    self.init(
      manifest: digest, generation: manifest.generation, time: manifest.time, file: manifest.file.digest,
      byteCount: manifest.file.byteCount, packedByteCount: manifest.whole.byteCount, keyCount: manifest.keyCount,
      patchCount: manifest.patches.count,
      metadata: Dictionary(manifest.metadata.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first }),
      refs: refs)
  }
}
