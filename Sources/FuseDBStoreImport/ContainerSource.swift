internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// A container of rsdos or disk-objectstore, layout version 1: loose objects, packs, and an SQLite database of what the packs have.
///
/// Objects have no names; each is kept under its SHA-256, which is what the container calls it.
struct ContainerSource {
  static let configName = "config.json"
  private let path: String
  private var prefixCount = 2
  /// Loose objects that were listed, and gone when they were to be read: somebody may have packed them meanwhile.
  private let vanished = Vanished()

  private final class Vanished {
    var keys: Set<String> = []
  }

  init(_ path: String) throws(FuseError) {
    self.path = path
    let json: JSONPull
    do throws(FuseError) { json = try JSONPull(path: "\(path)/\(Self.configName)") } catch {
      throw FuseError(
        .notFound, "this is no container of rsdos or disk-objectstore: it has no file 'config.json'", path: path)
    }
    var (version, hash) = (1, "")
    try json.enterObject()
    while let key = try json.nextKey() {
      switch key {
      case "container_version": version = try json.count()
      case "loose_prefix_len": prefixCount = try json.count()
      case "hash_type": hash = try json.string()
      default: try json.skip()
      }
    }
    try json.end()
    guard version == 1 else {
      throw FuseError(
        .unsupportedVersion, "the container has the version \(version), and 1 can be imported; migrate it first",
        path: json.filePath)
    }
    guard hash == "sha256" else {
      throw FuseError(
        .unsupportedVersion,
        "its objects are called by their \(EscapedText.harmless(hash)), and only SHA-256 can be compared; make a container with that first",
        path: json.filePath)
    }
    guard (0...62).contains(prefixCount) else {
      throw FuseError(.corrupted, "'loose_prefix_len' is \(prefixCount)", path: json.filePath)
    }
  }

  /// Loose objects come first: what is packed meanwhile is in the index that is opened afterwards.
  func read(_ job: ImportJob) throws(FuseError) {
    try readLoose(job)
    try readPacks(job)
    for key in vanished.keys.sorted() {
      try job.tell(
        key,
        FuseError(.notFound, "it was listed, and gone when it was to be read; no pack has it", path: "\(path)/loose"))
    }
  }

  // MARK: Packs

  private func readPacks(_ job: ImportJob) throws(FuseError) {
    let index: ContainerIndex
    do throws(FuseError) {
      guard let found = try ContainerIndex(path) else { return }
      index = found
    } catch {
      // Without the library, or a copy, the packs are not damaged; they can't be read.
      guard error.code == .corrupted else { throw error }
      return try job.tell("the index", error)
    }
    var pack: (number: Int64, file: InputDescriptor, byteCount: Int)?
    var (done, all) = (0, 0)
    while true {
      let row: ContainerIndex.Row
      do throws(FuseError) {
        guard let next = try index.next() else { break }
        row = next
      } catch {
        guard error.code == .corrupted else { throw error }
        return try job.tell("the index", error)
      }
      if pack?.number != row.pack {
        pack = nil
        let name = "\(path)/packs/\(row.pack)"
        if let file = try? FilePieces.open(name), let stamp = try? file.stamp() {
          pack = (row.pack, file, Int(stamp.byteCount))
          (done, all) = (0, Int(stamp.byteCount))
        }
      }
      job.progress(all == 0 ? nil : min(1, Double(done) / Double(all)), "pack \(row.pack)")
      done += max(0, Int(clamping: row.length))
      try read(row, pack.map { ($0.file, $0.byteCount) }, job)
    }
    try index.checkUnchanged()
  }

  private func read(
    _ row: ContainerIndex.Row, _ pack: (file: InputDescriptor, byteCount: Int)?, _ job: ImportJob
  ) throws(FuseError) {
    let what = row.key
    let place = "\(path)/packs/\(row.pack)"
    vanished.keys.remove(what)
    guard let id = Self.identifier(what) else {
      return try job.tell(what, FuseError(.corrupted, "the index has it under what is no SHA-256", path: place))
    }
    guard let pack else {
      return try job.tell(
        what, FuseError(.notFound, "the pack that it is in is missing, or can't be read", path: place))
    }
    guard row.offset >= 0, row.length >= 0, row.size >= 0, row.offset <= Int64(pack.byteCount),
      row.length <= Int64(pack.byteCount) - row.offset, row.isCompressed || row.size == row.length
    else {
      return try job.tell(
        what,
        FuseError(
          .corrupted,
          "the index says that it has \(row.length) bytes there, \(row.size) unpacked; the pack has \(pack.byteCount)",
          offset: UInt64(max(0, row.offset)), path: place))
    }
    var pieces = FilePieces(pack.file, Int(row.offset)..<Int(row.offset + row.length))
    let inflation = row.isCompressed ? Inflation(pieces, byteCount: Int(row.size)) : nil
    _ = try job.put(what, expected: id, isKept: true) { () throws(FuseError) in
      do throws(FuseError) {
        if let inflation { return try inflation.next() }
        return try pieces.next()
      } catch {
        throw FuseError(
          error.code, error.message, offset: error.offset ?? UInt64(row.offset), path: error.path ?? place,
          errno: error.errno)
      }
    }
  }

  private static func identifier(_ text: String) -> FuseStore.ObjectID? {
    guard let id = FuseStore.ObjectID(text), id.description == text else { return nil }
    return id
  }

  // MARK: Loose objects

  private func readLoose(_ job: ImportJob) throws(FuseError) {
    let loose = "\(path)/loose"
    guard prefixCount > 0 else { return try readLoose(loose, "", job) }
    for prefix in try StoreFiles.names(in: loose) {
      job.progress(nil, "loose/\(prefix)")
      guard FileStatus(atLink: "\(loose)/\(prefix)")?.kind == .folder else { continue }
      try readLoose("\(loose)/\(prefix)", prefix, job)
    }
  }

  private func readLoose(_ folder: String, _ prefix: String, _ job: ImportJob) throws(FuseError) {
    for name in try StoreFiles.names(in: folder) {
      let place = "\(folder)/\(name)"
      // Loose objects are written in `sandbox/`, and moved here when they are whole; anything else is no object.
      guard let id = Self.identifier(prefix + name) else { continue }
      var pieces: FilePieces
      do throws(FuseError) { pieces = try FilePieces(path: place) } catch {
        if error.errno == FuseError.noSuchFile {
          vanished.keys.insert(prefix + name)
        } else {
          try job.tell(prefix + name, error)
        }
        continue
      }
      _ = try job.put(prefix + name, expected: id, isKept: true) { () throws(FuseError) in
        do throws(FuseError) { return try pieces.next() } catch {
          throw FuseError(error.code, error.message, offset: error.offset, path: place, errno: error.errno)
        }
      }
    }
  }
}
