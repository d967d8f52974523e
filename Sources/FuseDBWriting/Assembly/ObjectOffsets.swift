internal import CFuseIntrinsics
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Where the objects of a build stand in the file, by their numbers; and whether a key points at them.
@safe
final class ObjectOffsets {
  /// What is known of an object.
  struct Location: BitwiseCopyable {
    /// Where its record begins, or 0.
    var offset: UInt64
    /// The length of the object. It stands here, because at the object itself every key would wait for memory.
    var byteCount: UInt32
    var isReached: UInt32
  }

  // SAFETY: one location for each object of each partition, those of partition `p` from `starts[p]` on.
  private let memory: ZeroedMemory
  private let starts: [Int]

  /// - Parameter counts: how many objects each partition has.
  init(counts: [Int]) throws(FuseError) {
    var total = 0
    starts = counts.map { count in
      defer { total += count }
      return total
    }
    memory = try ZeroedMemory(byteCount: max(1, total) * MemoryLayout<Location>.stride, inLargePages: total > 1 << 19)
  }

  // SAFETY: an object's number is below the count of its partition, and each has its location in the memory, aligned.
  /// What is known of an object; offset 0 when it has none yet.
  @inline(__always)
  subscript(object: ObjectNumber) -> Location {
    get { unsafe memory.start.load(fromByteOffset: position(of: object), as: Location.self) }
    set { unsafe memory.start.storeBytes(of: newValue, toByteOffset: position(of: object), as: Location.self) }
  }

  // SAFETY: nothing is read, and an object's number is below the count of its partition.
  /// Asks for what is known of an object.
  @inline(__always)
  func prefetch(_ object: ObjectNumber) { unsafe fuse_prefetch(memory.start + position(of: object)) }

  @inline(__always)
  private func position(of object: ObjectNumber) -> Int {
    (starts[object.partition] &+ object.number) &* MemoryLayout<Location>.stride
  }
}
