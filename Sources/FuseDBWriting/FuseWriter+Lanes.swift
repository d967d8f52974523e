package import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

extension FuseWriter {
  /// A way in for one of ``Options/threadCount`` threads, which is not to be used once the file is built.
  package func makeLane() throws(FuseError) -> WriterLane {
    let lane = try WriterLane(try openStorage(), number: lanes.count)
    lanes.append(lane)
    return lane
  }

  /// The lane of keys that are added one by one.
  func openLane() throws(FuseError) -> WriterLane {
    let made = try makeLane()
    lane = made
    return made
  }

  func openStorage() throws(FuseError) -> WriterStorage {
    if let storage { return storage }
    let laneCount = max(1, options.threadCount ?? Parallel.processorCount)
    let made = try WriterStorage(
      options,
      plan ?? MemoryPlan(byteCount: options.memory ?? MachineMemory.availableByteCount / 4, laneCount: laneCount))
    storage = made
    return made
  }

  /// How many bytes went to the temporary file so far.
  package var spilledByteCount: Int { storage?.spill.spilledByteCount ?? 0 }
}
