public import FuseDBFormat
internal import FuseDBSystem

extension FuseStore {
  /// What a put did.
  public struct Stored: Sendable, Equatable {
    /// The SHA-256 of what was put.
    public var id: ObjectID
    /// Whether the store did not have it before.
    public var isNew: Bool
    /// How many bytes it has.
    public var byteCount: Int
    /// How many bytes were not there, before they were packed.
    public var newByteCount: Int
  }
}

/// Puts objects into a store, many of them with one commit.
///
///     let writer = try StoreWriter(store)
///     for file in files { try writer.put(path: file) }
///     try writer.commit()            // from here on, all of it lasts
///
/// A writer has packs of its own, so writers never wait for each other; what two of them put at the same time may be there twice, until
/// ``FuseStore/collect(_:progress:)`` has run. Memory does not grow with what is put. A writer that ends without a commit leaves nothing that
/// is not whole: packs that were full are there, and what was not named or kept by them goes with the next collection.
///
/// One thread at a time may use a writer.
public final class StoreWriter {
  /// The store that it writes to.
  public let store: FuseStore
  /// How many threads a put uses at most, one or more; as many as there are processors unless it is set.
  public var threadCount = Parallel.processorCount
  /// From how many bytes of small objects on a pack has a dictionary.
  package var leastDictionaryByteCount = FrameDictionary.leastByteCount
  /// How many bytes of a folder were put by now.
  package var folderByteCount = 0
  let tools: StoreTools
  /// What may be relied on: none of it is removed while this writer lives. [SW2]
  private(set) var view = StoreView()
  /// The packs that this writer sealed.
  private(set) var sealed: [PackView] = []
  /// Of a writer that copies marks: those that were taken back since it read them.
  var takenBack: (() throws(FuseError) -> Set<FuseStore.ObjectID>)?
  /// Whether frames that others are packed after may be relied on, by pack and offset.
  var deepVerdicts: [String: Bool] = [:]
  /// Whether frames are what was written, where that was looked at.
  var frameVerdicts: [FrameKey: Bool] = [:]

  struct FrameKey: Hashable {
    var pack: ObjectIdentifier
    var offset: Int
  }
  private var pack: OpenPack?
  /// The pack before it, which another thread seals.
  private var sealing: SealingPack?
  private var registration: Registration?
  private var names: [(name: String, ref: StoreRef?)] = []
  var pendingVersions: [(name: String, version: PendingVersion)] = []
  var removedVersions: [(name: String, number: Int)] = []
  var frame = OpenFrame()
  /// The frame before it, which another thread packs.
  private var packing: PackingFrame?
  /// What kept something from being written that was put. Nothing is committed then.
  private var failure: FuseError?

  /// Begins to write. Nothing is in the store before the first put.
  public init(_ store: FuseStore) throws(FuseError) {
    self.store = store
    tools = try StoreTools.take()
  }

  deinit {
    _ = packing?.work.wait()
    sealing?.end()
    pack?.abandon()
    registration?.end()
    tools.giveBack()
  }

  /// Tells collections that there is a writer, and since when. [SW1]
  private final class Registration {
    let generation: Int
    private let name: String
    private let file: any StoreGrowingFile
    private let backend: any StoreBackend

    init(_ backend: any StoreBackend, generation: Int) throws(FuseError) {
      self.backend = backend
      self.generation = generation
      name = "tmp/\(generation)-\(Hexadecimal.random(16)).writer"
      file = try backend.begin(name)
    }

    func end() { try? backend.remove(name) }
  }

  /// Registers, and reads which packs may be relied on.
  func begin() throws(FuseError) {
    if let failure { throw failure }
    guard registration == nil else { return }
    while true {
      let generation = try CondemnedList.newest(in: store.backend).generation
      let registration = try Registration(store.backend, generation: generation)
      do throws(FuseError) {
        // Either this sees a list that was written since, or its writer sees the registration.
        let view = try store.refresh()
        if view.generation == generation {
          self.view = view
          deepVerdicts = [:]
          frameVerdicts = [:]
          self.registration = registration
          return
        }
      } catch {
        registration.end()
        throw error
      }
      registration.end()
    }
  }

  /// The packs in which an object may be known: this writer's, and those that stay.
  func reliablePack(_ number: Int) -> PackView {
    number < sealed.count ? sealed[number] : view.packs[number - sealed.count]
  }
  var reliableCount: Int { sealed.count + view.packs.count }
  /// The pack in which something was known last, by its number: the next is often there, too.
  var lastReliable = 0

  // MARK: Records

  private func openPack() throws(FuseError) -> OpenPack {
    do throws(FuseError) { return try openedPack() } catch {
      failure = error
      throw error
    }
  }

  private func openedPack() throws(FuseError) -> OpenPack {
    try begin()
    if let pack, pack.byteCount < store.configuration.packByteCount, pack.entries.count < OpenPack.mostEntries {
      return pack
    }
    try sealBehind()
    let made = try OpenPack(
      store, temporaryName: "tmp/\(registration!.generation)-\(Hexadecimal.random(16)).pack", threadCount: threadCount,
      leastDictionaryByteCount: leastDictionaryByteCount)
    pack = made
    return made
  }

  /// What this writer's packs that are not sealed have of an object.
  func ownEntry(_ id: FuseStore.ObjectID) -> PackEntry? {
    let own = pack?.entries[id]
    guard let sealing, own?.hasPayload != true, var full = sealing.pack.entries[id] else { return own }
    full.isKept = full.isKept || own?.isKept == true
    return full
  }

  /// The open pack, and what it has of an object; nil where it has none. What waits to be sealed is sealed then, so that the store has it.
  func openEntry(_ id: FuseStore.ObjectID) throws(FuseError) -> (pack: OpenPack, entry: PackEntry)? {
    if let pack, let entry = pack.entries[id], entry.hasPayload { return (pack, entry) }
    try settleSealing()
    return nil
  }

  /// The payload of what ``ownEntry(_:)`` gave.
  func ownBytes(_ id: FuseStore.ObjectID, _ entry: PackEntry) throws(FuseError) -> [UInt8]? {
    if let pack, pack.entries[id]?.hasPayload == true { return try pack.stored(entry) }
    guard sealing?.pack.entries[id] != nil else { return nil }
    try settleSealing()
    return sealed.last.map { $0.bytes.extracting(entry.payload).array() }
  }

  /// Writes a record of one object.
  func append(
    _ kind: PackRecord.Kind, _ id: FuseStore.ObjectID, _ codec: StoreCodec, byteCount: Int, payload: RawSpan,
    isKept: Bool
  ) throws(FuseError) {
    let record = PackRecord(
      kind: kind, codec: codec, isKept: isKept, storedByteCount: payload.byteCount, byteCount: byteCount, digest: id)
    let pack = try openPack()
    let offset: Int
    do throws(FuseError) { offset = try pack.append(record, payload: payload) } catch {
      failure = error
      throw error
    }
    pack.enter(
      id,
      PackEntry(
        kind: kind, codec: codec, isKept: isKept, offset: offset, storedByteCount: payload.byteCount,
        byteCount: byteCount))
  }

  /// Writes a record of several objects.
  func appendFrame(
    _ record: PackRecord, payload: RawSpan, _ chunks: [(id: FuseStore.ObjectID, entry: PackEntry)]
  ) throws(FuseError) {
    let pack = try openPack()
    let offset: Int
    do throws(FuseError) { offset = try pack.append(record, payload: payload) } catch {
      failure = error
      throw error
    }
    for (id, entry) in chunks {
      var entry = entry
      entry.offset = offset
      pack.enter(id, entry)
    }
  }

  /// Writes the frames of small objects, if there are any.
  func flushFrame() throws(FuseError) {
    try handOverFrame()
    try settleFrame()
  }

  /// Has another thread pack the frame, and begins the next.
  func handOverFrame() throws(FuseError) {
    try settleFrame()
    guard !frame.isEmpty else { return }
    packing = PackingFrame(frame, pack?.dictionary, packName: pack?.name, isBehind: threadCount > 1)
    frame = OpenFrame()
    // After a dictionary, smaller ones take no more room, and an object is out of them sooner.
    if pack?.dictionary != nil { frame.most = OpenFrame.mostByteCountWithDictionary }
  }

  /// Whether an object waits in a frame.
  func isInFrame(_ id: FuseStore.ObjectID, keeping: Bool) throws(FuseError) -> Bool {
    if frame.has(id, keeping: keeping) { return true }
    guard let packing, packing.frame.contains(id) else { return false }
    // What is being packed says which objects are kept, so a mark has to follow it.
    if keeping, !packing.frame.keeps(id) {
      try settleFrame()
      try keep(id)
    }
    return true
  }

  /// Writes the frame that was packed meanwhile.
  private func settleFrame() throws(FuseError) {
    guard let packing else { return }
    self.packing = nil
    do throws(FuseError) { try write(packing) } catch {
      failure = error
      throw error
    }
  }

  private func write(_ packing: PackingFrame) throws(FuseError) {
    let frame = packing.frame
    let contents = packing.contents
    var made = try packing.work.wait().get()
    let pack = try openPack()
    if made?.0 == .primed, pack.name != packing.packName {
      // What it was packed after stands in the pack before.
      made = try tools.packed(contents.rawSpan, frame.compression)
    }
    guard let (codec, packed) = made else {
      // They would save nothing together: each is a record of its own.
      for object in frame.objects {
        try append(
          .data, object.id, .raw, byteCount: object.range.count, payload: frame.bytes.rawSpan.extracting(object.range),
          isKept: object.isKept)
      }
      return
    }
    let record = PackRecord(
      kind: .frame, codec: codec, isKept: false, storedByteCount: packed.count, byteCount: contents.count,
      digest: try tools.digest(of: packed.rawSpan))
    let offset = try pack.append(record, payload: packed.rawSpan)
    let shift = contents.count - frame.bytes.count
    for object in frame.objects {
      pack.enter(
        object.id,
        PackEntry(
          kind: .frame, codec: codec, isKept: object.isKept, offset: offset, storedByteCount: packed.count,
          byteCount: object.range.count, inner: shift + object.range.lowerBound, frameByteCount: contents.count))
    }
    if codec == .zstd { try pack.note(frame, tools) }
  }

  /// Seals what there is.
  func seal() throws(FuseError) {
    guard let pack else { return try settleSealing() }
    self.pack = nil
    guard !pack.isEmpty else {
      pack.abandon()
      return try settleSealing()
    }
    let view: PackView
    do throws(FuseError) {
      // What was taken back while it was copied is taken back in the copy before anybody sees that. [SM4]
      let lock = takenBack == nil ? nil : try store.backend.lock("tmp/marks.lock", waiting: true)
      defer { withExtendedLifetime(lock) {} }
      let gone = Set(try takenBack?().filter { pack.entries[$0]?.isKept == true } ?? [])
      if !gone.isEmpty { _ = try GoneMarks.write(gone, of: pack.name, store.backend) }
      view = try pack.seal()
    } catch {
      pack.abandon()
      throw error
    }
    // In the order in which they were filled.
    try settleSealing()
    take(view)
  }

  /// Has another thread seal the pack that is full: to make it durable takes as long as to fill the next one.
  private func sealBehind() throws(FuseError) {
    try settleSealing()
    // Two large indexes at once would take too much memory. And copied marks are compared under a lock before anybody sees them. [SM4]
    guard let pack, takenBack == nil, pack.entries.count <= SealingPack.mostEntries, threadCount > 1 else {
      return try seal()
    }
    self.pack = nil
    sealing = SealingPack(pack)
  }

  /// Waits for the pack that is being sealed.
  private func settleSealing() throws(FuseError) {
    guard let sealing else { return }
    self.sealing = nil
    switch sealing.work.wait() {
    case .success(let view): take(view)
    case .failure(let error):
      sealing.pack.abandon()
      failure = error
      throw error
    }
  }

  private func take(_ view: PackView) {
    sealed.append(view)
    store.add(view)
  }

  // MARK: Names and the end

  /// Has a name lead to an object from the commit on. ``FuseStore/id(named:)`` finds it, and it stays until the name goes.
  ///
  /// - Throws: ``FuseError`` with code `invalidArgument` where the name is empty or too long, `notFound` where the store has no such object.
  public func setName(_ name: String, to id: FuseStore.ObjectID) throws(FuseError) {
    try setName(name, to: StoreRef(kind: .object, id: id))
  }

  func setName(_ name: String, to ref: StoreRef) throws(FuseError) {
    _ = try StoreRef.fileName(name, path: store.path)
    try begin()
    try rely(on: ref)
    names.append((name, ref))
  }

  /// The same for what this writer put, with all that it leads to, since it began: that is where it stays.
  func setName(_ name: String, toPut ref: StoreRef) throws(FuseError) {
    _ = try StoreRef.fileName(name, path: store.path)
    names.append((name, ref))
  }

  /// Takes a name away with the commit.
  ///
  /// - Throws: ``FuseError`` with code `invalidArgument` where the name is empty or too long.
  public func removeName(_ name: String) throws(FuseError) {
    _ = try StoreRef.fileName(name, path: store.path)
    names.append((name, nil))
  }

  /// Makes all that was put since the last commit durable, and then the names.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput`, as when the disk is full. What was put is lost then, in part or as a whole, and the
  ///   store is as sound as it was; names that were set before one that failed stay.
  public func commit() throws(FuseError) {
    do throws(FuseError) { try commitAll() } catch {
      giveUp()
      throw error
    }
  }

  /// Begins anew, without what was put since the last commit.
  private func giveUp() {
    _ = packing?.work.wait()
    sealing?.end()
    sealing = nil
    pack?.abandon()
    (pack, packing, frame, failure, names, sealed) = (nil, nil, OpenFrame(), nil, [], [])
    (pendingVersions, removedVersions) = ([], [])
    registration?.end()
    registration = nil
  }

  private func commitAll() throws(FuseError) {
    if let failure { throw failure }
    // Who lengthens or ends a list of versions does so alone. [SV7]
    let isAlone = !pendingVersions.isEmpty || !removedVersions.isEmpty || names.contains { $0.ref == nil }
    let lock = isAlone ? try store.backend.lock("tmp/versions.lock", waiting: true) : nil
    defer { withExtendedLifetime(lock) {} }
    for (name, ref) in try writeVersions() { names.append((name, ref)) }
    (pendingVersions, removedVersions) = ([], [])
    try flushFrame()
    try seal()
    for (name, ref) in names {
      let file = "refs/" + (try StoreRef.fileName(name, path: store.path))
      if let ref {
        _ = try store.backend.write(Array(ref.text.utf8), to: file, replacing: true)
      } else {
        try store.backend.remove(file)
      }
    }
    names = []
    sealed = []
    registration?.end()
    registration = nil
  }
}
