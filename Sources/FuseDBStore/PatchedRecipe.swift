internal import FuseDBFormat
internal import FuseDBPatching
internal import FuseDBReading
internal import FuseDBSystem
internal import Synchronization

/// A look-up file that is kept as another one and the patches that make it. [SV1]
///
/// The other is read from its chunks, and never from patches again. [SV3]
struct PatchedRecipe: Equatable, Sendable {
  /// Of the file that is made.
  var byteCount: Int
  var base: FuseStore.ObjectID
  /// In the order in which they are applied.
  var patches: [FuseStore.ObjectID]

  /// So many versions have one whole file at least.
  static let mostPatches = 23
  private static let headByteCount = 48

  /// The payload of its record: the digest of what stands before it at its end. [SV2]
  func bytes(_ tools: StoreTools) throws(FuseError) -> [UInt8] {
    var bytes: [UInt8] = [1, 0, 0, 0]
    bytes.append(bigEndian: UInt32(patches.count))
    bytes.append(bigEndian: UInt64(byteCount))
    bytes += base.bytes
    for patch in patches { bytes += patch.bytes }
    bytes += try tools.digest(of: bytes.rawSpan).bytes
    return bytes
  }

  init(byteCount: Int, base: FuseStore.ObjectID, patches: [FuseStore.ObjectID]) {
    (self.byteCount, self.base, self.patches) = (byteCount, base, patches)
  }

  /// nil where these bytes are none. [SV2]
  init?(_ bytes: RawSpan, _ tools: StoreTools) throws(FuseError) {
    let end = bytes.byteCount - FuseStore.ObjectID.byteCount
    guard end >= Self.headByteCount, bytes.load(at: 0, as: UInt32.self) == 0x0100_0000,
      let count = bytes.load(at: 4, as: UInt32.self), (1...Self.mostPatches).contains(Int(count)),
      let whole = bytes.load(at: 8, as: UInt64.self), whole < 1 << 60,
      end == Self.headByteCount + Int(count) * FuseStore.ObjectID.byteCount,
      let base = FuseStore.ObjectID(bytes, at: 16),
      try tools.digest(of: bytes.extracting(first: end)) == FuseStore.ObjectID(bytes, at: end)
    else { return nil }
    self.init(byteCount: Int(whole), base: base, patches: [])
    for place in stride(from: Self.headByteCount, to: end, by: FuseStore.ObjectID.byteCount) {
      guard let patch = FuseStore.ObjectID(bytes, at: place) else { return nil }
      patches.append(patch)
    }
  }
}

extension FuseStore {
  /// Where files without names are made.
  static var temporaryFolder: String { StoreFiles.variable("TMPDIR") ?? "/var/tmp" }

  /// An object that is not kept as patches, in a file without a name; nil where it is not there.
  func scratch(_ id: ObjectID, _ tools: StoreTools) throws(FuseError) -> FileMapping? {
    guard let found = try find(id, tools) else { return nil }
    if case .patched = found {
      throw FuseError(.corrupted, "the file \(id), which patches begin from, is not there as a whole", path: path)
    }
    let place = try OutputPlace(PinnedPath(Self.temporaryFolder + "/.fusedb-scratch"), links: .replaced)
    let file = try AtomicFile(scratchBeside: place)
    let stream = try file.stream(at: 0)
    var byteCount = 0
    try hand(found, id, tools, nil, takesPatches: false) { piece throws(FuseError) in
      byteCount += piece.byteCount
      try stream.write(piece)
    }
    try stream.flush()
    guard byteCount > 0 else {
      throw FuseError(.corrupted, "the object \(id), which a version is made of, is empty", path: path)
    }
    return try file.mapped(header: [], byteCount: byteCount)
  }

  /// The file that patches make, compared with its digest: in a file without a name. [SV4]
  ///
  /// Memory is that of applying patches; the files are on disk.
  func rebuilt(_ id: ObjectID, _ recipe: PatchedRecipe, _ tools: StoreTools) throws(FuseError) -> FileMapping {
    if let known = lastRebuilt.withLock({ $0?.id == id ? $0?.file : nil }) { return known }
    func failed(_ error: FuseError) -> FuseError {
      guard error.isDamage || error.code == .patchMismatch else { return error }
      return FuseError(
        .corrupted, "the object \(id) is kept as patches of \(recipe.base), and can't be made: \(error.message)",
        path: error.path == nil || error.path?.hasPrefix(Self.temporaryFolder) == true ? path : error.path)
    }
    let made: FileMapping
    do throws(FuseError) {
      guard let base = try scratch(recipe.base, tools) else {
        throw FuseError(.corrupted, "that is missing", path: path)
      }
      var patches: [FileMapping] = []
      for patch in recipe.patches {
        guard let file = try scratch(patch, tools) else {
          throw FuseError(.corrupted, "the patch \(patch) is missing", path: path)
        }
        patches.append(file)
      }
      let old = try FuseReader(base, checksums: .skipped, expecting: .few)
      made = try FusePatch.made(of: old, by: patches, in: Self.temporaryFolder, mostBytes: recipe.byteCount)
      guard made.byteCount == recipe.byteCount, try tools.digest(of: made.bytes) == id else {
        throw FuseError(.corrupted, "they make another file", path: path)
      }
    } catch { throw failed(error) }
    lastRebuilt.withLock { $0 = Rebuilt(id: id, file: made) }
    return made
  }

  /// A file that was made last: whoever reads a part of it reads another soon.
  struct Rebuilt: Sendable {
    let id: ObjectID
    let file: FileMapping
  }
}

extension FuseStore {
  /// The list of patches of an object, where there is one that is sound.
  func patchedRecipe(of id: ObjectID, _ tools: StoreTools) throws(FuseError) -> PatchedRecipe? {
    for pack in view.all {
      guard let entry = try? pack.entry(of: id), entry.kind == .patched else { continue }
      let place = Place(file: pack.file, entry: entry, path: packPath(pack))
      if case .patched(let recipe)? = try? read(id, place, tools) { return recipe }
    }
    return nil
  }

  /// Hands an object that was found to `body`, piece by piece.
  ///
  /// - Parameter takesPatches: whether it may be made of patches, where its chunks go away meanwhile.
  func hand(
    _ found: Found, _ id: ObjectID, _ tools: StoreTools, _ progress: ((Int, Int) -> Void)?, takesPatches: Bool = true,
    _ body: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    switch found {
    case .chunk(let chunk):
      try body(chunk.bytes)
      try chunk.check()
      progress?(chunk.byteCount, chunk.byteCount)
    case .patched(let recipe): try hand(try rebuilt(id, recipe, tools), from: 0, progress, body)
    case .recipe(let recipe, let count):
      var done = 0
      for part in recipe.parts {
        let single = Recipe(isOfNodes: recipe.isOfNodes, parts: [part])
        let pieces: [PlacedChunk]
        do throws(FuseError) { pieces = try chunks(of: single, id, 0..<part.byteCount, tools) } catch {
          guard takesPatches, try handPatched(id, from: done, after: error, tools, progress, body) else { throw error }
          return
        }
        for piece in pieces {
          try Cancellation.check()
          let chunk: ChunkBytes
          do throws(FuseError) { chunk = try self.chunk(piece, of: id, tools) } catch {
            guard takesPatches, try handPatched(id, from: done, after: error, tools, progress, body) else {
              throw error
            }
            return
          }
          try body(chunk.bytes)
          try chunk.check()
          done += piece.byteCount
        }
        progress?(done, count)
      }
    }
  }

  /// Hands the rest of an object of which a chunk is gone, where it is kept as patches, too.
  private func handPatched(
    _ id: ObjectID, from start: Int, after error: FuseError, _ tools: StoreTools, _ progress: ((Int, Int) -> Void)?,
    _ body: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) -> Bool {
    guard error.isDamage, let recipe = try patchedRecipe(of: id, tools) else { return false }
    try hand(try rebuilt(id, recipe, tools), from: start, progress, body)
    return true
  }

  private func hand(
    _ file: FileMapping, from start: Int, _ progress: ((Int, Int) -> Void)?,
    _ body: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    var done = start
    while done < file.byteCount {
      try Cancellation.check()
      let end = min(file.byteCount, done + 1 << 20)
      try body(file.bytes.extracting(done..<end))
      try file.checkNotShrunk()
      done = end
      progress?(done, file.byteCount)
    }
  }
}

extension StoreView {
  /// Whether an object is kept as patches in any of the packs whose index can be read.
  func hasPatched(_ id: FuseStore.ObjectID) -> Bool {
    all.contains { pack in (try? pack.entry(of: id))?.kind == .patched }
  }

  /// Whether any of them has bytes of an object.
  func has(_ id: FuseStore.ObjectID) -> Bool {
    all.contains { pack in (try? pack.entry(of: id))?.hasPayload == true }
  }
}

extension FuseStore {
  /// Whether all chunks of a recipe are listed.
  func isWhole(
    _ recipe: Recipe, _ id: ObjectID, in view: StoreView, _ tools: StoreTools
  ) throws(FuseError) -> Bool {
    for part in recipe.parts {
      guard view.has(part.id) else { return false }
      guard recipe.isOfNodes else { continue }
      for leaf in try node(part.id, of: id, byteCount: part.byteCount, tools) {
        guard view.has(leaf.id) else { return false }
      }
    }
    return true
  }
}
