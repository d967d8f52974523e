internal import FuseDBFormat
internal import FuseDBSystem

/// Bytes of a pack that are gathered before they go to the file: one block is filled while another is written.
@safe
final class PackBlock: Sendable {
  static let byteCount = 2 << 20

  private let memory: ZeroedMemory
  // SAFETY: changed by whoever fills the block, which nobody writes then; see OpenPack.
  private nonisolated(unsafe) var filled = 0

  init() throws(FuseError) { memory = try ZeroedMemory(byteCount: Self.byteCount, inLargePages: false) }

  // SAFETY: see `filled`.
  /// How many bytes there are.
  var count: Int { unsafe filled }
  var isFull: Bool { count == Self.byteCount }

  /// Takes as much of `bytes` as there is room for, from `start` on. Returns how many bytes that is.
  func append(_ bytes: RawSpan, from start: Int) -> Int {
    let taken = min(bytes.byteCount - start, Self.byteCount - count)
    // SAFETY: the memory has room for so many bytes, and the span has them.
    unsafe bytes.extracting(start..<start + taken).withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { unsafe (memory.start + filled).copyMemory(from: base, byteCount: taken) }
    }
    unsafe filled += taken
    return taken
  }

  /// Some of what was filled.
  @inline(never)
  func array(_ range: Range<Int>) -> [UInt8] { bytes.extracting(range).array() }

  // SAFETY: see `filled`.
  /// Begins anew.
  func clear() { unsafe filled = 0 }

  /// What was filled.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: this object keeps the memory, and so many bytes of it were filled.
      let start = unsafe UnsafeRawPointer(memory.start)
      return unsafe _overrideLifetime(RawSpan(_unsafeStart: start, byteCount: filled), borrowing: self)
    }
  }
}
