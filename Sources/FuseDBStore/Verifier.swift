public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

extension FuseStore {
  /// How much ``verify(_:progress:)`` reads.
  public enum VerifyLevel: Sendable {
    /// Indexes, heads of records, names and recipes.
    case structure
    /// Every byte.
    case everything
  }

  /// What a check found.
  public struct Verification: Sendable, Equatable {
    /// One flaw.
    public struct Flaw: Sendable, Equatable {
      /// The file, inside of the store.
      public var file: String
      /// Where in it, if that is known.
      public var offset: UInt64?
      /// What is wrong, as a sentence.
      public var message: String
    }

    /// Packs that were read.
    public var packCount = 0
    /// Records in them.
    public var recordCount = 0
    /// Bytes of packs and loose objects.
    public var byteCount = 0
    /// Objects that are kept.
    public var objectCount = 0
    /// Names.
    public var nameCount = 0
    /// What is damaged; none where the store is sound.
    public var flaws: [Flaw] = []
    /// Spoilt bytes that nobody reads any more: of each object that stood there, a sound copy stands elsewhere, as after it was put again. They do
    /// no harm, and go when the pack is written anew. [SR8]
    public var superseded: [Flaw] = []
    /// Objects that can't be read, and the names that lead to them, or the digests of those that are kept.
    public var lost: [Lost] = []

    /// What can't be read.
    public struct Lost: Sendable, Hashable {
      /// Its digest.
      public var id: ObjectID
      /// A name, or the digest itself where the object is kept.
      public var neededBy: String
    }

    /// Whether nothing is damaged.
    public var isSound: Bool { flaws.isEmpty && lost.isEmpty }
  }

  /// Checks the store. Nothing is written.
  ///
  /// - Parameter progress: called now and then with the share that is done.
  /// - Throws: ``FuseError`` with code `inputOutput` where the store can't be read at all, `cancelled`. Damage is reported, not thrown.
  public func verify(
    _ level: VerifyLevel = .everything, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> Verification {
    var result = Verification()
    let view = try refresh()
    for (name, error) in view.damaged.sorted(by: { $0.key < $1.key }) {
      result.flaws.append(.init(file: PackView.indexName(name), offset: error.offset, message: error.message))
    }
    let packs = view.all
    let store = self
    let threadCount = min(Parallel.processorCount, max(1, packs.count))
    let parts = Parallel.map(
      packs.count, threadCount: threadCount, onProgress: { progress?($0 * 0.8) },
      { number in PackCheck(store, packs[number], packs, level) })
    for part in parts {
      if let error = part.failure { throw error }
      result.packCount += 1
      result.recordCount += part.recordCount
      result.byteCount += part.byteCount
      result.flaws += part.flaws
    }
    try checkLoose(level, &result)
    try setAsideSuperseded(packs, &result)
    try checkFolders(&result)
    try checkNames(view, &result, level)
    progress?(1)
    return result
  }

  /// Sets aside what is damaged in packs of which all objects stand elsewhere, too, as far as it is theirs, and in loose objects that a pack keeps.
  private func setAsideSuperseded(_ packs: [PackView], _ result: inout Verification) throws(FuseError) {
    guard !result.flaws.isEmpty else { return }
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    let damaged = Set(result.flaws.map(\.file))
    var files: Set<String> = []
    for pack in packs where damaged.contains(PackView.packName(pack.name)) {
      let file = PackView.packName(pack.name)
      guard !damaged.contains(PackView.indexName(pack.name)) else { continue }
      if try SpoiltPack(self, pack, packs, result.flaws).isSuperseded(tools) { files.insert(file) }
    }
    for id in try looseObjects() where damaged.contains(Self.looseName(id)) {
      if try isKeptSoundly(id, by: packs, tools) { files.insert(Self.looseName(id)) }
    }
    for var flaw in result.flaws where files.contains(flaw.file) {
      flaw.message = "spoilt, and no longer needed: what stood here has a sound copy"
      result.superseded.append(flaw)
    }
    result.flaws.removeAll { files.contains($0.file) }
  }

  private func checkLoose(_ level: VerifyLevel, _ result: inout Verification) throws(FuseError) {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    for id in try looseObjects() {
      try Cancellation.check()
      do throws(FuseError) {
        guard let place = try loosePlace(id) else { continue }
        result.objectCount += 1
        result.byteCount += place.file.byteCount
        if level == .everything { _ = try read(id, place, tools) }
      } catch {
        guard error.isDamage else { throw error }
        result.flaws.append(.init(file: Self.looseName(id), offset: error.offset, message: error.message))
      }
    }
  }

  /// What is there and belongs to nothing.
  private func checkFolders(_ result: inout Verification) throws(FuseError) {
    let files = Set(try backend.names(in: "packs"))
    for file in files.sorted() where file.hasSuffix(".pack") && !files.contains("\(file.dropLast(5)).fsdb") {
      guard try !backend.isLocked("packs/\(file)"),
        try backend.reader(PackView.indexName(String(file.dropLast(5)))) == nil
      else { continue }
      result.flaws.append(
        .init(file: "packs/\(file)", message: "the pack has no index; a collection or '--repair' makes it"))
    }
    do throws(FuseError) { _ = try CondemnedList.all(in: backend) } catch {
      result.flaws.append(.init(file: "condemned", message: error.message))
    }
    for file in try backend.names(in: "refs") where StoreRef.name(ofFile: file) == nil {
      result.flaws.append(.init(file: "refs/\(file)", message: "the file's name spells no name"))
    }
  }

  /// Whether all that is needed is there and can be read, as far as the heads say; damaged bytes are found by the packs' checks.
  private func checkNames(
    _ view: StoreView, _ result: inout Verification, _ level: VerifyLevel
  ) throws(FuseError) {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    let checks = DeepChecks(self, view.all, tools)
    for name in try names() {
      result.nameCount += 1
      do throws(FuseError) {
        guard let ref = try ref(named: name) else { continue }
        try check(ref.id, neededBy: name, view, checks, tools, &result)
        if ref.kind == .tree, let tree = try? tree(ref.id) {
          for file in tree.files { try check(file.id, neededBy: name, view, checks, tools, &result) }
        }
        if ref.kind == .versions, let list = try? versions(ref.id) {
          for version in list.versions {
            try check(version.id, neededBy: "\(name)@\(version.number)", view, checks, tools, &result, level)
            if let patch = version.patch {
              try check(patch, neededBy: "\(name)@\(version.number)", view, checks, tools, &result)
            }
          }
        }
      } catch {
        guard error.isDamage else { throw error }
        result.flaws.append(.init(file: "refs", message: "the name '\(name)': \(error.message)"))
      }
    }
    for pack in view.all {
      do throws(FuseError) {
        try pack.forEach { id, entry throws(FuseError) in
          guard pack.keeps(id, entry) else { return }
          result.objectCount += 1
          // An entry with bytes here was checked with the pack; a recipe leads elsewhere, and a mark is elsewhere.
          if entry.kind == .mark || entry.kind.isRecipe {
            try check(id, neededBy: "\(id)", view, checks, tools, &result)
          } else if result.flaws.contains(where: { $0.file == PackView.packName(pack.name) }) {
            try check(id, neededBy: "\(id)", view, checks, tools, &result)
          }
        }
      } catch {
        guard error.isDamage else { throw error }
      }
    }
    // Several packs may keep an object.
    var told: Set<Verification.Lost> = []
    result.lost.removeAll { !told.insert($0).inserted }
  }

  private func check(
    _ id: ObjectID, neededBy name: String, _ view: StoreView, _ checks: DeepChecks, _ tools: StoreTools,
    _ result: inout Verification, _ level: VerifyLevel = .structure
  ) throws(FuseError) {
    try Cancellation.check()
    var missing: ObjectID?
    do throws(FuseError) {
      switch try find(id, tools) {
      case nil: missing = id
      case .chunk: break
      case .patched(let recipe): missing = try missingPart(of: recipe, id, view, checks, tools, level)
      case .recipe(let recipe, _):
        for part in recipe.parts where missing == nil {
          if recipe.isOfNodes {
            for leaf in try node(part.id, of: id, byteCount: part.byteCount, tools) where missing == nil {
              if try !isReadable(leaf.id, view, checks, tools, reads: !result.flaws.isEmpty) { missing = leaf.id }
            }
          } else if try !isReadable(part.id, view, checks, tools, reads: !result.flaws.isEmpty) {
            missing = part.id
          }
        }
      }
      if missing != nil, let recipe = try patchedRecipe(of: id, tools) {
        missing = try missingPart(of: recipe, id, view, checks, tools, level)
      }
    } catch {
      guard error.isDamage else { throw error }
      missing = id
    }
    if missing != nil { result.lost.append(.init(id: id, neededBy: name)) }
  }

  /// What a version that is kept as patches lacks; nil where it can be made.
  private func missingPart(
    of recipe: PatchedRecipe, _ id: ObjectID, _ view: StoreView, _ checks: DeepChecks, _ tools: StoreTools,
    _ level: VerifyLevel
  ) throws(FuseError) -> ObjectID? {
    if level == .everything {
      forgetRebuilt()
      _ = try rebuilt(id, recipe, tools)
      return nil
    }
    for part in [recipe.base] + recipe.patches {
      guard try isReadable(part, view, checks, tools, reads: false) else { return part }
    }
    return nil
  }

  private func isReadable(
    _ id: ObjectID, _ view: StoreView, _ checks: DeepChecks, _ tools: StoreTools, reads: Bool
  ) throws(FuseError) -> Bool {
    // Where something is damaged, only what can be read counts.
    if reads { return (try? find(id, tools)) != nil }
    for pack in view.all {
      guard let entry = try pack.entry(of: id), entry.hasPayload else { continue }
      guard entry.kind == .deep else { return true }
      if try checks.isSound(entry, in: pack) { return true }
    }
    return try backend.file(Self.looseName(id)) != nil
  }
}

/// The check of one pack.
private struct PackCheck: Sendable {
  private(set) var flaws: [FuseStore.Verification.Flaw] = []
  private(set) var recordCount = 0
  private(set) var byteCount = 0
  private(set) var failure: FuseError?

  init(_ store: FuseStore, _ pack: PackView, _ packs: [PackView], _ level: FuseStore.VerifyLevel) {
    do throws(FuseError) { try run(store, pack, packs, level) } catch {
      if error.isDamage {
        flaws.append(.init(file: PackView.packName(pack.name), offset: error.offset, message: error.message))
      } else {
        failure = error
      }
    }
  }

  private mutating func run(
    _ store: FuseStore, _ pack: PackView, _ packs: [PackView], _ level: FuseStore.VerifyLevel
  ) throws(FuseError) {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    // A frame that nothing needs may lack what it is packed after; of the others, that is found by the names.
    let checks = DeepChecks(store, packs, tools, allowsMissing: true)
    for damage in try pack.index.verify(level: level == .everything ? .full : .checksums).damage.prefix(16) {
      flaws.append(.init(file: PackView.indexName(pack.name), offset: damage.offset, message: damage.message))
    }
    var walk = PackWalk(pack.file)
    while true {
      try Cancellation.check()
      switch try walk.next() {
      case .end:
        byteCount = pack.file.byteCount
        try checkEntries(pack, store, tools)
        return
      case .gap(let range):
        flaws.append(
          .init(
            file: PackView.packName(pack.name), offset: UInt64(range.lowerBound),
            message: "\(range.count) bytes are no record; what stood there is lost unless it is put again"))
      case .record(let record, let offset):
        recordCount += 1
        guard level == .everything else { continue }
        guard try !PackWalk.holds(record, offset, pack.file, tools) else {
          try checkBases(of: record, offset, pack, checks)
          continue
        }
        flaws.append(
          .init(
            file: PackView.packName(pack.name), offset: UInt64(offset),
            message: "the record of \(record.digest) does not match its digest; put it again"))
      }
    }
  }

  /// Whether what a deep frame is packed after can be read.
  private mutating func checkBases(
    of record: PackRecord, _ offset: Int, _ pack: PackView, _ checks: DeepChecks
  ) throws(FuseError) {
    guard record.kind == .deep else { return }
    let entry = PackEntry(
      kind: .deep, codec: record.codec, isKept: false, offset: offset, storedByteCount: record.storedByteCount,
      byteCount: record.byteCount)
    guard try !checks.isSound(entry, in: pack) else { return }
    flaws.append(
      .init(
        file: PackView.packName(pack.name), offset: UInt64(offset),
        message: "what the chunks of this record are packed after can't be read; put what has them again"))
  }

  /// Whether the index says what stands there.
  private mutating func checkEntries(
    _ pack: PackView, _ store: FuseStore, _ tools: StoreTools
  ) throws(FuseError) {
    var wrong: [FuseStore.Verification.Flaw] = []
    try pack.forEach { id, entry throws(FuseError) in
      guard wrong.count < 16 else { return }
      guard let record = PackRecord(pack.bytes, at: entry.offset), record.kind == entry.kind,
        record.codec == entry.codec, record.storedByteCount == entry.storedByteCount,
        entry.kind.isFrame
          ? record.byteCount == entry.frameByteCount : record.digest == id && record.byteCount == entry.byteCount
      else {
        return wrong.append(
          .init(
            file: PackView.indexName(pack.name), offset: UInt64(entry.offset),
            message: "the entry of \(id) is not what stands in the pack"))
      }
    }
    // A record that is damaged was told of already.
    if flaws.isEmpty { flaws += wrong }
  }
}
