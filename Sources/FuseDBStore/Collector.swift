public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

extension FuseStore {
  /// How ``collect(_:progress:)`` works.
  public struct CollectOptions: Sendable {
    /// Packs of which a smaller share is needed are written anew, from 0 to 1.
    public var leastLiveShare: Double
    /// Whether loose objects are packed first.
    public var packsLoose: Bool
    /// From how many small packs on they are put together.
    public var mostSmallPacks: Int

    /// Packs less than 70 % alive, loose objects too, from 8 small packs on.
    public init(leastLiveShare: Double = 0.7, packsLoose: Bool = true, mostSmallPacks: Int = 8) {
      self.leastLiveShare = leastLiveShare
      self.packsLoose = packsLoose
      self.mostSmallPacks = mostSmallPacks
    }
  }

  /// What a collection did.
  public struct Collection: Sendable, Equatable {
    /// Loose objects that were packed.
    public var packedLooseCount = 0
    /// What is needed: entries, and their bytes in packs.
    public var liveCount = 0
    /// What these take in packs.
    public var liveByteCount = 0
    /// Packs that were written anew, or had nothing that is needed: they are on their way out.
    public var condemnedCount = 0
    /// What these have.
    public var condemnedByteCount = 0
    /// Packs that are gone.
    public var removedCount = 0
    /// What they had.
    public var removedByteCount = 0
    /// Packs that stay until writers end that may rely on them.
    public var waitingCount = 0
    /// Files of processes that died.
    public var sweptCount = 0
  }

  /// Removes what nothing needs: neither a name nor an object that is kept.
  ///
  /// Readers and writers go on. A pack that is given up is condemned first; it is removed once no writer lives that began before that: this
  /// call does so where there is none, or else the next. A process that is killed leaves nothing that the next call does not finish. See
  /// spec/store.md §8.
  ///
  /// - Throws: ``FuseError`` with code `refused` where another collection runs, `corrupted` where what is needed is damaged or missing:
  ///   nothing is removed then, and ``repair(progress:)`` says what is lost.
  /// - Complexity: O(entries log entries), in 64 MiB of memory and a temporary file.
  @discardableResult
  public func collect(
    _ options: CollectOptions = CollectOptions(), progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> Collection {
    guard let lock = try backend.lock("tmp/collect.lock", waiting: false) else {
      throw FuseError(.refused, "another collection runs; wait for it", path: path)
    }
    defer { withExtendedLifetime(lock) {} }
    var report = Collection()
    report.sweptCount = try sweep()
    if options.packsLoose { report.packedLooseCount = try packLoose() }
    progress?(0.2)
    // The second pass removes what the first has condemned, where no writer was in between.
    for pass in 0..<2 {
      var collector = try Collector(self, options)
      try collector.run(condemns: pass == 0)
      report.liveCount = collector.liveCount
      report.liveByteCount = collector.liveByteCount
      report.condemnedCount += collector.condemned.count
      report.condemnedByteCount += collector.condemned.reduce(0) { $0 + $1.file.byteCount }
      report.removedCount += collector.removedCount
      report.removedByteCount += collector.removedByteCount
      report.waitingCount = collector.waitingCount + collector.condemned.count
      progress?(pass == 0 ? 0.8 : 1)
      if report.waitingCount == 0 { break }
    }
    progress?(1)
    return report
  }

  /// Removes packs whose writers died before their indexes were there: nobody was told of what is in them, and what they copied may have been
  /// taken back since. [SP5]
  func removeUnsealed() throws(FuseError) {
    for file in try backend.names(in: "tmp") where file.hasSuffix(".sealing") { _ = try removeUnsealed(file) }
  }

  /// Whether the writer is dead. The lock is kept until the pack and then the file that tells of it are gone: a writer that has made that file, and
  /// not locked it yet, waits and makes another; and one that dies meanwhile leaves it for the next collection.
  private func removeUnsealed(_ file: String) throws(FuseError) -> Bool {
    guard let lock = try backend.lock("tmp/\(file)", waiting: false) else { return false }
    defer { withExtendedLifetime(lock) {} }
    let name = String(file.dropLast(8))
    if try backend.file(PackView.indexName(name)) == nil {
      try backend.remove(PackView.packName(name))
      try backend.remove(PackView.goneName(name))
    }
    try backend.remove("tmp/\(file)")
    return true
  }

  /// Removes what dead processes left, and makes an index for packs that lack theirs.
  func sweep() throws(FuseError) -> Int {
    var count = 0
    for name in try backend.names(in: "tmp") where !name.hasSuffix(".lock") {
      let isGone = try name.hasSuffix(".sealing") ? removeUnsealed(name) : backend.sweep("tmp/\(name)")
      if isGone { count += 1 }
    }
    let condemned = try CondemnedList.newest(in: backend).packs
    let files = Set(try backend.names(in: "packs"))
    for file in files where file.hasSuffix(".gone") {
      let name = String(file.dropLast(5))
      guard !files.contains("\(name).fsdb"), !files.contains("\(name).pack") else { continue }
      try backend.remove("packs/\(file)")
    }
    for file in files where file.hasSuffix(".pack") && !files.contains("\(file.dropLast(5)).fsdb") {
      let name = String(file.dropLast(5))
      // Its writer may be between its two names. Once the lock is free, the index is there, or never comes.
      guard try !backend.isLocked("packs/\(file)"), try backend.reader(PackView.indexName(name)) == nil else {
        continue
      }
      // It died since its file in tmp was looked at.
      if try backend.file(PackView.sealingName(name)) != nil {
        if try removeUnsealed("\(name).sealing") { count += 1 }
        continue
      }
      // A collection died while it removed the pack.
      if condemned.contains(name) {
        try backend.remove("packs/\(file)")
        try backend.remove(PackView.goneName(name))
        count += 1
        continue
      }
      _ = try rebuildIndex(name)
      count += 1
    }
    return count
  }
}

/// One pass of a collection. [SG]
struct Collector {
  private let store: FuseStore
  private let options: FuseStore.CollectOptions
  private let tools: StoreTools
  private(set) var liveCount = 0
  private(set) var liveByteCount = 0
  private(set) var condemned: [PackView] = []
  private(set) var removedCount = 0
  private(set) var removedByteCount = 0
  private(set) var waitingCount = 0

  /// A pack, and what of it is needed.
  private final class Census {
    let pack: PackView
    let isCondemned: Bool
    /// For each entry, in order: whether its bytes are needed from this pack.
    var isLive: [Bool]
    var liveByteCount = 0
    var byteCount = 0
    var scan: Scan
    var number = -1
    var head: (id: FuseStore.ObjectID, entry: PackEntry)?

    init(_ pack: PackView, isCondemned: Bool) throws(FuseError) {
      self.pack = pack
      self.isCondemned = isCondemned
      isLive = [Bool](repeating: false, count: pack.index.keyCount)
      scan = try pack.index.entries()
      try step()
    }

    func step() throws(FuseError) {
      guard let next = try scan.next() else { return head = nil }
      number += 1
      let key = try next.key
      guard let id = FuseStore.ObjectID(key.rawSpan),
        let entry = PackEntry(try next.bytes, packByteCount: pack.file.byteCount)
      else { throw FuseError(.corrupted, "an entry of the pack's index is damaged", path: pack.index.path) }
      byteCount += entry.shareOfPack
      head = (id, entry)
    }

    /// Goes to an entry; nil where there is none.
    func entry(of id: FuseStore.ObjectID) throws(FuseError) -> PackEntry? {
      while let head, head.id < id {
        noteMark(head.id, head.entry)
        try step()
      }
      guard let head, head.id == id else { return nil }
      return head.entry
    }

    func finish() throws(FuseError) {
      while let head {
        noteMark(head.id, head.entry)
        try step()
      }
    }

    /// Has the entry that was found last stay.
    func use(_ entry: PackEntry) {
      isLive[number] = true
      liveByteCount += entry.shareOfPack
    }

    /// A mark alone is needed, too.
    private func noteMark(_ id: FuseStore.ObjectID, _ entry: PackEntry) {
      if !entry.hasPayload, pack.keeps(id, entry) { liveByteCount += entry.shareOfPack }
    }
  }

  init(_ store: FuseStore, _ options: FuseStore.CollectOptions) throws(FuseError) {
    self.store = store
    self.options = options
    tools = try StoreTools.take()
  }

  mutating func run(condemns: Bool) throws(FuseError) {
    defer { tools.giveBack() }
    // First: what older writers have committed by then is seen below.
    let oldest = try oldestWriter()
    let lists = try CondemnedList.all(in: store.backend)
    // Names before packs: what a name leads to was sealed before the name was there.
    let refs = try store.refs(missingNone: true)
    let view = try store.refresh()
    if let (_, error) = view.damaged.first { throw error }
    let removable = Set(lists.filter { $0.generation <= oldest }.flatMap(\.packs))
    let censuses = try census(of: view, refs)
    if condemns { condemned = chosen(censuses) }
    let leaving = Set(condemned.map(\.name)).union(view.condemned.map(\.name))
    let rescued = try copy(censuses.filter { leaving.contains($0.pack.name) })
    if !condemned.isEmpty || !rescued.isEmpty { try settleMarks(rescued, view) }
    if !condemned.isEmpty {
      try CondemnedList.write(condemned.map(\.name), generation: view.generation + 1, store.backend)
    }
    for pack in view.condemned where removable.contains(pack.name) {
      try remove(pack)
    }
    waitingCount = view.condemned.count - removedCount
    try tidyLists()
    _ = try store.refresh()
  }

  /// The generation since which every living writer knows what is condemned; the highest number where none lives.
  private func oldestWriter() throws(FuseError) -> Int {
    var oldest = Int.max
    for name in try store.backend.names(in: "tmp") where name.hasSuffix(".writer") {
      guard try store.backend.isLocked("tmp/\(name)") else { continue }
      oldest = min(oldest, name.split(separator: "-").first.flatMap { Int($0) } ?? 0)
    }
    return oldest
  }

  // MARK: What is needed

  private mutating func census(
    of view: StoreView, _ refs: [(name: String, ref: StoreRef)]
  ) throws(FuseError) -> [Census] {
    var censuses: [Census] = []
    for pack in view.packs { censuses.append(try Census(pack, isCondemned: false)) }
    for pack in view.condemned { censuses.append(try Census(pack, isCondemned: true)) }
    var count = 0
    let (store, tools) = (store, tools)
    let checks = DeepChecks(store, view.all, tools)
    try Marker(store, view, tools).forEach(
      refs: refs,
      missing: { id, error throws(FuseError) in
        throw FuseError(
          error.code,
          "what \(id) leads to is damaged, so that nobody can say what is needed: \(error.message); 'fusedb store verify --repair' first",
          path: error.path, errno: error.errno)
      }
    ) { needed throws(FuseError) in
      count += 1
      try Self.choose(needed, censuses, store, tools, checks)
    }
    for census in censuses { try census.finish() }
    liveCount = count
    liveByteCount = censuses.reduce(0) { $0 + $1.liveByteCount }
    return censuses
  }

  /// Says which pack's copy of an object is the one that is needed: where there are several, one that is sound; the deepest that is allowed, since
  /// it takes the least.
  private static func choose(
    _ needed: Needed, _ censuses: [Census], _ store: FuseStore, _ tools: StoreTools, _ checks: DeepChecks
  ) throws(FuseError) {
    var holders: [(census: Census, entry: PackEntry, depth: Int)] = []
    for census in censuses {
      guard let entry = try census.entry(of: needed.id), entry.hasPayload else { continue }
      holders.append((census, entry, census.pack.depth(of: entry) ?? .max))
    }
    if needed.flags & Needed.asPatches != 0 {
      // Each list was marked with all that it needs. Of those that say the same, one is enough.
      var lists: [PatchedRecipe] = []
      for (census, entry, _) in holders where entry.kind == .patched {
        let place = FuseStore.Place(census.pack, entry, in: store.path)
        guard case .patched(let list)? = try? store.read(needed.id, place, tools), !lists.contains(list) else {
          continue
        }
        lists.append(list)
        census.use(entry)
      }
      guard needed.flags & Needed.asBytes != 0 else { return }
      // It is a chunk of others, too.
      holders.removeAll { $0.entry.kind.isRecipe }
    } else {
      holders.removeAll { $0.entry.kind == .patched }
    }
    if holders.contains(where: { $0.depth > 0 && $0.depth <= needed.mostDepth }) {
      holders = holders.filter { $0.depth <= needed.mostDepth }.sorted { $0.depth > $1.depth }
    } else if holders.contains(where: { $0.depth == 0 }) {
      holders.removeAll { $0.depth > 0 }
    }
    var isChosen = false
    for (number, (census, entry, depth)) in holders.enumerated() where !isChosen {
      if holders.count > 1, number < holders.count - 1 {
        if depth > 0 {
          guard try checks.isSound(entry, in: census.pack) else { continue }
        } else {
          let place = FuseStore.Place(census.pack, entry, in: store.path)
          guard (try? store.read(needed.id, place, tools)) != nil else { continue }
        }
      }
      census.use(entry)
      isChosen = true
    }
    // Two recipes of one object may be made of other chunks, and a reader takes any.
    for (census, entry, _) in holders where entry.kind == .recipe && !census.isLive[census.number] {
      guard holders.contains(where: { $0.entry.kind != entry.kind }) else { continue }
      census.use(entry)
    }
  }

  /// The packs that are to be given up.
  private func chosen(_ censuses: [Census]) -> [PackView] {
    let staying = censuses.filter { !$0.isCondemned }
    var chosen = staying.filter {
      Double($0.liveByteCount) < Double(max(1, $0.byteCount)) * options.leastLiveShare
    }.map(\.pack)
    let small = staying.filter { $0.pack.file.byteCount < store.configuration.packByteCount / 4 }.map(\.pack)
    if small.count >= options.mostSmallPacks {
      chosen += small.filter { pack in !chosen.contains { $0.name == pack.name } }
    }
    return chosen
  }

  // MARK: Copying

  /// Writes what is needed of packs that leave into new ones.
  private mutating func copy(_ leaving: [Census]) throws(FuseError) -> [PackView] {
    guard !leaving.isEmpty else { return [] }
    let writer = try StoreWriter(store)
    let (packs, backend) = (leaving.map(\.pack), store.backend)
    writer.takenBack = { () throws(FuseError) in
      var gone: Set<FuseStore.ObjectID> = []
      for pack in packs { gone.formUnion(try GoneMarks.updated(pack, backend).gone.subtracting(pack.gone)) }
      return gone
    }
    var given: Set<String> = []
    for census in leaving {
      var number = -1
      let pack = census.pack
      var frames = try pack.isDeep ? LiveFrames(pack, census.isLive) : LiveFrames()
      try pack.forEach { id, entry throws(FuseError) in
        number += 1
        let isKept = pack.keeps(id, entry)
        guard census.isLive[number] || isKept else { return }
        try Cancellation.check()
        if entry.kind == .deep, census.isLive[number] {
          guard !frames.isWhole(entry) else {
            // With the others of its frame, once.
            if let chunks = frames.take(entry) { try writer.copyDeep(entry, chunks, pack) }
            return
          }
          let place = FuseStore.Place(pack, entry, in: store.path)
          return try writer.copyFromDeep(id, entry, place)
        }
        guard census.isLive[number] else {
          // Only the mark is needed here.
          try writer.copyMark(id)
          return
        }
        let place = FuseStore.Place(pack, entry, in: store.path)
        try writer.copy(id, entry, from: place, isKept: isKept)
      }
      given.insert(pack.name)
    }
    try writer.sealForCollection()
    let sealed = writer.sealed
    try writer.commit()
    // A view that was made before has no marks of it.
    store.forgetPacks()
    return sealed
  }

  /// Marks that were taken back while they were copied are taken back in the copies, too. [SM4]
  private func settleMarks(_ copies: [PackView], _ before: StoreView) throws(FuseError) {
    guard !copies.isEmpty else { return }
    let lock = try store.backend.lock("tmp/marks.lock", waiting: true)
    defer { withExtendedLifetime(lock) {} }
    var goneNow: Set<FuseStore.ObjectID> = []
    for pack in before.all {
      let now = try GoneMarks.updated(pack, store.backend)
      goneNow.formUnion(now.gone.subtracting(pack.gone))
    }
    guard !goneNow.isEmpty else { return }
    for pack in copies {
      var gone: [FuseStore.ObjectID] = []
      for id in goneNow { if let entry = try pack.entry(of: id), entry.isKept { gone.append(id) } }
      if !gone.isEmpty { _ = try GoneMarks.add(gone, to: pack, store.backend) }
    }
  }

  // MARK: Removing

  /// Removes a pack: the index first, so that no reader meets half of it.
  private mutating func remove(_ pack: PackView) throws(FuseError) {
    try store.backend.remove(PackView.indexName(pack.name))
    try store.backend.remove(PackView.packName(pack.name))
    try store.backend.remove(PackView.goneName(pack.name))
    removedCount += 1
    removedByteCount += pack.file.byteCount
  }

  /// Removes lists of which every pack is gone, but never the newest.
  private func tidyLists() throws(FuseError) {
    let lists = try CondemnedList.all(in: store.backend)
    let newest = lists.map(\.generation).max()
    let files = Set(try store.backend.names(in: "packs"))
    for list in lists where list.generation != newest {
      if list.packs.allSatisfy({ !files.contains("\($0).pack") && !files.contains("\($0).fsdb") }) {
        try store.backend.remove(CondemnedList.name(list.generation))
      }
    }
  }
}

extension StoreWriter {
  /// Copies an object as it is stored; those of frames into new frames. What is copied was compared with its digest.
  func copy(
    _ id: FuseStore.ObjectID, _ entry: PackEntry, from place: FuseStore.Place, isKept: Bool
  ) throws(FuseError) {
    let found = try store.read(id, place, tools)
    if entry.kind == .frame, case .chunk(let chunk) = found {
      if try isInFrame(id, keeping: isKept) { return }
      if !frame.hasRoom(for: chunk.byteCount, .automatic) { try handOverFrame() }
      frame.compression = .automatic
      frame.add(chunk.bytes, id, isKept: isKept)
      return
    }
    try append(
      entry.kind, id, entry.codec, byteCount: entry.byteCount, payload: place.file.bytes.extracting(entry.payload),
      isKept: isKept)
  }

  /// Copies a mark.
  func copyMark(_ id: FuseStore.ObjectID) throws(FuseError) {
    if try isInFrame(id, keeping: true) { return }
    let nothing: [UInt8] = []
    try append(.mark, id, .raw, byteCount: 0, payload: nothing.rawSpan, isKept: true)
  }

  /// Seals what there is, so that ``sealed`` has all of it.
  func sealForCollection() throws(FuseError) {
    try flushFrame()
    try seal()
  }
}
