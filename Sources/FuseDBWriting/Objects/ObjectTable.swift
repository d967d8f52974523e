internal import CFuseIntrinsics
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Objects in memory, and which of them hold the same bytes.
@safe
final class ObjectTable {
  /// The upper 16 bits of a slot are of the hash, the others the object's address.
  private static let tagShift: UInt64 = 48
  private static let addressMask: UInt64 = 1 << tagShift - 1

  private let allowance: MemoryAllowance
  private let seed: UInt64
  private var arena: ObjectArena
  /// Open addressing, at most three quarters full; 0 is free.
  private var slots: ZeroedMemory
  private var slotMask: Int
  /// The objects by their number.
  private(set) var objects: [ArenaObject] = []
  /// Whether the allowance is used up.
  private(set) var isFull = false

  /// The memory that an empty one takes beside its allowance.
  static let leastByteCount = 4096

  /// - Parameters:
  ///   - allowance: the memory for objects and table.
  ///   - seed: that of the hashes.
  ///   - blockByteCount: how much memory is taken at once for objects.
  init(_ allowance: MemoryAllowance, seed: UInt64, blockByteCount: Int) throws(FuseError) {
    self.allowance = allowance
    self.seed = seed
    arena = ObjectArena(blockByteCount: blockByteCount)
    slots = try ZeroedMemory(byteCount: Self.leastByteCount, inLargePages: false)
    slotMask = Self.leastByteCount / 8 - 1
  }

  /// What looking for an object finds.
  enum Found {
    case object(ArenaObject)
    /// Where ``add(_:hash:slot:)`` may put it.
    case freeSlot(Int)
  }

  /// Looks for the object that holds these bytes.
  @inline(__always)
  func find(_ bytes: RawSpan, hash: UInt64) -> Found {
    let tag = Self.tag(of: hash)
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    while true {
      // SAFETY: the mask keeps the slot inside the table.
      let value = unsafe slots.start.load(fromByteOffset: slot &* 8, as: UInt64.self)
      if value == 0 { return .freeSlot(slot) }
      if value & ~Self.addressMask == tag {
        let object = Self.object(in: value)
        if object.bytes.equals(bytes) { return .object(object) }
      }
      slot = (slot &+ 1) & slotMask
    }
  }

  /// Stores an object that ``find(_:hash:)`` did not find; nil when the allowance is used up.
  ///
  /// - Parameter isAlwaysTaken: whether there is room however little is left.
  @inline(never)
  func add(_ bytes: RawSpan, hash: UInt64, slot: Int, isAlwaysTaken: Bool = false) throws(FuseError) -> UInt32? {
    var slot = slot
    if !isFull, objects.count * 4 >= slotMask * 3 {
      isFull = !allowance.reserve((slotMask + 1) * 8)
      if !isFull {
        try grow()
        slot = freeSlot(for: hash)
      }
    }
    if isAlwaysTaken { isFull = false }
    guard let object = try append(bytes, isAlwaysTaken: isAlwaysTaken) else { return nil }
    let value = UInt64(UInt(bitPattern: unsafe object.start)) | Self.tag(of: hash)
    // SAFETY: the slot is one of the table.
    unsafe slots.start.storeBytes(of: value, toByteOffset: slot * 8, as: UInt64.self)
    return object.number
  }

  /// Stores an object that is not to be found; nil when the allowance is used up.
  func append(_ bytes: RawSpan, isAlwaysTaken: Bool = false) throws(FuseError) -> ArenaObject? {
    guard !isFull else { return nil }
    var needed = arena.byteCountOfBlock(for: bytes.byteCount)
    // The array of objects doubles.
    let isArrayFull = objects.count == objects.capacity
    if isArrayFull { needed += max(64, objects.capacity) * MemoryLayout<ArenaObject>.stride }
    isFull = needed > 0 && !allowance.reserve(needed)
    guard !isFull || isAlwaysTaken else { return nil }
    // First, because it may fail: an object in the arena has its number.
    if isArrayFull { try objects.makeRoom(for: 1) }
    let object = try arena.store(bytes, number: UInt32(objects.count))
    objects.append(object)
    return object
  }

  /// Asks for the slot in which the object of a hash would be.
  @inline(__always)
  func prefetchSlot(_ hash: UInt64) {
    // SAFETY: the mask keeps the slot inside the table.
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

  @inline(__always)
  private static func tag(of hash: UInt64) -> UInt64 { hash << 8 & ~addressMask }

  @inline(__always)
  private static func object(in slot: UInt64) -> ArenaObject {
    // SAFETY: a slot that is not free holds the address of an object of the arena.
    unsafe ArenaObject(at: UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: slot & addressMask))!)
  }

  private func freeSlot(for hash: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    // SAFETY: the mask keeps the slot inside the table, and one is free: at most three quarters are taken.
    while unsafe slots.start.load(fromByteOffset: slot * 8, as: UInt64.self) != 0 { slot = (slot + 1) & slotMask }
    return slot
  }

  private func grow() throws(FuseError) {
    // SAFETY: the old table has `oldCount` slots, and `freeSlot` gives one of the new table. What is not 0 has an
    // object's address.
    let old = slots
    let oldCount = slotMask + 1
    slots = try ZeroedMemory(byteCount: oldCount * 16, inLargePages: false)
    slotMask = oldCount * 2 - 1
    for slot in 0..<oldCount {
      let value = unsafe old.start.load(fromByteOffset: slot * 8, as: UInt64.self)
      guard value != 0 else { continue }
      let slot = freeSlot(for: Self.object(in: value).bytes.hash(seed: seed))
      unsafe slots.start.storeBytes(of: value, toByteOffset: slot * 8, as: UInt64.self)
    }
  }
}
