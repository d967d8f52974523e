public import FuseDBFormat
internal import FuseDBSystem

extension FuseStore {
  /// What ``repair(progress:)`` did.
  public struct Repair: Sendable, Equatable {
    /// Packs whose index was made anew.
    public var rebuiltCount = 0
    /// Records that hold.
    public var salvagedCount = 0
    /// Records and gaps that were given up.
    public var damagedCount = 0
    /// Files that were damaged and removed.
    public var removedFiles: [String] = []
    /// What can't be read, and what needs it.
    public var lost: [Verification.Lost] = []
  }

  /// Makes the best of a damaged store: indexes are made anew of packs, and name what is sound there and nothing else; damaged lists and
  /// loose objects are removed. What is then missing is listed with the names that need it: putting those objects again heals them.
  ///
  /// Packs are not changed, so nothing gets worse. Nobody should write to the store at the same time.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput`, `refused` where a collection runs.
  public func repair(progress: ((Double) -> Void)? = nil) throws(FuseError) -> Repair {
    guard let lock = try backend.lock("tmp/collect.lock", waiting: false) else {
      throw FuseError(.refused, "a collection runs; wait for it", path: path)
    }
    defer { withExtendedLifetime(lock) {} }
    var result = Repair()
    try removeUnsealed()
    try removeDamagedLists(&result)
    let before = try verify(.everything)
    let damaged = Set((before.flaws + before.superseded).map(\.file))
    try saveReadable(of: before.flaws + before.superseded)
    var suspects = damaged.filter { $0.hasPrefix("packs/") }
    for file in try backend.names(in: "packs") where file.hasSuffix(".fsdb") || file.hasSuffix(".pack") {
      let name = String(file.dropLast(5))
      guard suspects.contains("packs/\(name).fsdb") || suspects.contains("packs/\(name).pack") else { continue }
      guard try backend.file(PackView.packName(name)) != nil else {
        try backend.remove(PackView.indexName(name))
        result.removedFiles.append(PackView.indexName(name))
        continue
      }
      suspects.remove("packs/\(name).fsdb")
      suspects.remove("packs/\(name).pack")
      guard try !backend.isLocked(PackView.packName(name)) else { continue }
      let (salvaged, damaged) = try rebuildIndex(name)
      result.rebuiltCount += 1
      result.salvagedCount += salvaged
      result.damagedCount += damaged
    }
    for file in damaged.sorted() where file.hasPrefix("loose/") {
      try backend.remove(file)
      result.removedFiles.append(file)
      result.damagedCount += 1
    }
    forgetPacks()
    progress?(0.5)
    let after = try verify(.everything)
    result.lost = after.lost
    // What was kept and has no sound bytes left is not in an index any more.
    for lost in before.lost where !result.lost.contains(where: { $0.neededBy == lost.neededBy && $0.id == lost.id }) {
      let tools = try StoreTools.take()
      defer { tools.giveBack() }
      if (try? find(lost.id, tools)) == nil { result.lost.append(lost) }
    }
    progress?(1)
    return result
  }

  /// Stores anew what of spoilt packs and loose objects can be read and would be in no index: objects of which the record's head alone is spoilt, and
  /// marks of those that stand elsewhere. [SM5]
  private func saveReadable(of flaws: [Verification.Flaw]) throws(FuseError) {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    let damaged = Set(flaws.map(\.file))
    let packs = try refresh().all
    let sound = packs.filter {
      !damaged.contains(PackView.packName($0.name)) && !damaged.contains(PackView.indexName($0.name))
    }
    let writer = try StoreWriter(self)
    var marked: Set<ObjectID> = []
    for id in try looseObjects() where damaged.contains(Self.looseName(id)) { marked.insert(id) }
    for pack in packs where damaged.contains(PackView.packName(pack.name)) {
      let spoilt = SpoiltPack(self, pack, packs, flaws)
      do throws(FuseError) {
        try spoilt.forEach(tools) { id, entry, stands throws(FuseError) in
          if stands { return }
          if entry.hasPayload, try !spoilt.hasCopy(of: id, tools),
            case .chunk(let chunk)? = try? read(id, Place(pack, entry, in: path), tools)
          {
            try writer.save(chunk, id, isKept: pack.keeps(id, entry))
          } else if pack.keeps(id, entry) {
            marked.insert(id)
          }
        }
      } catch {
        guard error.isDamage else { throw error }
      }
    }
    for id in marked.sorted() {
      guard try isSound(id, tools), try !isKeptSoundly(id, by: sound, tools) else { continue }
      do throws(FuseError) {
        try writer.begin()
        try writer.rely(on: id)
        try writer.mark(id)
      } catch {
        // What it is made of is gone.
        guard error.isDamage else { throw error }
      }
    }
    try writer.commit()
  }

  private func removeDamagedLists(_ result: inout Repair) throws(FuseError) {
    for file in try backend.names(in: "condemned") {
      guard let list = try backend.file("condemned/\(file)") else { continue }
      let words = String(decoding: list.bytes.array(), as: UTF8.self).split(separator: "\n")
      guard words.last != "end" else { continue }
      try backend.remove("condemned/\(file)")
      result.removedFiles.append("condemned/\(file)")
    }
    for file in try backend.names(in: "packs") where file.hasSuffix(".gone") {
      let name = String(file.dropLast(5))
      guard let index = try? PackView.open(name, backend, store: config.identity) else { continue }
      guard (try? GoneMarks.updated(index, backend)) == nil else { continue }
      try backend.remove("packs/\(file)")
      result.removedFiles.append("packs/\(file)")
    }
  }

  /// Enters the chunks of a deep frame: it lists them, so that its bases are not needed here. [SD3]
  private static func enter(deep entry: PackEntry, _ file: StoreFile, _ enter: (ObjectID, PackEntry) -> Void) -> Bool {
    guard let (frame, _) = DeepFrame.parse(file.bytes.extracting(entry.payload)) else { return false }
    var entry = entry
    (entry.inner, entry.frameByteCount, entry.isKept) = (0, frame.byteCount, false)
    for object in frame.objects {
      entry.byteCount = object.byteCount
      enter(object.id, entry)
      entry.inner += object.byteCount
    }
    return true
  }

  /// Makes the index of a pack of what stands in it.
  func rebuildIndex(_ name: String) throws(FuseError) -> (salvaged: Int, damaged: Int) {
    guard let file = try backend.file(PackView.packName(name)) else { return (0, 0) }
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    var entries: [ObjectID: PackEntry] = [:]
    var (salvaged, damaged) = (0, 0)
    func enter(_ id: ObjectID, _ entry: PackEntry) {
      guard let known = entries[id] else { return entries[id] = entry }
      var chosen = known.hasPayload && (known.kind != .patched || !entry.hasPayload) ? known : entry
      chosen.isKept = known.isKept || entry.isKept
      entries[id] = chosen
    }
    var walk = PackWalk(file)
    walking: while true {
      try Cancellation.check()
      switch try walk.next() {
      case .end: break walking
      case .gap: damaged += 1
      case .record(let record, let offset):
        guard try PackWalk.holds(record, offset, file, tools) else {
          damaged += 1
          continue
        }
        salvaged += 1
        let entry = PackEntry(
          kind: record.kind, codec: record.codec, isKept: record.isKept, offset: offset,
          storedByteCount: record.storedByteCount, byteCount: record.byteCount)
        if record.kind == .deep {
          guard Self.enter(deep: entry, file, enter) else {
            damaged += 1
            continue
          }
          continue
        }
        guard record.kind == .frame else {
          enter(record.digest, entry)
          continue
        }
        let stored = file.bytes.extracting(entry.payload)
        guard
          let contents = try dictionaries.contents(
            of: stored, codec: record.codec, byteCount: record.byteCount, in: file, tools),
          let objects = OpenFrame.objects(in: contents.rawSpan)
        else {
          damaged += 1
          continue
        }
        for object in objects {
          enter(
            try tools.digest(of: contents.rawSpan.extracting(object.range)),
            PackEntry(
              kind: .frame, codec: record.codec, isKept: object.isKept, offset: offset,
              storedByteCount: record.storedByteCount, byteCount: object.range.count, inner: object.range.lowerBound,
              frameByteCount: record.byteCount))
        }
      }
    }
    guard !entries.isEmpty || damaged > 0 else {
      // Nothing was ever in it.
      try backend.remove(PackView.packName(name))
      return (0, 0)
    }
    // Where an index stands already, the next one has a name of its own for a moment: in tmp, where a collection finds what a dead process left.
    let temporary = "tmp/\(name).index"
    try backend.build(
      try OpenPack.index(entries, count: entries.count, name: name, packByteCount: file.byteCount), as: temporary)
    try backend.rename(temporary, to: PackView.indexName(name))
    return (salvaged, damaged)
  }
}

extension StoreWriter {
  /// Stores anew what stands in a record that no index will name.
  fileprivate func save(_ chunk: ChunkBytes, _ id: FuseStore.ObjectID, isKept: Bool) throws(FuseError) {
    try append(.data, id, .raw, byteCount: chunk.byteCount, payload: chunk.bytes, isKept: isKept)
  }
}
