internal import CFuseIntrinsics

/// The objects of one range of hashes.
///
/// Objects are kept in memory, each once, as long as the allowance lasts. From then on those that are not there already
/// go to a stream, as often as they come; ``PartitionContents`` finds out later which of them are equal. So memory is
/// bounded, and what came early, mostly what comes often, is stored once from the start.
@safe
final class ObjectPartition {
  /// The upper 16 bits of a slot are those of the hash behind the partition's, the others the object's address.
  private static let tagShift: UInt64 = 48
  private static let addressMask: UInt64 = 1 << tagShift - 1

  private let spill: Spill
  private let allowance: Spill
  private let seed: UInt64
  private var arena: ObjectArena
  /// Open addressing, at most three quarters full; 0 is free.
  private var slots: ZeroedMemory
  private var slotMask: Int
  /// The objects in memory by their number.
  private(set) var objects: [ArenaObject] = []
  private var isFull = false
  /// What came when the memory was used up: length and bytes of each.
  private(set) var stream: SpillStream?
  /// How many objects went to the stream.
  private(set) var streamedCount = 0
  /// The length of all objects in memory and in the stream.
  private(set) var byteCount = 0
  /// How often an object was found in memory.
  private(set) var foundCount = 0

  /// Objects in memory and in the stream.
  var count: Int { objects.count + streamedCount }

  /// - Parameters:
  ///   - allowance: the memory that all partitions share.
  ///   - spill: what the stream goes to.
  ///   - seed: that of the hashes.
  init(_ allowance: Spill, spill: Spill, seed: UInt64, blockByteCount: Int) throws(FuseError) {
    self.seed = seed
    self.allowance = allowance
    self.spill = spill
    arena = ObjectArena(blockByteCount: blockByteCount)
    slots = try ZeroedMemory(byteCount: 4096, inLargePages: false)
    slotMask = 4096 / 8 - 1
  }

  /// The number of the object that holds these bytes, which is stored if it is not known.
  @inline(__always)
  func insert(_ bytes: RawSpan, hash: UInt64) throws(FuseError) -> UInt32 {
    let tag = hash << 8 & ~Self.addressMask
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    while true {
      // SAFETY: the mask keeps the slot inside the table.
      let value = unsafe slots.start.load(fromByteOffset: slot &* 8, as: UInt64.self)
      if value == 0 { break }
      if value & ~Self.addressMask == tag {
        let object = Self.object(in: value)
        if object.bytes.equals(bytes) {
          foundCount &+= 1
          return object.number
        }
      }
      slot = (slot &+ 1) & slotMask
    }
    return try add(bytes, tag: tag, slot: slot)
  }

  /// Stores an object without looking whether it is known.
  func append(_ bytes: RawSpan) throws(FuseError) -> UInt32 {
    guard try reserve(bytes) else { return try addToStream(bytes) }
    let object = unsafe try arena.store(bytes, number: UInt32(objects.count))
    unsafe objects.append(ArenaObject(at: object))
    byteCount += bytes.byteCount
    return UInt32(objects.count - 1)
  }

  /// Asks for the slot in which the object of a hash would be.
  @inline(__always)
  func prefetchSlot(_ hash: UInt64) {
    unsafe fuse_prefetch(slots.start + (Int(truncatingIfNeeded: hash) & slotMask) &* 8)
  }

  /// Asks for the object in the slot of a hash.
  @inline(__always)
  func prefetchObject(_ hash: UInt64) {
    // SAFETY: the mask keeps the slot inside the table.
    let value = unsafe slots.start.load(
      fromByteOffset: (Int(truncatingIfNeeded: hash) & slotMask) &* 8, as: UInt64.self)
    let address = UInt(truncatingIfNeeded: value & Self.addressMask)
    fuse_prefetch_address(address)
    fuse_prefetch_address(address &+ 64)
  }

  /// Ends the adding.
  func finish() { stream?.finish() }

  /// Gives back the table, which is needed no more.
  func dropTable() throws(FuseError) {
    slots = try ZeroedMemory(byteCount: 4096, inLargePages: false)
    slotMask = 4096 / 8 - 1
  }

  @inline(never)
  private func add(_ bytes: RawSpan, tag: UInt64, slot: Int) throws(FuseError) -> UInt32 {
    var slot = slot
    if !isFull, objects.count * 4 >= slotMask * 3 {
      if allowance.reserve((slotMask + 1) * 8) {
        try grow()
        slot = -1
      } else {
        isFull = true
      }
    }
    guard try reserve(bytes) else { return try addToStream(bytes) }
    let object = unsafe try arena.store(bytes, number: UInt32(objects.count))
    unsafe objects.append(ArenaObject(at: object))
    byteCount += bytes.byteCount
    let value = UInt64(UInt(bitPattern: object)) | tag
    if slot < 0 { slot = freeSlot(for: bytes.hash(seed: seed)) }
    // SAFETY: the slot is one of the table.
    unsafe slots.start.storeBytes(of: value, toByteOffset: slot * 8, as: UInt64.self)
    return UInt32(objects.count - 1)
  }

  /// Whether memory for the object is there.
  private func reserve(_ bytes: RawSpan) throws(FuseError) -> Bool {
    guard !isFull else { return false }
    var needed = arena.byteCountOfBlock(for: bytes.byteCount)
    // The array of objects doubles.
    if objects.count == objects.capacity { needed += max(64, objects.capacity) * MemoryLayout<ArenaObject>.stride }
    isFull = needed > 0 && !allowance.reserve(needed)
    return !isFull
  }

  private func addToStream(_ bytes: RawSpan) throws(FuseError) -> UInt32 {
    let stream = stream ?? SpillStream(spill)
    self.stream = stream
    try stream.append(record: UInt32(bytes.byteCount))
    try stream.append(bytes)
    streamedCount += 1
    byteCount += bytes.byteCount
    return UInt32(count - 1)
  }

  private static func object(in slot: UInt64) -> ArenaObject {
    // SAFETY: a slot that is not free holds the address of an object of the arena.
    unsafe ArenaObject(at: UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: slot & addressMask))!)
  }

  private func freeSlot(for hash: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    while unsafe slots.start.load(fromByteOffset: slot * 8, as: UInt64.self) != 0 { slot = (slot + 1) & slotMask }
    return slot
  }

  private func grow() throws(FuseError) {
    let old = slots
    let oldCount = slotMask + 1
    slots = try ZeroedMemory(byteCount: oldCount * 16, inLargePages: false)
    slotMask = oldCount * 2 - 1
    for slot in 0..<oldCount {
      let value = unsafe old.start.load(fromByteOffset: slot * 8, as: UInt64.self)
      guard value != 0 else { continue }
      let object = Self.object(in: value)
      let place = freeSlot(for: object.bytes.hash(seed: seed))
      unsafe slots.start.storeBytes(of: value, toByteOffset: place * 8, as: UInt64.self)
    }
  }
}
