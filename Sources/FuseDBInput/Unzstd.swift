internal import CZstd
internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Unpacks frames of zstd data, and passes over the frames that say they are to be skipped.
@safe
final class Unzstd: Unpacker {
  /// What a frame begins with: the number 0xFD2FB528, lowest byte first.
  static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
  /// What a frame to be skipped begins with: one of these,
  static let firstSkippable: ClosedRange<UInt8> = 0x50...0x5F
  /// and then these.
  static let skippableMagic: [UInt8] = [0x2A, 0x4D, 0x18]
  /// The largest window of zstd: 128 MiB, which is what `zstd` allows unless it is told otherwise. A frame says how much
  /// memory it needs, and it may say four gigabytes.
  static let mostWindowBytes = 1 << 27
  private static let windowBits = Int32(mostWindowBytes.trailingZeroBitCount)

  let name = "zstd"
  // SAFETY: made in init, freed in deinit and used by this class alone.
  /// Nil where memory was short.
  private let context: OpaquePointer?
  /// How much memory the window may take.
  private let windowByteCount: Int
  /// What the context takes without a window.
  private let leastByteCount: Int
  /// How many bytes of the frame are out.
  private var frameByteCount = 0

  /// Whether `head` begins a frame of either kind.
  static func begins(with head: [UInt8]) -> Bool {
    head.starts(with: magic)
      || firstSkippable.contains(head.first ?? 0) && head.dropFirst().starts(with: skippableMagic)
  }

  init(windowByteCount: Int) {
    self.windowByteCount = windowByteCount
    // SAFETY: libzstd gives a context or nil, and nil is turned away before any use.
    unsafe context = ZSTD_createDCtx()
    guard let context = unsafe context else {
      leastByteCount = 0
      return
    }
    let result = unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowBits)
    precondition(ZSTD_isError(result) == 0, "libzstd knows windows of this size")
    leastByteCount = unsafe ZSTD_sizeof_DCtx(context)
  }

  deinit {
    // SAFETY: this object alone has the context, and ends here; libzstd takes nil for nothing to do.
    unsafe _ = ZSTD_freeDCtx(context)
  }

  /// Nothing lies between frames; what begins none is found when it is unpacked.
  func begin(_ packed: [UInt8], _ range: Range<Int>) throws(FuseError) -> Int { range.lowerBound }

  func unpack(
    _ packed: [UInt8], _ source: Range<Int>, into bytes: inout [UInt8], _ room: Range<Int>
  ) throws(FuseError) -> UnpackedPiece {
    precondition(source.lowerBound >= 0 && source.upperBound <= packed.count, "the source lies inside the array")
    precondition(room.lowerBound >= 0 && room.upperBound <= bytes.count, "the room lies inside the array")
    guard let context = unsafe context else { throw .outOfMemory("unpack zstd data") }
    var usedCount = 0
    var byteCount = 0
    // SAFETY: libzstd reads the bytes of `source` and writes at most as many as `room` has, from its start on.
    let result = unsafe packed.withUnsafeBytes { packed in
      unsafe bytes.withUnsafeMutableBytes { bytes in
        var input = unsafe ZSTD_inBuffer(src: packed.baseAddress! + source.lowerBound, size: source.count, pos: 0)
        var output = unsafe ZSTD_outBuffer(dst: bytes.baseAddress! + room.lowerBound, size: room.count, pos: 0)
        defer {
          usedCount = unsafe input.pos
          byteCount = unsafe output.pos
        }
        return unsafe ZSTD_decompressStream(context, &output, &input)
      }
    }
    guard ZSTD_isError(result) == 0 else { throw Self.error(result) }
    frameByteCount += byteCount
    try checkWindow()
    if result == 0 { frameByteCount = 0 }
    return UnpackedPiece(usedCount: usedCount, byteCount: byteCount, endsPart: result == 0)
  }

  /// Throws when the window takes more memory than there is for it. A frame may claim a large one and hold little: memory is
  /// taken only as it is filled.
  private func checkWindow() throws(FuseError) {
    guard frameByteCount > windowByteCount else { return }
    // SAFETY: the context is there until deinit, and is only measured.
    let taken = unsafe ZSTD_sizeof_DCtx(context) - leastByteCount
    // Beside the window the context has room for two blocks.
    guard taken > windowByteCount + 1 << 20 else { return }
    throw FuseError(
      .limitExceeded,
      """
      unpacking the zstd data takes \(Humans.size(taken)) for its window, and the memory allowed leaves \(Humans.size(windowByteCount)) for that; \
      allow more, or read the output of zstd -dc
      """)
  }

  private static func error(_ result: Int) -> FuseError {
    // SAFETY: names of errors are constants of libzstd that end in a zero byte.
    switch ZSTD_getErrorCode(result) {
    case ZSTD_error_frameParameter_windowTooLarge:
      FuseError(
        .invalidValue,
        """
        the zstd data needs a window of more than \(1 << (windowBits - 20)) MiB; pack it with --long=\(windowBits) or less, \
        or unpack it first by zstd -d --long=31
        """)
    case ZSTD_error_memory_allocation: .outOfMemory("unpack zstd data")
    case ZSTD_error_prefix_unknown:
      FuseError(.invalidValue, "bytes that are not zstd data follow the zstd data; copy or pack the file again")
    case ZSTD_error_dictionary_wrong:
      FuseError(.invalidValue, "the zstd data was packed with a dictionary; unpack it first by zstd -d -D DICTIONARY")
    default:
      FuseError(
        .invalidValue,
        "the zstd data is damaged (\(unsafe String(cString: ZSTD_getErrorName(result)))); copy or pack the file again")
    }
  }
}
