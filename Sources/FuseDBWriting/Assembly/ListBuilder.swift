internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Gives each key the list of the objects that were added under it, in the order of the additions: what
/// ``FuseWriter/DuplicatePolicy/collect`` asks for. See spec/decisions/0030-inputs-as-people-have-them.md.
///
/// Additions come in the order of keys and, of one key, of positions; each list goes to a second writer, as an object
/// like any other. So lists that hold the same bytes are stored once, and memory is bounded by one list beside what both
/// writers have.
struct ListBuilder {
  /// What becomes the file.
  let writer: FuseWriter
  private let store: ObjectStore
  private let shard: WriterShard
  private var objects: ObjectLookup
  private let limit: Int

  private let packer = MessagePackPacker()
  private var key: [UInt8] = []
  private var position: UInt64 = 0
  /// The objects of the key, one after the other, and how many they are.
  private var bytes: [UInt8] = []
  private var count = 0
  /// How many additions there were in all.
  private(set) var additionCount = 0

  init(_ collecting: FuseWriter, _ store: ObjectStore) throws(FuseError) {
    var options = collecting.options
    // Each key comes once.
    options.onDuplicate = .error
    writer = FuseWriter(options, limits: collecting.limits, plan: try collecting.openStorage().plan)
    writer.sections = collecting.sections
    writer.inputMetadata = collecting.inputMetadata
    self.store = try writer.openStorage().store
    shard = try writer.makeShard()
    try shard.beginOrder()
    objects = try ObjectLookup(store)
    limit = collecting.listLimit
  }

  /// Takes the next addition.
  mutating func add(_ key: RawSpan, _ object: ObjectNumber, position: UInt64) throws(FuseError) {
    if count > 0, !key.equals(self.key) { try endList() }
    if count == 0 {
      self.key = key.array()
      self.position = position
    }
    try objects.append(object, to: &bytes)
    count += 1
    additionCount += 1
    guard bytes.count <= limit else {
      throw FuseError(
        .limitExceeded,
        """
        the objects of the key \(quoted(key)) have more than \(limit) bytes together, and a list of them may have no more; \
        let the last or the first of them count, or raise the limit of a record, and the memory if that is too little
        """)
    }
  }

  /// Ends the last list.
  mutating func finish() throws(FuseError) {
    if count > 0 { try endList() }
  }

  private mutating func endList() throws(FuseError) {
    packer.clear(keepingAtMost: 1 << 20)
    packer.packArray(count: count)
    packer.append(bytes.rawSpan)
    do throws(FuseError) {
      try MessagePackCursor.validate(packer.bytes)
    } catch {
      throw FuseError(.invalidValue, "the list of the objects of the key \(quoted(key)) is no value: \(error.message)")
    }
    try writer.limits.check(object: packer.bytes)
    try shard.add(key.rawSpan, object: try store.add(packer.bytes), position: position)
    bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
    count = 0
  }
}

extension FuseWriter {
  /// How many bytes the objects of a list may have together: as a record of an input, a share of the memory. [S12]
  var listLimit: Int {
    options.mostListBytes ?? max((options.memory ?? MachineMemory.availableByteCount / 4) / 32, 1 << 16)
  }

  /// Builds the file in which each key has the list of its objects.
  func buildLists(
    to path: PinnedPath, phases progress: (BuildPhase, Double) -> Void
  ) throws(FuseError) -> BuildReport {
    let storage = try openStorage()
    progress(.sorting, 0)
    try finishAdding(storage)
    let pipeline = try KeyPipeline(shards, storage, policy: .collect, mostKeys: .max)
    var lists = try ListBuilder(self, storage.store)
    let outcome = try pipeline.forEachBatch { batch throws(FuseError) in
      for i in batch.rows.indices {
        let row = batch.rows[i]
        try batch.withKey(of: row) { key throws(FuseError) in
          try lists.add(key, row.object, position: row.position)
        }
      }
      try Cancellation.check()
    }
    if let error = outcome.error { throw error }
    try lists.finish()
    defer { spilledByLists = lists.writer.spilledByteCount }
    var report = try lists.writer.build(to: path, merging: nil, phases: progress)
    report.duplicateKeyCount = lists.additionCount - report.keyCount
    return report
  }
}
