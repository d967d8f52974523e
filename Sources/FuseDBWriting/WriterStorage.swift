internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What the shards of a writer share: the objects, the allowance for keys, and the temporary file.
final class WriterStorage: Sendable {
  let plan: MemoryPlan
  let store: ObjectStore
  let spill: Spill
  let temporaryFolder: String
  private let keys: MemoryAllowance

  init(_ options: FuseWriter.Options, _ plan: MemoryPlan) throws(FuseError) {
    self.plan = plan
    temporaryFolder = options.temporaryFolder ?? "/var/tmp"
    spill = Spill(in: temporaryFolder, memory: 0, chunkByteCount: plan.spillChunk)
    store = try ObjectStore(
      sharesObjects: options.sharing == .identicalObjects, keepsOrder: options.order == .insertion,
      memory: plan.objects, spill: spill)
    // Each shard has one buffer from the start.
    keys = MemoryAllowance(plan.keys - plan.shardCount * plan.keyBuffer)
  }

  /// Whether there is memory for a further buffer of keys.
  func reserveKeyBuffer() -> Bool { keys.reserve(plan.keyBuffer) }

  /// Gives back a buffer of keys.
  func releaseKeyBuffer() { keys.release(plan.keyBuffer) }
}
