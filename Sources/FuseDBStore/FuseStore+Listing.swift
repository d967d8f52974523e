public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

extension FuseStore {
  /// Calls `body` with each object that is kept for its own sake, by the order of their digests.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where the index of a pack is damaged, and what `body` throws.
  /// - Complexity: O(entries log entries), in bounded memory and a temporary file.
  public func forEachKept(_ body: (ObjectID) throws(FuseError) -> Void) throws(FuseError) {
    let view = try refresh()
    if let (_, error) = view.damaged.first { throw error }
    let kept = SortedRecords<ObjectID>(Self.spill, memory: Self.sortMemory)
    for pack in view.all {
      try pack.forEach { id, entry throws(FuseError) in if pack.keeps(id, entry) { try kept.add(id) } }
    }
    for id in try looseObjects() { try kept.add(id) }
    var last: ObjectID?
    try kept.forEach { id throws(FuseError) in
      guard id != last else { return }
      last = id
      try body(id)
    }
  }

  /// What is sorted and does not fit waits in a temporary file.
  static var spill: Spill { Spill(in: "/var/tmp", memory: 8 << 20, chunkByteCount: 1 << 18) }
  static let sortMemory = 32 << 20

  /// What a store has.
  public struct Statistics: Sendable, Equatable {
    /// Names.
    public var nameCount = 0
    /// Objects that are kept for their own sake.
    public var keptCount = 0
    /// Packs.
    public var packCount = 0
    /// What the packs take.
    public var packByteCount = 0
    /// What their indexes take.
    public var indexByteCount = 0
    /// Packs that are on their way out.
    public var condemnedPackCount = 0
    /// Objects that are files of their own.
    public var looseCount = 0
    /// What these take.
    public var looseByteCount = 0
    /// Entries of packs that have bytes: chunks and whole objects.
    public var chunkCount = 0
    /// Of these, how many names and kept objects lead to, each once,
    public var neededChunkCount = 0
    /// and how often: once for each place in each object.
    public var referenceCount = 0
    /// The bytes of the chunks, unpacked.
    public var chunkByteCount = 0
    /// What these take in packs, by how they are stored.
    public var storedByteCount: [String: Int] = [:]
    /// Objects of several chunks.
    public var recipeCount = 0
    /// Versions that are kept as patches of others.
    public var patchedCount = 0
    /// The bytes of all objects with a name or kept, each as often as it is.
    public var logicalByteCount = 0
    /// How many files the store has.
    public var fileCount = 0
    /// Of each pack: its name, length, and how many entries its index has.
    public var packs: [Pack] = []

    /// One pack.
    public struct Pack: Sendable, Equatable {
      /// What it is called.
      public var name: String
      /// How long it is.
      public var byteCount: Int
      /// How many entries its index has.
      public var entryCount: Int
      /// The bytes of its chunks, unpacked.
      public var chunkByteCount: Int
      /// Whether it is on its way out.
      public var isCondemned: Bool
    }

    /// All that the store takes.
    public var physicalByteCount: Int { packByteCount + indexByteCount + looseByteCount }
    /// The share of the logical bytes that the store does not take, from 0 to 1; less than 0 where it takes more.
    public var savings: Double {
      logicalByteCount == 0 ? 0 : 1 - Double(physicalByteCount) / Double(logicalByteCount)
    }
  }

  /// Counts what the store has: all of it is computed from indexes, names and recipes, so it can't be wrong.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where one of these is damaged.
  /// - Complexity: O(entries).
  public func statistics() throws(FuseError) -> Statistics {
    var result = Statistics()
    let view = try refresh()
    if let (_, error) = view.damaged.first { throw error }
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    for (name, ref) in try refs() {
      result.nameCount += 1
      try Cancellation.check()
      switch ref.kind {
      case .object: result.logicalByteCount += try size(of: ref.id, name, tools)
      case .tree: result.logicalByteCount += try tree(ref.id).files.reduce(0) { $0 + $1.byteCount }
      case .versions: result.logicalByteCount += try versions(ref.id).versions.reduce(0) { $0 + $1.byteCount }
      }
    }
    for pack in view.all {
      let isCondemned = view.condemned.contains { $0.name == pack.name }
      result.packs.append(
        Statistics.Pack(
          name: pack.name, byteCount: pack.file.byteCount, entryCount: pack.index.keyCount, chunkByteCount: 0,
          isCondemned: isCondemned))
      result.packCount += 1
      result.condemnedPackCount += isCondemned ? 1 : 0
      result.packByteCount += pack.file.byteCount
      result.indexByteCount += pack.index.byteCount + pack.goneByteCount
      result.fileCount += pack.goneByteCount > 0 ? 3 : 2
      try pack.forEach { _, entry throws(FuseError) in
        switch entry.kind {
        case .mark: break
        case .recipe: result.recipeCount += 1
        case .patched: result.patchedCount += 1
        case .data, .frame, .deep:
          result.chunkCount += 1
          result.chunkByteCount += entry.byteCount
          result.packs[result.packs.count - 1].chunkByteCount += entry.byteCount
          result.storedByteCount[entry.codecName + (entry.kind.isFrame ? "s" : ""), default: 0] += entry.shareOfPack
        }
      }
    }
    for id in try looseObjects() {
      guard let place = try loosePlace(id) else { continue }
      result.looseCount += 1
      result.looseByteCount += place.file.byteCount
    }
    var (keptCount, keptByteCount) = (0, 0)
    try forEachKept { id throws(FuseError) in
      keptCount += 1
      keptByteCount += try size(of: id, "\(id)", tools)
    }
    result.keptCount = keptCount
    var (neededCount, referenceCount) = (0, 0)
    try forEachReference { reference throws(FuseError) in
      neededCount += 1
      referenceCount += reference.count
    }
    (result.neededChunkCount, result.referenceCount) = (neededCount, referenceCount)
    result.logicalByteCount += keptByteCount
    result.fileCount += result.nameCount + result.looseCount + 1
    result.fileCount += try backend.names(in: "condemned").count
    return result
  }

  func size(of id: ObjectID, _ name: String, _ tools: StoreTools) throws(FuseError) -> Int {
    for pack in view.all {
      guard let entry = try pack.entry(of: id), entry.hasPayload, !entry.kind.isRecipe else { continue }
      return entry.byteCount
    }
    if let place = try loosePlace(id) { return place.entry.byteCount }
    switch try find(id, tools) {
    case .chunk(let chunk): return chunk.byteCount
    case .recipe(_, let count): return count
    case .patched(let recipe): return recipe.byteCount
    case nil:
      throw FuseError(
        .corrupted, "the object \(id), which '\(name)' leads to, is missing; 'fusedb store verify' lists what is",
        path: path)
    }
  }
}

extension PackEntry {
  /// How many bytes of the pack are the object's: in a frame, its share.
  var shareOfPack: Int {
    guard kind.isFrame, frameByteCount > 0 else { return PackRecord.byteCount + storedByteCount }
    return (PackRecord.byteCount + storedByteCount) * (byteCount + (kind == .frame ? 4 : 0)) / frameByteCount
  }

  /// For people.
  var codecName: String {
    switch kind {
    case .frame: "\(codec) frame"
    case .deep: "\(codec) deep frame"
    case .patched: "patches"
    case .data, .recipe, .mark: "\(codec)"
    }
  }
}
