internal import CFuseIntrinsics

/// Where the objects of a build stand in the file, by their numbers; and whether a key points at them.
@safe
final class ObjectOffsets {
  private static let reached: UInt64 = 1 << 63

  // SAFETY: one word for each object of each partition, those of partition `p` from `starts[p]` on.
  private let memory: ZeroedMemory
  private let starts: [Int]

  /// - Parameter counts: how many objects each partition has.
  init(counts: [Int]) throws(FuseError) {
    var total = 0
    starts = counts.map { count in
      defer { total += count }
      return total
    }
    memory = try ZeroedMemory(byteCount: max(8, total * 8))
  }

  @inline(__always)
  private func place(of object: ObjectNumber) -> Int { (starts[object.partition] &+ object.number) &* 8 }

  /// The offset of an object, or nil when it has none yet.
  @inline(__always)
  func offset(of object: ObjectNumber) -> UInt64? {
    let value = unsafe memory.start.load(fromByteOffset: place(of: object), as: UInt64.self) & ~Self.reached
    return value == 0 ? nil : value
  }

  func set(_ offset: UInt64, of object: ObjectNumber) {
    unsafe memory.start.storeBytes(of: offset, toByteOffset: place(of: object), as: UInt64.self)
  }

  /// Notes that a key points at an object that has an offset. Returns whether another did already.
  @inline(__always)
  func reach(_ object: ObjectNumber) -> Bool {
    let place = place(of: object)
    let value = unsafe memory.start.load(fromByteOffset: place, as: UInt64.self)
    unsafe memory.start.storeBytes(of: value | Self.reached, toByteOffset: place, as: UInt64.self)
    return value & Self.reached != 0
  }

  /// Asks for the word of an object.
  @inline(__always)
  func prefetch(_ object: ObjectNumber) { unsafe fuse_prefetch(memory.start + place(of: object)) }
}
