public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

extension FuseStore {
  /// What ``deepen(progress:)`` did.
  public struct Deepening: Sendable, Equatable {
    /// Versions that were looked at.
    public var versionCount = 0
    /// Chunks that were packed anew.
    public var chunkCount = 0
    /// What these take, before.
    public var oldByteCount = 0
    /// What they take now. Their old copies go with the next collection.
    public var newByteCount = 0
  }

  /// Packs chunks of versions once more: many together, each after the bytes that the version before has in their place.
  ///
  /// It takes the names that have versions (``StoreWriter/PutOptions/keepsVersions``). Objects and chunks keep their digests; reading unpacks
  /// up to eight frames for one. Readers and writers go on.
  ///
  /// - Throws: ``FuseError`` with code `refused` where a collection runs, `corrupted` where a version is damaged: what was packed before that
  ///   stays; `inputOutput`, `cancelled`.
  /// - Complexity: O(bytes of versions), in some 64 MiB of memory, of which each processor takes 16, and what the lists of two versions take; versions of more than
  ///   131,072 chunks are passed over.
  @discardableResult
  public func deepen(progress: ((Double) -> Void)? = nil) throws(FuseError) -> Deepening {
    guard let lock = try backend.lock("tmp/collect.lock", waiting: false) else {
      throw FuseError(.refused, "a collection runs; wait for it", path: path)
    }
    defer { withExtendedLifetime(lock) {} }
    // Packing takes most of the memory.
    deepFrames.useHalf()
    defer { deepFrames.useAll() }
    var report = Deepening()
    // What a collection has moved since is not looked for where it was.
    _ = try refresh()
    let lists = try refs().filter { $0.ref.kind == .versions }
    for (number, (_, ref)) in lists.enumerated() {
      let versions = try versions(ref.id).versions
      var before: [PlacedChunk]?
      for (place, version) in versions.enumerated() {
        guard let chunks = try deepenable(version.id) else { continue }
        try deepen(chunks, after: before ?? [], &report)
        report.versionCount += 1
        before = chunks
        progress?((Double(number) + Double(place + 1) / Double(versions.count)) / Double(lists.count))
      }
    }
    progress?(1)
    return report
  }

  static let mostDeepChunks = 1 << 17

  /// The chunks of an object that is whole and has some; nil for others.
  private func deepenable(_ id: ObjectID) throws(FuseError) -> [PlacedChunk]? {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    guard case .recipe(let recipe, let count)? = try find(id, tools) else { return nil }
    let chunks = try chunks(of: recipe, id, 0..<count, tools)
    return chunks.count <= Self.mostDeepChunks ? chunks : nil
  }

  /// One version, with a commit of its own.
  private func deepen(
    _ chunks: [PlacedChunk], after before: [PlacedChunk], _ report: inout Deepening
  ) throws(FuseError) {
    let view = try refresh()
    if let (_, error) = view.damaged.first { throw error }
    var plan = DeepPlan(chunks, after: before)
    let places = try DeepPlaces(view)
    let writer = try StoreWriter(self)
    // Frames are read one after the other, since that may unpack eight for one; packed side by side; and written in their order.
    while true {
      try Cancellation.check()
      var contents: [DeepContents] = []
      while contents.count < Parallel.processorCount,
        let job = try plan.next(isWanted: { chunk throws(FuseError) in
          try places.isShallow(chunk.id)
        })
      { contents.append(try DeepContents(job, self, places, writer.tools)) }
      guard !contents.isEmpty else { break }
      let (work, path) = (contents, path)
      let made = Parallel.map(work.count, threadCount: Parallel.processorCount) {
        number -> Result<DeepRecord?, FuseError> in
        do throws(FuseError) { return .success(try DeepRecord(work[number], path)) } catch {
          return .failure(error)
        }
      }
      for result in made {
        guard let record = try result.get() else { continue }
        try writer.append(record)
        report.chunkCount += record.frame.objects.count
        report.oldByteCount += record.oldByteCount
        report.newByteCount += PackRecord.byteCount + record.payload.count
      }
    }
    try writer.commit()
  }
}

/// How chunks are kept now.
struct DeepPlaces: Sendable {
  private let packs: [PackView]
  private let deepPacks: [PackView]

  init(_ view: StoreView) throws(FuseError) {
    packs = view.all
    var deep: [PackView] = []
    for pack in view.all where try pack.isDeep { deep.append(pack) }
    deepPacks = deep
  }

  /// Whether no deep frame has a chunk.
  func isShallow(_ id: FuseStore.ObjectID) throws(FuseError) -> Bool { try depth(of: id) == 0 }

  /// How deep a chunk is in the deepest frame that has it; 0 where none does.
  func depth(of id: FuseStore.ObjectID) throws(FuseError) -> Int { try frame(of: id)?.depth ?? 0 }

  /// A deep frame that is there.
  struct Frame: Hashable {
    let pack: Int
    let offset: Int
    let depth: Int
  }

  /// The deepest frame that has a chunk.
  func frame(of id: FuseStore.ObjectID) throws(FuseError) -> Frame? {
    var deepest: Frame?
    for (number, pack) in deepPacks.enumerated() {
      guard let entry = try pack.entry(of: id), let depth = pack.depth(of: entry), depth > deepest?.depth ?? 0 else {
        continue
      }
      deepest = Frame(pack: number, offset: entry.offset, depth: depth)
    }
    return deepest
  }

  /// The chunks that a frame may be packed after. To read it unpacks each frame that has some of them, and what that one is packed after: so it
  /// is a few, those of which the most bytes are wanted, or each version would take many times as long as the one before. What would be too deep
  /// is left out.
  func readable(_ bases: [FuseStore.PlacedChunk]) throws(FuseError) -> (bases: [FuseStore.PlacedChunk], depth: Int) {
    var frames: [Frame?] = []
    var byteCounts: [Frame: Int] = [:]
    for base in bases {
      let frame = try frame(of: base.id)
      frames.append(frame)
      if let frame, frame.depth < DeepFrame.mostDepth { byteCounts[frame, default: 0] += base.byteCount }
    }
    let order = byteCounts.sorted {
      ($0.value, $1.key.pack, $1.key.offset) > ($1.value, $0.key.pack, $0.key.offset)
    }
    let chosen = Set(order.prefix(DeepFrame.mostBaseFrames).map(\.key))
    let kept = zip(bases, frames).filter { _, frame in frame.map { chosen.contains($0) } ?? true }
    return (kept.map { $0.0 }, kept.reduce(0) { max($0, $1.1?.depth ?? 0) })
  }

  /// What a chunk takes in the first pack that has it.
  func byteCount(of id: FuseStore.ObjectID) throws(FuseError) -> Int {
    for pack in packs { if let entry = try pack.entry(of: id), entry.hasPayload { return entry.shareOfPack } }
    return 0
  }
}

/// What a deep frame is made of.
struct DeepContents: Sendable {
  var frame: DeepFrame
  /// The bytes of its bases, and those of its chunks.
  var prefix: [UInt8] = []
  var bytes: [UInt8] = []
  /// What its chunks take as they are.
  var oldByteCount = 0

  init(_ job: DeepPlan.Job, _ store: FuseStore, _ places: DeepPlaces, _ tools: StoreTools) throws(FuseError) {
    let (bases, depth) = try places.readable(job.bases)
    prefix.reserveCapacity(DeepFrame.mostBaseByteCount)
    bytes.reserveCapacity(DeepFrame.mostByteCount)
    for base in bases { try Self.append(base.id, store, tools, to: &prefix) }
    for chunk in job.chunks {
      try Self.append(chunk.id, store, tools, to: &bytes)
      oldByteCount += try places.byteCount(of: chunk.id)
    }
    frame = DeepFrame(
      depth: depth + 1, bases: bases.map(\.id), baseByteCount: prefix.count,
      objects: job.chunks.map { Recipe.Part(id: $0.id, byteCount: $0.byteCount) })
  }

  private static func append(
    _ id: FuseStore.ObjectID, _ store: FuseStore, _ tools: StoreTools, to bytes: inout [UInt8]
  ) throws(FuseError) {
    guard case .chunk(let chunk)? = try store.find(id, tools) else {
      throw FuseError(.corrupted, "the chunk \(id) of a version is missing; put the version again", path: store.path)
    }
    let span = chunk.bytes
    // SAFETY: the array copies the bytes of the span.
    unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    try chunk.check()
  }
}

/// A deep frame that is to be written.
struct DeepRecord: Sendable {
  var frame: DeepFrame
  var payload: [UInt8]
  /// What its chunks take as they are.
  var oldByteCount: Int

  /// nil where nothing would be saved.
  init?(_ contents: DeepContents, _ path: String) throws(FuseError) {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    (frame, oldByteCount) = (contents.frame, contents.oldByteCount)
    guard contents.bytes.count == frame.byteCount, frame.baseByteCount <= DeepFrame.mostBaseByteCount,
      let packed = try tools.packed(contents.bytes.rawSpan, after: contents.prefix.rawSpan)
    else { return nil }
    payload = frame.head + packed
    guard PackRecord.byteCount + payload.count < oldByteCount - oldByteCount / 16 else { return nil }
    // What is about to take the place of others was unpacked once.
    let again = try tools.unpacked(
      packed.rawSpan, after: contents.prefix.rawSpan, byteCount: contents.bytes.count)
    guard again == contents.bytes else {
      throw FuseError(.inputOutput, "zstd unpacks other bytes than it packed: memory may be broken", path: path)
    }
  }
}

extension StoreWriter {
  /// Writes a deep frame.
  func append(_ deep: DeepRecord) throws(FuseError) {
    let record = PackRecord(
      kind: .deep, codec: .zstd, isKept: false, storedByteCount: deep.payload.count, byteCount: deep.frame.byteCount,
      digest: try tools.digest(of: deep.payload.rawSpan))
    var start = 0
    let chunks = deep.frame.objects.map { object in
      defer { start += object.byteCount }
      return (
        id: object.id,
        entry: PackEntry(
          kind: .deep, codec: .zstd, isKept: false, offset: 0, storedByteCount: deep.payload.count,
          byteCount: object.byteCount, inner: start, frameByteCount: deep.frame.byteCount)
      )
    }
    try appendFrame(record, payload: deep.payload.rawSpan, chunks)
  }
}
