public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

extension FuseStore {
  /// Copies what another store lacks: objects that are kept, and names with all that they lead to. Names there are replaced.
  ///
  /// - Parameter progress: called now and then with how many objects were looked at.
  /// - Returns: how many objects and names there were, and how many bytes the other lacked.
  /// - Throws: ``FuseError`` with code `refused` where both are the same, `corrupted` where what is copied is damaged, `inputOutput`, `cancelled`.
  public func copy(
    to other: FuseStore, progress: ((Int) -> Void)? = nil
  ) throws(FuseError) -> (count: Int, newByteCount: Int) {
    guard config.identity != other.config.identity else {
      throw FuseError(.refused, "both stores are the same; name another", path: other.path)
    }
    let copier = StoreCopier(self, try StoreWriter(other), progress)
    try forEachKept { id throws(FuseError) in try copier.copy(id, isKept: true) }
    for (name, ref) in try refs(missingNone: true) {
      switch ref.kind {
      case .object: break
      case .tree: for file in try tree(ref.id).files { try copier.copy(file.id, isKept: false) }
      case .versions:
        for version in try versions(ref.id).versions {
          if let patch = version.patch { try copier.copy(patch, isKept: false) }
          try copier.copy(version.id, isKept: false)
        }
      }
      try copier.copy(ref.id, isKept: false)
      try copier.writer.flushFrame()
      try copier.writer.setName(name, to: ref)
    }
    try copier.writer.commit()
    return (copier.count, copier.newByteCount)
  }

  /// What an object is made of: the chunks, in order, and where each is stored; nil where the object is not there.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where its list of chunks is damaged.
  /// - Complexity: O(chunks) look-ups.
  public func chunks(of id: ObjectID) throws(FuseError) -> [Chunk]? {
    var all: [Chunk] = []
    let isThere = try forEachChunk(of: id) { chunk throws(FuseError) in all.append(chunk) }
    return isThere ? all : nil
  }

  /// Calls `body` with what ``chunks(of:)`` gives, one by one, so that memory does not grow with the object. Returns false where that is not there.
  package func forEachChunk(
    of id: ObjectID, _ body: (Chunk) throws(FuseError) -> Void
  ) throws(FuseError) -> Bool {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    let view = try refresh()
    switch try find(id, tools) {
    case nil: return false
    case .chunk(let chunk): try body(try place(id, chunk.byteCount, view))
    case .patched(let recipe):
      try body(try place(id, recipe.byteCount, view))
      // Of the patches, what each takes; the file that they begin from is an object for itself.
      for patch in recipe.patches { _ = try forEachChunk(of: patch, body) }
    case .recipe(let recipe, _):
      for part in recipe.parts {
        for chunk in try chunks(of: part, of: recipe, id, tools) {
          try body(try place(chunk.id, chunk.byteCount, view))
        }
      }
    }
    return true
  }

  /// The chunks of one part of a recipe, by where they begin in it.
  func chunks(
    of part: Recipe.Part, of recipe: Recipe, _ id: ObjectID, _ tools: StoreTools
  ) throws(FuseError) -> [PlacedChunk] {
    try chunks(of: Recipe(isOfNodes: recipe.isOfNodes, parts: [part]), id, 0..<part.byteCount, tools)
  }

  private func place(_ id: ObjectID, _ count: Int, _ view: StoreView) throws(FuseError) -> Chunk {
    for pack in view.all {
      guard let entry = try pack.entry(of: id), entry.hasPayload else { continue }
      return Chunk(
        id: id, byteCount: count, storedByteCount: entry.shareOfPack,
        codec: entry.codecName, pack: pack.name, offset: entry.offset)
    }
    guard let loose = try loosePlace(id) else {
      return Chunk(id: id, byteCount: count, storedByteCount: 0, codec: "missing", pack: "", offset: 0)
    }
    return Chunk(
      id: id, byteCount: count, storedByteCount: loose.file.byteCount, codec: "\(loose.entry.codec)", pack: "loose",
      offset: 0)
  }

  /// A chunk of an object.
  public struct Chunk: Sendable, Equatable {
    /// Its digest.
    public var id: ObjectID
    /// How many bytes it has.
    public var byteCount: Int
    /// What it takes in the pack.
    public var storedByteCount: Int
    /// `raw`, `zstd`, `zlib`; `zstd frame` or `zstd deep frame` where it shares one, `patches` for a version that is kept as these.
    public var codec: String
    /// The pack, or `loose`.
    public var pack: String
    /// Of the record in the pack.
    public var offset: Int
  }

  /// The records of a pack, as they stand; nil where there is no such pack.
  package func records(ofPack name: String) throws(FuseError) -> [Chunk]? {
    guard let file = try backend.file(PackView.packName(name)) else { return nil }
    var all: [Chunk] = []
    var walk = PackWalk(file)
    while true {
      switch try walk.next() {
      case .end: return all
      case .gap: continue
      case .record(let record, let offset):
        all.append(
          Chunk(
            id: record.digest, byteCount: record.byteCount,
            storedByteCount: PackRecord.byteCount + record.storedByteCount,
            codec: record.kind == .data ? "\(record.codec)" : "\(record.kind)", pack: name, offset: offset))
      }
    }
  }
}

/// Copies objects of one store into another.
private final class StoreCopier {
  private let store: FuseStore
  let writer: StoreWriter
  private let progress: ((Int) -> Void)?
  private(set) var count = 0
  private(set) var newByteCount = 0
  /// What versions begin from, and their patches: many share them.
  private var copiedParts: Set<FuseStore.ObjectID> = []

  init(_ store: FuseStore, _ writer: StoreWriter, _ progress: ((Int) -> Void)?) {
    self.store = store
    self.writer = writer
    self.progress = progress
  }

  func copy(_ id: FuseStore.ObjectID, isKept: Bool) throws(FuseError) {
    let options = StoreWriter.PutOptions(chunking: store.configuration.chunking, isKept: isKept)
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    let stored: FuseStore.Stored
    switch try store.find(id, tools) {
    case nil: throw FuseError(.corrupted, "the object \(id) is missing", path: store.path)
    case .chunk(let chunk): stored = try writer.put(chunk.bytes.array(), options)
    case .patched(let recipe): stored = try copy(recipe, of: id, isKept: isKept)
    case .recipe(let recipe, _):
      let pieces = RecipePieces(store, id, recipe, tools)
      do throws(FuseError) {
        stored = try writer.put(options) { () throws(FuseError) in try pieces.next() }
      } catch {
        // A collection may have left it to its patches meanwhile.
        guard error.isDamage, let recipe = try store.patchedRecipe(of: id, tools) else { throw error }
        stored = try copy(recipe, of: id, isKept: isKept)
      }
    }
    guard stored.id == id else {
      throw FuseError(.corrupted, "the object \(id) has other contents than its digest says", path: store.path)
    }
    count += 1
    newByteCount += stored.newByteCount
    progress?(count)
  }
}

extension StoreCopier {
  /// Copies a version as it is kept: what patches begin from, and these. The file is not made.
  private func copy(
    _ recipe: PatchedRecipe, of id: FuseStore.ObjectID, isKept: Bool
  ) throws(FuseError) -> FuseStore.Stored {
    for part in [recipe.base] + recipe.patches where !copiedParts.contains(part) {
      try copy(part, isKept: false)
      copiedParts.insert(part)
    }
    let isNew = try writer.put(recipe, of: id)
    if isKept { try writer.keep(id) }
    return FuseStore.Stored(id: id, isNew: isNew, byteCount: recipe.byteCount, newByteCount: 0)
  }
}

/// The bytes of an object, chunk by chunk.
private final class RecipePieces {
  private let store: FuseStore
  private let id: FuseStore.ObjectID
  private let recipe: Recipe
  private let tools: StoreTools
  private var number = 0
  private var pending: [FuseStore.PlacedChunk] = []

  init(_ store: FuseStore, _ id: FuseStore.ObjectID, _ recipe: Recipe, _ tools: StoreTools) {
    (self.store, self.id, self.recipe, self.tools) = (store, id, recipe, tools)
  }

  func next() throws(FuseError) -> [UInt8]? {
    while pending.isEmpty {
      guard number < recipe.parts.count else { return nil }
      let part = recipe.parts[number]
      let single = Recipe(isOfNodes: recipe.isOfNodes, parts: [part])
      pending = try store.chunks(of: single, id, 0..<part.byteCount, tools).reversed()
      number += 1
    }
    let chunk = try store.chunk(pending.removeLast(), of: id, tools)
    return chunk.bytes.array()
  }
}
