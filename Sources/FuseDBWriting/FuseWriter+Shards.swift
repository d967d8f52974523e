package import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

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
    let made = try WriterStorage(
      options,
      plan ?? MemoryPlan(byteCount: options.memory ?? MachineMemory.availableByteCount / 4, shardCount: shardCount))
    storage = made
    return made
  }

  /// How many bytes went to the temporary file so far.
  package var spilledByteCount: Int { storage?.spill.spilledByteCount ?? 0 }
}
