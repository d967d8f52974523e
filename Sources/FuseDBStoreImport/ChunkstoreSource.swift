internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// A store of chunkstore 0.3: a file for each chunk, called by its SHA-256, and `_manifest/ID` with the digests of a file's chunks.
///
/// Its lists of what there is (`__index__`) are rewritten whole by each call, and lack what another process or a kill took from them: so the
/// folder is what counts. Counts of references are not looked at.
struct ChunkstoreSource {
  static let manifestFolder = "_manifest"
  private static let indexName = "__index__"
  private let path: String

  init(_ path: String) throws(FuseError) {
    self.path = path
    guard FileStatus(at: "\(path)/\(Self.manifestFolder)")?.kind == .folder else {
      throw FuseError(.notFound, "this is no store of chunkstore: it has no folder '_manifest'", path: path)
    }
  }

  private var manifests: String { "\(path)/\(Self.manifestFolder)" }

  func read(_ job: ImportJob) throws(FuseError) {
    let listed = try self.listed(job)
    let ids = try self.ids(below: "", listed)
    for (number, id) in ids.enumerated() {
      job.progress(Double(number) / Double(ids.count), id)
      try read(id, job)
    }
    // What is listed and has no manifest is lost.
    for bytes in listed.subtracting(ids.map { Array($0.utf8) }).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      let id = String(decoding: bytes, as: UTF8.self)
      try job.tell(id, FuseError(.notFound, "it is listed, and its manifest is missing", path: "\(manifests)/\(id)"))
    }
  }

  /// What the list of files has, as bytes. It is of no other use than to find what is missing.
  private func listed(_ job: ImportJob) throws(FuseError) -> Set<[UInt8]> {
    var listed: Set<[UInt8]> = []
    guard FileStatus(at: "\(manifests)/\(Self.indexName)") != nil else { return listed }
    try job.attempt("the list of files") { () throws(FuseError) in
      let json = try JSONPull(path: "\(manifests)/\(Self.indexName)")
      try json.enterList()
      while try json.hasNext() { listed.insert(Array(try json.string().utf8)) }
      try json.end()
    }
    return listed
  }

  /// The ids of files: names of manifests, also in folders, for an id may have slashes.
  private func ids(below folder: String, _ listed: Set<[UInt8]>) throws(FuseError) -> [String] {
    var ids: [String] = []
    for name in try StoreFiles.names(in: folder.isEmpty ? manifests : "\(manifests)/\(folder)") {
      let id = folder.isEmpty ? name : "\(folder)/\(name)"
      switch FileStatus(atLink: "\(manifests)/\(id)")?.kind {
      case .folder: ids += try self.ids(below: id, listed)
      case .regular:
        // What a writer that was killed left has the name of the manifest, a number and `.tmp`.
        guard id != Self.indexName else { break }
        if !Self.isTemporary(name) || listed.contains(Array(id.utf8)) || isWhole(id) { ids.append(id) }
      default: break
      }
    }
    return ids
  }

  /// Whether a name is one that chunkstore gives to files until they are whole: `….N.tmp`, with whose number nobody else ends a name.
  private static func isTemporary(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count >= 3 && parts.last == "tmp"
      && parts[parts.count - 2].utf8.allSatisfy { (0x30...0x39).contains($0) }
      && !parts[parts.count - 2].isEmpty
  }

  /// Whether a manifest is one to its end.
  private func isWhole(_ id: String) -> Bool {
    do throws(FuseError) {
      let json = try JSONPull(path: "\(manifests)/\(id)")
      try json.skip()
      try json.end()
      return true
    } catch { return false }
  }

  private func read(_ id: String, _ job: ImportJob) throws(FuseError) {
    let takesName = try job.takes(id)
    var chunks: ManifestChunks?
    let stored = try job.put(id, isKept: !takesName) { () throws(FuseError) in
      if chunks == nil { chunks = try ManifestChunks(path, "\(manifests)/\(id)") }
      return try chunks!.next()
    }
    if let stored, takesName { try job.name(id, stored) }
  }
}

/// The bytes of a file, chunk by chunk, each compared with its digest.
private final class ManifestChunks {
  private let folder: String
  private let json: JSONPull
  private let digest: RunningDigest
  private var chunk: FilePieces?
  private var id = ""
  private var byteCount = 0
  private var expectedByteCount: Int?
  private var isInList = false

  init(_ folder: String, _ manifest: String) throws(FuseError) {
    self.folder = folder
    digest = try RunningDigest()
    json = try JSONPull(path: manifest)
    try json.enterObject()
    try findList()
    guard isInList else { throw json.fault("the manifest has no list 'digests'") }
  }

  /// Reads the members before the digests, or those after them.
  private func findList() throws(FuseError) {
    while let key = try json.nextKey() {
      switch key {
      case "digests" where !isInList:
        try json.enterList()
        isInList = true
        return
      case "file_bytes": expectedByteCount = try json.count()
      default: try json.skip()
      }
    }
  }

  func next() throws(FuseError) -> [UInt8]? {
    while true {
      if let piece = try chunk?.next() {
        try digest.add(piece)
        byteCount += piece.count
        return piece
      }
      if chunk != nil {
        chunk = nil
        guard try digest.take().description == id else {
          throw FuseError(
            .corrupted, "the chunk has other contents than its digest says", offset: 0, path: "\(folder)/\(id)")
        }
      }
      guard try json.hasNext() else {
        try findList()
        try json.end()
        guard expectedByteCount == byteCount else {
          throw json.fault(
            "its chunks have \(counted(byteCount, "byte")), and its manifest says \(expectedByteCount.map { "\($0)" } ?? "nothing")"
          )
        }
        return nil
      }
      id = try json.string()
      guard let digits = FuseStore.ObjectID(id), digits.description == id else {
        throw json.fault("'\(EscapedText.harmless(id))' is no SHA-256")
      }
      do throws(FuseError) { chunk = try FilePieces(path: "\(folder)/\(id)") } catch {
        throw FuseError(
          error.code, "a chunk is missing, or can't be read: \(error.message)", path: error.path, errno: error.errno)
      }
    }
  }
}
