internal import CLzma
internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Unpacks streams of xz data, and passes over the padding between them.
@safe
final class Unxz: Unpacker {
  /// What a stream begins with.
  static let magic: [UInt8] = [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]
  /// What a decoder takes beside its dictionary.
  private static let overhead: UInt64 = 1 << 20

  let name = "xz"
  // SAFETY: allocated in init, freed in deinit and used by this class alone; the pointers in it are set before each call.
  private let stream: UnsafeMutablePointer<lzma_stream>
  /// How much memory the dictionary may take.
  private let windowByteCount: Int
  /// What liblzma says of its memory.
  private var status = LZMA_OK
  /// How many bytes of the stream are out.
  private var streamByteCount = 0

  /// Whether `head` begins a stream, which may be cut short.
  static func begins(with head: [UInt8]) -> Bool {
    head.count >= 2 && head.prefix(magic.count).elementsEqual(magic.prefix(head.count))
  }

  init(windowByteCount: Int) {
    self.windowByteCount = windowByteCount
    // SAFETY: the stream is allocated, and zeros as liblzma wants it, before liblzma gets it.
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: lzma_stream())
  }

  deinit {
    // SAFETY: this object alone has the stream, and ends here; liblzma takes one that was never set up.
    unsafe lzma_end(stream)
    unsafe stream.deallocate()
  }

  /// Passes over the zeros that may stand between streams. What begins none is found when it is unpacked.
  func begin(_ packed: [UInt8], _ range: Range<Int>) throws(FuseError) -> Int {
    guard let start = packed[range].firstIndex(where: { $0 != 0 }) else { return range.upperBound }
    guard packed[start] == Self.magic[0] else { throw Self.follows }
    // No more is taken than a dictionary that is allowed, whatever a stream says. [S5]
    let limit = UInt64(PackedInput.mostWindowBytes) + Self.overhead
    // SAFETY: the stream is there until deinit; setting it up again lets go of what it had.
    status = unsafe lzma_stream_decoder(stream, limit, fuse_lzma_flags)
    streamByteCount = 0
    return start
  }

  func unpack(
    _ packed: [UInt8], _ source: Range<Int>, into bytes: inout [UInt8], _ room: Range<Int>
  ) throws(FuseError) -> UnpackedPiece {
    precondition(source.lowerBound >= 0 && source.upperBound <= packed.count, "the source lies inside the array")
    precondition(room.lowerBound >= 0 && room.upperBound <= bytes.count, "the room lies inside the array")
    guard status == LZMA_OK else { throw .outOfMemory("unpack xz data") }
    // SAFETY: liblzma reads the bytes of `source` and writes at most as many as `room` has, from its start on.
    let result = unsafe packed.withUnsafeBytes { packed in
      unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe stream.pointee.next_in =
          packed.baseAddress!.assumingMemoryBound(to: UInt8.self) + source.lowerBound
        unsafe stream.pointee.avail_in = source.count
        unsafe stream.pointee.next_out = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + room.lowerBound
        unsafe stream.pointee.avail_out = room.count
        return unsafe lzma_code(stream, LZMA_RUN)
      }
    }
    guard [LZMA_OK, LZMA_STREAM_END, LZMA_BUF_ERROR].contains(result) else { throw error(result) }
    let piece = UnpackedPiece(
      usedCount: source.count - (unsafe stream.pointee.avail_in),
      byteCount: room.count - (unsafe stream.pointee.avail_out), endsPart: result == LZMA_STREAM_END)
    streamByteCount += piece.byteCount
    try checkWindow()
    return piece
  }

  /// Throws when the dictionary takes more memory than there is for it. A stream may claim a large one and hold little:
  /// memory is taken only as it is filled.
  private func checkWindow() throws(FuseError) {
    guard streamByteCount > windowByteCount else { return }
    // SAFETY: the stream is there until deinit, and is only measured.
    let taken = unsafe lzma_memusage(stream)
    guard taken > UInt64(windowByteCount) + Self.overhead else { return }
    throw FuseError(
      .limitExceeded,
      """
      unpacking the xz data takes \(Humans.size(Int(clamping: taken))) for its dictionary, and the memory allowed leaves \
      \(Humans.size(windowByteCount)) for that; allow more, or read the output of xz -dc
      """)
  }

  private static var follows: FuseError {
    FuseError(.invalidValue, "bytes that are not xz data follow the xz data; copy or pack the file again")
  }

  private func error(_ result: lzma_ret) -> FuseError {
    switch result {
    case LZMA_MEM_ERROR: .outOfMemory("unpack xz data")
    case LZMA_MEMLIMIT_ERROR:
      FuseError(
        .invalidValue,
        """
        the xz data needs a dictionary of more than \(PackedInput.mostWindowBytes >> 20) MiB; pack it with \
        --lzma2=preset=9 or less, or unpack it first by xz -d
        """)
    case LZMA_FORMAT_ERROR: Self.follows
    case LZMA_OPTIONS_ERROR, LZMA_UNSUPPORTED_CHECK:
      FuseError(
        .invalidValue, "the xz data uses something that liblzma does not know; unpack it first by a newer xz -d")
    default: FuseError(.invalidValue, "the xz data is damaged; copy or pack the file again")
    }
  }
}
