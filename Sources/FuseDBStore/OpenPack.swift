internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBWriting

/// A pack that a writer fills. Nobody else sees it before it is sealed.
@safe
final class OpenPack {
  /// What the sealed pack is called.
  let name = Hexadecimal.random(16)
  // SAFETY: one thread at a time: the one that writes a block, which is waited for before another is handed over.
  private nonisolated(unsafe) let file: any StoreGrowingFile
  private let temporaryName: String
  private let store: FuseStore
  private let isWrittenBehind: Bool
  private let leastDictionaryByteCount: Int
  /// What is being filled; another block is on its way to the file, or waits to be filled next.
  private var block: PackBlock
  private var spare: PackBlock?
  private var writing: (block: PackBlock, work: BackgroundWork<FuseError?>)?
  /// How many bytes went to the file, or are on their way.
  private var written = 0
  /// Whether the block has nothing but chunks of large objects, which are seldom read soon.
  private var isStream = true
  private var head: [UInt8]
  /// What stands in it. One entry an object.
  private(set) var entries = EntryTable()
  /// The pack's first frames, until they are the dictionary of the others. [SR7]
  private var first = OpenFrame()
  private var smallByteCount = 0
  private(set) var dictionary: OpenDictionary?
  /// Whether the file has the name of a sealed pack already, or is about to.
  private var isNamed = false

  /// However small the objects are, an index of so many fits into memory.
  static let mostEntries = 1 << 17

  // SAFETY: the file is used by this thread, before another has it.
  init(
    _ store: FuseStore, temporaryName: String, threadCount: Int, leastDictionaryByteCount: Int
  ) throws(FuseError) {
    self.leastDictionaryByteCount = leastDictionaryByteCount
    self.store = store
    self.temporaryName = temporaryName
    isWrittenBehind = threadCount > 1
    block = try PackBlock()
    unsafe file = try store.backend.begin(temporaryName)
    let start = PackHead.bytes(store: store.config.identity)
    head = start
    _ = block.append(start.rawSpan, from: 0)
  }

  var byteCount: Int { written + block.count }
  var isEmpty: Bool { entries.isEmpty }

  /// Appends a record, and what is found by it.
  func append(_ record: PackRecord, payload: RawSpan) throws(FuseError) -> Int {
    let offset = byteCount
    head.removeAll(keepingCapacity: true)
    record.append(to: &head)
    let head = head
    if record.kind != .data { isStream = false }
    try add(head.rawSpan)
    try add(payload)
    return offset
  }

  private func add(_ bytes: RawSpan) throws(FuseError) {
    var done = 0
    while done < bytes.byteCount {
      done += block.append(bytes, from: done)
      if block.isFull { try handOver() }
    }
  }

  /// Has another thread write the block, where there is one, and goes on with the next.
  private func handOver() throws(FuseError) {
    try settle()
    let next: PackBlock
    if let spare { next = spare } else { next = try PackBlock() }
    spare = nil
    // SAFETY: see `file`.
    nonisolated(unsafe) let file = unsafe file
    let (full, offset, streams) = (block, written, isStream)
    isStream = true
    let work = BackgroundWork<FuseError?>(isWorthThread: isWrittenBehind) {
      unsafe Self.write(full, to: file, at: offset, streams: streams)
    }
    writing = (full, work)
    written += full.count
    block = next
    if !work.hasThread { try settle() }
  }

  /// Takes note of a frame that was appended. Once small objects are many, the first frames stand here once more, as one, and are what later
  /// ones are packed after.
  func note(_ frame: OpenFrame, _ tools: StoreTools) throws(FuseError) {
    guard dictionary == nil, frame.compression.codec == .zstd else { return }
    if first.isEmpty { first.compression = frame.compression }
    guard first.compression == frame.compression else { return }
    smallByteCount += frame.bytes.count
    if first.bytes.count < FrameDictionary.byteCount {
      for object in frame.objects {
        first.add(frame.bytes.rawSpan.extracting(object.range), object.id, isKept: object.isKept)
      }
    }
    guard smallByteCount >= leastDictionaryByteCount, first.bytes.count >= FrameDictionary.byteCount else {
      return
    }
    let first = first
    let contents = first.contents
    smallByteCount = .min
    guard let made = FrameDictionary(first.bytes.rawSpan, level: first.compression.level),
      let packed = try tools.pack(contents.rawSpan, .zstd, level: first.compression.level, room: contents.count)
    else { return self.first = OpenFrame() }
    let offset = try append(
      PackRecord(
        kind: .frame, codec: .zstd, isKept: false, storedByteCount: packed.count, byteCount: contents.count,
        digest: try tools.digest(of: packed.rawSpan)), payload: packed.rawSpan)
    dictionary = OpenDictionary(
      dictionary: made, offset: offset, compression: first.compression, objects: first.bytes)
    self.first = OpenFrame()
  }

  /// Writes a block, and says what went wrong.
  @inline(never)
  private static func write(
    _ block: PackBlock, to file: any StoreGrowingFile, at offset: Int, streams: Bool
  ) -> FuseError? {
    do throws(FuseError) {
      if streams { try file.stream(block.bytes, at: offset) } else { try file.write(block.bytes, at: offset) }
    } catch { return error }
    return nil
  }

  /// Waits for the block that is being written.
  private func settle() throws(FuseError) {
    guard let (block, work) = writing else { return }
    writing = nil
    let failure = work.wait()
    block.clear()
    spare = block
    if let failure { throw failure }
  }

  /// Enters an object of a record. What was kept before stays kept.
  func enter(_ id: FuseStore.ObjectID, _ entry: PackEntry) {
    guard var known = entries[id] else { return entries[id] = entry }
    // What needs no others counts, where there are both.
    if !known.hasPayload || known.kind == .patched, entry.hasPayload {
      let wasKept = known.isKept
      known = entry
      known.isKept = wasKept || entry.isKept
    } else {
      known.isKept = known.isKept || entry.isKept
    }
    entries[id] = known
  }

  // SAFETY: the block that another thread writes is waited for first; see `file`.
  /// The bytes of a payload that was appended.
  func stored(_ entry: PackEntry) throws(FuseError) -> [UInt8] {
    try settle()
    let payload = entry.payload
    var bytes: [UInt8] = []
    if payload.lowerBound < written {
      bytes = unsafe try file.bytes(
        at: payload.lowerBound, count: min(payload.upperBound, written) - payload.lowerBound)
    }
    if payload.upperBound > written {
      let start = max(payload.lowerBound, written) - written
      bytes += block.array(start..<payload.upperBound - written)
    }
    return bytes
  }

  // SAFETY: the block that another thread writes is waited for first; see `file`.
  /// Makes the pack durable and gives it its name, then its index: with that it is there. [SP4]
  func seal() throws(FuseError) -> PackView {
    try settle()
    let block = block
    if block.count > 0, let failure = unsafe Self.write(block, to: file, at: written, streams: false) { throw failure }
    written += block.count
    block.clear()
    spare = nil
    unsafe try file.makeDurable()
    // Says that the pack is no one's yet, should this process die before its index is there. [SP5]
    let sealing = try store.backend.begin(PackView.sealingName(name))
    defer {
      withExtendedLifetime(sealing) {}
      try? store.backend.remove(PackView.sealingName(name))
    }
    // From here on, for where the name is there and making it last fails.
    isNamed = true
    try store.backend.rename(temporaryName, to: PackView.packName(name))
    try store.backend.build(
      try Self.index(entries.all, count: entries.count, name: name, packByteCount: written),
      as: PackView.indexName(name))
    guard let view = try PackView.open(name, store.backend, store: store.config.identity) else {
      throw FuseError(
        .notFound, "the pack that was sealed is gone again: something else removes files here",
        path: "\(store.path)/\(PackView.packName(name))")
    }
    return view
  }

  /// Removes what there is of it. Once its index is there the pack stays, whatever failed since: others may rely on it. [SW2]
  func abandon() {
    _ = writing?.work.wait()
    writing = nil
    do throws(FuseError) {
      if isNamed, try store.backend.file(PackView.indexName(name)) == nil {
        try store.backend.remove(PackView.packName(name))
      }
      try store.backend.remove(temporaryName)
    } catch {
      // A pack without an index is what the next collection finds.
    }
  }

  /// The index of a pack, to be built. [SI1]
  static func index(
    _ entries: some Sequence<(key: FuseStore.ObjectID, value: PackEntry)>, count: Int, name: String, packByteCount: Int
  ) throws(FuseError) -> FuseWriter {
    let isLarge = count > 1 << 15
    var metadata = ["pack": name, "pack_bytes": "\(packByteCount)"]
    if entries.contains(where: { $0.value.kind == .deep }) { metadata["deep"] = "1" }
    let writer = FuseWriter(
      FuseWriter.Options(
        sharing: .none, metadata: metadata,
        memory: isLarge ? 32 << 20 : 16 << 20, threadCount: isLarge ? nil : 1, networks: .never))
    for (id, entry) in entries { try writer.addKey(id.bytes, for: try writer.addObject(entry.value)) }
    return writer
  }
}
