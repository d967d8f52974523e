package import FuseDBFormat
internal import FuseDBReading
package import FuseDBSystem
internal import FuseDBValues

/// The part of a writer that one of several threads fills. What the threads do at the same time leaves no trace in the file.
///
/// A shard collects keys in a buffer. A full one is sorted by the shard's thread; it stays in memory as a run as long as
/// the allowance lasts, otherwise it goes to the temporary file.
package final class WriterShard {
  private let storage: WriterStorage
  private let number: Int
  private var buffer: KeyBuffer
  private var objects = ObjectBatchScratch()
  /// The last object of the last batch that had one.
  private var lastObject = ObjectNumber(rawValue: 0)
  /// What was sorted.
  private(set) var sortedRuns: [SortedRuns] = []
  /// Whether keys come in order, and whether all keys in the buffer do, and whether they go on where the last of
  /// ``sortedRuns`` ends.
  private var isInOrder = false
  private var isBufferInOrder = false
  private var goesOn = false

  init(_ storage: WriterStorage, number: Int) throws(FuseError) {
    self.storage = storage
    self.number = number
    buffer = try KeyBuffer(byteCount: storage.plan.keyBuffer)
  }

  /// Adds all that `batch` holds.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` when a temporary file cannot be written.
  package func add(_ batch: RecordBatch) throws(FuseError) {
    let first = number * storage.store.partitionCount / storage.plan.shardCount
    let packer = batch.packer
    try storage.store.add(
      packer.bytes.extracting(first: batch.objectByteCount), ends: batch.objectEnds, first: first, &objects)
    let bytes = batch.keyBytes
    for key in batch.keys {
      try add(
        bytes.rawSpan.extracting(key.start..<key.start &+ key.byteCount),
        object: key.object == RecordBatch.previousObject ? lastObject : objects.numbers[key.object],
        position: key.position)
    }
    if let last = objects.numbers.last { lastObject = last }
  }

  /// The last object of all batches that were added, as a number for ``addKey(_:object:position:)``.
  package var lastObjectNumber: UInt64 { lastObject.rawValue }

  /// The object of an index in the batch that was added last.
  package func objectNumber(_ index: Int) -> UInt64 { objects.numbers[index].rawValue }

  /// Adds one key, of at most 65,535 bytes.
  package func addKey(_ key: RawSpan, object: UInt64, position: UInt64) throws(FuseError) {
    try add(key, object: ObjectNumber(rawValue: object), position: position)
  }

  /// Adds one key.
  @inline(__always)
  func add(_ key: RawSpan, object: ObjectNumber, position: UInt64) throws(FuseError) {
    if buffer.append(key, object: object, position: position) { return }
    try putAway(keepsInMemory: true)
    guard buffer.append(key, object: object, position: position) else {
      preconditionFailure("an empty buffer takes any key")
    }
  }

  /// Says that the keys to come are in order, each once, until this is called again.
  ///
  /// They need no sorting then, and however many they are they make one ``SortedRuns``, but for a few that share a
  /// buffer with others.
  func beginOrder() throws(FuseError) {
    if !buffer.isHalfEmpty { try putAway(keepsInMemory: true) }
    isInOrder = true
    isBufferInOrder = buffer.isEmpty
    goesOn = false
  }

  /// Sorts what is in the buffer and begins an empty one.
  ///
  /// - Parameter keepsInMemory: whether the run may stay there if there is room.
  private func putAway(keepsInMemory: Bool) throws(FuseError) {
    guard !buffer.isEmpty else { return }
    if !isBufferInOrder { buffer.sort() }
    let run: KeyRun
    if keepsInMemory, storage.reserveKeyBuffer() {
      // First, because it may fail: keys are not added to what has become a run.
      let empty = try KeyBuffer(byteCount: storage.plan.keyBuffer)
      run = .memory(.init(buffer: buffer))
      buffer = empty
    } else {
      run = try buffer.spill(to: try storage.spill.temporaryFile())
      buffer.removeAll()
    }
    if goesOn {
      sortedRuns[sortedRuns.count - 1].parts.append(run)
    } else {
      sortedRuns.append(SortedRuns(parts: [run]))
    }
    goesOn = isBufferInOrder
    isBufferInOrder = isInOrder
  }

  /// Sorts what is left, so that ``sortedRuns`` are all keys. More may be added afterwards.
  func finish() throws(FuseError) { try putAway(keepsInMemory: true) }

  /// Lets go of runs in memory, after writing them to the temporary file.
  func spillRuns() throws(FuseError) {
    for number in sortedRuns.indices {
      for (part, run) in sortedRuns[number].parts.enumerated() {
        guard case .memory(let keys) = run else { continue }
        sortedRuns[number].parts[part] = try keys.buffer.spill(to: try storage.spill.temporaryFile())
        storage.releaseKeyBuffer()
      }
    }
  }
}

/// What the shards of a writer share: the objects, the allowance for keys, and the temporary file.
final class WriterStorage: Sendable {
  let plan: MemoryPlan
  let store: ObjectStore
  let spill: Spill
  /// Where temporary files go that no option says another folder for.
  static let usualFolder = "/var/tmp"

  let temporaryFolder: String
  private let keys: MemoryAllowance

  init(_ options: FuseWriter.Options, _ plan: MemoryPlan) throws(FuseError) {
    self.plan = plan
    temporaryFolder = options.temporaryFolder ?? Self.usualFolder
    spill = Spill(in: temporaryFolder, memory: 0, chunkByteCount: plan.spillChunk)
    store = try ObjectStore(
      sharesObjects: options.sharing == .identicalObjects, keepsOrder: options.order == .insertion,
      isLookedUp: options.onDuplicate == .collect, memory: plan.objects, spill: spill)
    // Each shard has one buffer from the start.
    keys = MemoryAllowance(plan.keys - plan.shardCount * plan.keyBuffer)
  }

  /// Whether there is memory for a further buffer of keys.
  func reserveKeyBuffer() -> Bool { keys.reserve(plan.keyBuffer) }

  /// Gives back a buffer of keys.
  func releaseKeyBuffer() { keys.release(plan.keyBuffer) }
}

extension FuseWriter {
  /// A shard for one of ``Options/threadCount`` threads, which is not to be used once the file is built.
  package func makeShard() throws(FuseError) -> WriterShard {
    let shard = try WriterShard(try openStorage(), number: shards.count)
    shards.append(shard)
    return shard
  }

  /// The shard of keys that are added one by one.
  func openShard() throws(FuseError) -> WriterShard {
    let made = try makeShard()
    shard = made
    return made
  }

  func openStorage() throws(FuseError) -> WriterStorage {
    if let storage { return storage }
    let shardCount = max(1, options.threadCount ?? Parallel.processorCount)
    var plan =
      plan ?? MemoryPlan(byteCount: options.memory ?? MachineMemory.availableByteCount / 4, shardCount: shardCount)
    // The other half is for the writer of the lists.
    if self.plan == nil, options.onDuplicate == .collect { plan.halve() }
    let made = try WriterStorage(options, plan)
    storage = made
    return made
  }

  /// Where records may wait and be sorted before the file is built.
  package func sortingRoom() throws(FuseError) -> SortingRoom {
    let storage = try openStorage()
    return SortingRoom(spill: storage.spill, memory: storage.plan.runWindows)
  }

  /// How many bytes went to the temporary file so far.
  package var spilledByteCount: Int { (storage?.spill.spilledByteCount ?? 0) + spilledByLists }
}

/// A temporary file for records, and how much memory they may take beside.
package struct SortingRoom: Sendable {
  package let spill: Spill
  package let memory: Int
}
