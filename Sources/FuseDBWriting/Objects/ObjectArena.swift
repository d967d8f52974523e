internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Objects kept in large blocks of memory, each after its number and its length; none is ever moved.
@safe
struct ObjectArena: ~Copyable {
  /// What stands before the bytes: number and length, 32 bits each.
  static let overhead = 8
  static let alignment = 8

  private let blockByteCount: Int
  private var blocks: [ZeroedMemory] = []
  // SAFETY: `free` bytes from `next` on are unused and inside the last block.
  private var next: UnsafeMutableRawPointer?
  private var free = 0

  init(blockByteCount: Int) {
    self.blockByteCount = blockByteCount
    // SAFETY: without a block nothing is free, so the pointer is not used.
    unsafe next = nil
  }

  /// How many bytes of memory a further block for an object of this length takes; 0 where it fits into the last one.
  func byteCountOfBlock(for byteCount: Int) -> Int {
    let needed = Self.byteCount(of: byteCount)
    return needed <= free ? 0 : max(blockByteCount, needed)
  }

  /// Copies an object in. The result is valid as long as the arena.
  mutating func store(_ bytes: RawSpan, number: UInt32) throws(FuseError) -> ArenaObject {
    let needed = Self.byteCount(of: bytes.byteCount)
    if needed > free {
      let block = try ZeroedMemory(byteCount: byteCountOfBlock(for: bytes.byteCount), inLargePages: false)
      blocks.append(block)
      unsafe next = block.start
      free = block.byteCount
    }
    let record = unsafe next!
    unsafe record.storeBytes(of: number, as: UInt32.self)
    unsafe record.storeBytes(of: UInt32(bytes.byteCount), toByteOffset: 4, as: UInt32.self)
    // SAFETY: the block has room for the object after its head, by the check above.
    unsafe bytes.withUnsafeBytes { bytes in
      if let from = bytes.baseAddress {
        unsafe (record + Self.overhead).copyMemory(from: from, byteCount: bytes.count)
      }
    }
    unsafe next = record + needed
    free -= needed
    return unsafe ArenaObject(at: record)
  }

  private static func byteCount(of byteCount: Int) -> Int {
    (overhead + byteCount + alignment - 1) & ~(alignment - 1)
  }
}

/// An object in an arena.
@safe
struct ArenaObject {
  /// As the arena gave it.
  let start: UnsafeRawPointer

  // SAFETY: the pointer is only kept here; it comes from the arena, or from a slot that got it there.
  init(at start: UnsafeRawPointer) { unsafe self.start = start }

  // SAFETY: the arena wrote the number here, at an aligned address.
  var number: UInt32 {
    @inline(__always) get { unsafe start.load(as: UInt32.self) }
  }

  // SAFETY: the arena wrote the length here, in an aligned record, four bytes after its start.
  var byteCount: Int {
    @inline(__always) get { Int(unsafe start.load(fromByteOffset: 4, as: UInt32.self)) }
  }

  /// The bytes; valid as long as the arena.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get {
      // SAFETY: the arena copied exactly this many bytes after the head.
      unsafe _overrideLifetime(
        RawSpan(_unsafeStart: start + ObjectArena.overhead, byteCount: byteCount), borrowing: self)
    }
  }
}
