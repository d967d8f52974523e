internal import FuseDBFormat
internal import FuseDBSystem

extension StoreWriter {
  /// Makes sure that all that a name leads to is where it stays: what is only loose, or on its way out, is written anew. [SG4]
  func rely(on ref: StoreRef) throws(FuseError) {
    try rely(on: ref.id)
    guard ref.kind == .tree else { return }
    try flushFrame()
    for file in try store.treeForWriter(ref.id, self).files { try rely(on: file.id) }
  }

  /// The same for an object that is kept or named.
  func rely(on id: FuseStore.ObjectID) throws(FuseError) {
    do throws(FuseError) { try relyOnFound(id) } catch {
      // A collection may have left it to its patches meanwhile.
      guard error.isDamage, let recipe = try store.patchedRecipe(of: id, tools) else { throw error }
      try rely(on: recipe, id)
    }
  }

  private func rely(on recipe: PatchedRecipe, _ id: FuseStore.ObjectID) throws(FuseError) {
    try relyOnFound(recipe.base)
    for patch in recipe.patches { try relyOnFound(patch) }
    try put(recipe, of: id)
  }

  private func relyOnFound(_ id: FuseStore.ObjectID) throws(FuseError) {
    // What this writer put since it began is where it stays, with all that it is made of; and what is no recipe is made of nothing.
    if try isInFrame(id, keeping: false) { return }
    if let own = ownEntry(id), own.hasPayload { return }
    for pack in sealed { if let entry = try? pack.entry(of: id), entry.hasPayload { return } }
    for pack in view.packs {
      guard let entry = try? pack.entry(of: id), entry.hasPayload, !entry.kind.isRecipe else { continue }
      if try isReliable(entry, in: pack) { return }
    }
    guard let found = try find(id) else {
      throw FuseError(.notFound, "the store has no object \(id)", path: store.path)
    }
    switch found {
    case .chunk(let chunk): try rely(on: chunk, id)
    case .patched(let recipe): try rely(on: recipe, id)
    case .recipe(let recipe, _):
      for part in recipe.parts {
        guard let inner = try find(part.id), case .chunk(let chunk) = inner else { throw missing(part.id, of: id) }
        try rely(on: chunk, part.id)
        guard recipe.isOfNodes, let leaves = Recipe.parts(chunk.bytes) else { continue }
        for leaf in leaves {
          try Cancellation.check()
          if try isReliable(leaf.id) { continue }
          guard let inner = try find(leaf.id), case .chunk(let chunk) = inner else { throw missing(leaf.id, of: id) }
          try rely(on: chunk, leaf.id)
        }
      }
      let payload = try recipe.bytes(tools)
      if try !isKnown(id, recipe: payload) {
        try append(.recipe, id, .raw, byteCount: payload.count, payload: payload.rawSpan, isKept: false)
      }
    }
  }

  private func rely(on chunk: ChunkBytes, _ id: FuseStore.ObjectID) throws(FuseError) {
    if try isReliable(id) { return }
    if let (codec, payload) = try tools.packed(chunk.bytes, store.configuration.compression) {
      try append(.data, id, codec, byteCount: chunk.byteCount, payload: payload.rawSpan, isKept: false)
    } else {
      try append(.data, id, .raw, byteCount: chunk.byteCount, payload: chunk.bytes, isKept: false)
    }
  }

  private func isReliable(_ id: FuseStore.ObjectID) throws(FuseError) -> Bool {
    if try isInFrame(id, keeping: false) { return true }
    if let own = ownEntry(id), own.hasPayload { return true }
    for number in 0..<reliableCount {
      let pack = reliablePack(number)
      guard let entry = try? pack.entry(of: id), entry.hasPayload, !entry.kind.isRecipe else { continue }
      if try isReliable(entry, in: pack) { return true }
    }
    return false
  }

  /// Whether all that an entry is packed after stands in packs that stay, too. [SG4]
  func isReliable(_ entry: PackEntry, in pack: PackView) throws(FuseError) -> Bool {
    guard entry.kind == .deep else { return true }
    let key = "\(pack.name) \(entry.offset)"
    if let known = deepVerdicts[key] { return known }
    var answer = false
    if let (frame, _) = DeepFrame.parse(pack.bytes.extracting(entry.payload)) {
      answer = true
      for base in frame.bases where answer { answer = try isReliable(base: base, mostDepth: frame.depth - 1) }
    }
    deepVerdicts[key] = answer
    return answer
  }

  private func isReliable(base: FuseStore.ObjectID, mostDepth: Int) throws(FuseError) -> Bool {
    for number in 0..<reliableCount {
      let pack = reliablePack(number)
      guard let entry = try? pack.entry(of: base), entry.hasPayload, !entry.kind.isRecipe,
        let depth = pack.depth(of: entry), depth <= mostDepth
      else { continue }
      if try isReliable(entry, in: pack) { return true }
    }
    return false
  }

  /// What stands in the open pack, or anywhere.
  func find(_ id: FuseStore.ObjectID) throws(FuseError) -> FuseStore.Found? {
    guard let (pack, own) = try openEntry(id) else { return try store.find(id, tools) }
    let stored = try pack.stored(own)
    if own.codec == .primed {
      guard let contents = try pack.dictionary?.unpacked(stored.rawSpan, tools, byteCount: own.frameByteCount) else {
        return nil
      }
      return .chunk(ChunkBytes(contents, own.inner..<own.inner + own.byteCount))
    }
    var entry = own
    let file = StoreFile(bytes: stored)
    // The payload alone is there: as if its record stood right before the file.
    entry.offset = -PackRecord.byteCount
    if entry.kind == .recipe {
      guard let recipe = try Recipe(stored.rawSpan, tools) else { return nil }
      return .recipe(recipe, byteCount: recipe.byteCount)
    }
    if entry.kind == .patched {
      guard let recipe = try PatchedRecipe(stored.rawSpan, tools) else { return nil }
      return .patched(recipe)
    }
    // Only a collection writes these, and reads none of what it writes.
    if entry.kind == .deep { return try store.find(id, tools) }
    return try store.read(id, FuseStore.Place(file: file, entry: entry, path: store.path), tools)
  }

  private func missing(_ id: FuseStore.ObjectID, of object: FuseStore.ObjectID) -> FuseError {
    FuseError(
      .corrupted, "the chunk \(id) of the object \(object) is missing; put the object again", path: store.path)
  }
}

extension FuseStore {
  /// The tree of an object that may be in the writer's open pack.
  func treeForWriter(_ id: ObjectID, _ writer: StoreWriter) throws(FuseError) -> StoreTree {
    guard let found = try writer.find(id) else {
      throw FuseError(.notFound, "the store has no object \(id)", path: path)
    }
    var bytes: [UInt8] = []
    switch found {
    case .chunk(let chunk): bytes = chunk.bytes.array()
    case .patched: break
    case .recipe(let recipe, _):
      for part in recipe.parts {
        guard case .chunk(let chunk)? = try writer.find(part.id) else { break }
        let leaves = recipe.isOfNodes ? Recipe.parts(chunk.bytes) ?? [] : [part]
        for leaf in leaves {
          guard case .chunk(let chunk)? = try writer.find(leaf.id) else { break }
          bytes += chunk.bytes.array()
        }
      }
    }
    guard let tree = StoreTree(bytes) else {
      throw FuseError(.corrupted, "the object \(id) is no list of files", path: path)
    }
    return tree
  }
}
