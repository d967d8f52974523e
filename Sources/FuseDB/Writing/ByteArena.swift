/// Byte strings kept side by side in large blocks: one allocation for thousands of them, and none is ever moved.
@safe
struct ByteArena: ~Copyable {
  private static let blockByteCount = 1 << 20

  private var blocks: [UnsafeMutableRawPointer]
  private var next: UnsafeMutableRawPointer?
  /// What is left of the last block; none yet, not even for an empty string.
  private var free = -1

  init() { unsafe blocks = [] }

  deinit {
    unsafe blocks.forEach { unsafe $0.deallocate() }
  }

  /// Copies `bytes` in. The result is valid as long as the arena.
  mutating func store(_ bytes: RawSpan) -> StoredBytes {
    if bytes.byteCount > free {
      let byteCount = max(Self.blockByteCount, bytes.byteCount)
      let block = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
      unsafe blocks.append(block)
      unsafe next = block
      free = byteCount
    }
    let place = unsafe next!
    // SAFETY: the block has `free` bytes from `place` on, and the check above left no more to copy than that.
    unsafe bytes.withUnsafeBytes {
      unsafe place.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(place), byteCount: $0.count)
    }
    unsafe next = place + bytes.byteCount
    free -= bytes.byteCount
    return unsafe StoredBytes(start: UnsafeRawPointer(place), byteCount: UInt32(bytes.byteCount))
  }
}

/// A byte string in an arena.
@safe
struct StoredBytes {
  fileprivate let start: UnsafeRawPointer
  let byteCount: UInt32

  fileprivate init(start: UnsafeRawPointer, byteCount: UInt32) {
    unsafe self.start = start
    self.byteCount = byteCount
  }

  /// The bytes. Valid as long as the arena that they came from; the writer keeps both in one object.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: the arena copied exactly this many bytes here and moves none.
      unsafe _overrideLifetime(RawSpan(_unsafeStart: start, byteCount: Int(byteCount)), borrowing: self)
    }
  }
}
