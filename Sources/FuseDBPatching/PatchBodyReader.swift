internal import CZstd
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Unpacks the body of a patch, number by number, in memory that does not grow. See spec/patch.md §4.
@safe
final class PatchBodyReader {
  /// How far back a compressed body may refer, as a power of two: 8 MiB. It is what unpacking keeps. [U4]
  static let windowBitCount: Int32 = 23
  private static let bufferByteCount = 1 << 17

  private let patch: FileMapping
  private let place: PatchPlace
  // SAFETY: made in init, freed in deinit and used by this class alone.
  private let context: OpaquePointer
  /// Where the packed bytes go on that were not unpacked yet.
  private var offset: Int
  private var isFrameComplete = false
  private var buffer = [UInt8](repeating: 0, count: bufferByteCount)
  /// What of the buffer was unpacked and not taken yet.
  private var unread = 0..<0
  /// How many bytes were unpacked before the buffer's.
  private var passed = 0

  /// Reads what follows the head of a patch.
  init(of patch: FileMapping, from start: Int = PatchHead.byteCount, at place: PatchPlace) throws(FuseError) {
    // SAFETY: libzstd gives a context or nil, and nil is turned away; nothing else uses the context.
    guard let context = unsafe ZSTD_createDCtx() else {
      throw FuseError(.inputOutput, "memory is too short for unpacking the patch", path: patch.path)
    }
    self.patch = patch
    offset = start
    self.place = place
    unsafe self.context = context
    unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowBitCount)
  }

  // SAFETY: this object alone has the context, and ends here.
  deinit { unsafe ZSTD_freeDCtx(context) }

  /// The error of an operation that makes no sense, where reading is now.
  func bad(_ what: String) -> FuseError {
    place.naming(
      FuseError(
        .corrupted, "\(what), before byte \(passed + unread.lowerBound) of the unpacked patch; make the patch again"))
  }

  /// Takes a number. [U5]
  func number() throws(FuseError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 63, by: 7) {
      if unread.isEmpty { try unpack() }
      let byte = buffer[unread.lowerBound]
      unread = unread.lowerBound + 1..<unread.upperBound
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 {
        guard byte != 0 || shift == 0 else { throw bad("a number is longer than it need be") }
        return value
      }
    }
    throw bad("a number has more than 63 bits")
  }

  /// Takes a number of things, of which there can be `limit` at most.
  func count(upTo limit: Int, of what: String) throws(FuseError) -> Int {
    try count(try number(), upTo: limit, of: what)
  }

  /// The same of a number that was taken already.
  func count(_ number: UInt64, upTo limit: Int, of what: String) throws(FuseError) -> Int {
    guard let count = Int(exactly: number), count <= limit else {
      throw bad("there are \(number) \(what), and \(max(0, limit)) at most are possible")
    }
    return count
  }

  /// Takes an operation and its argument. [U6]
  func operation<Kind: RawRepresentable<UInt64>>(_ kind: Kind.Type) throws(FuseError) -> (Kind, UInt64) {
    let number = try number()
    let bits = number & (1 << PatchOperation.kindBitCount - 1)
    guard let kind = Kind(rawValue: bits) else { throw bad("there is no operation \(bits)") }
    return (kind, number >> PatchOperation.kindBitCount)
  }

  /// Takes bytes and hands them to `body`, in one piece or in several.
  func bytes(_ count: Int, _ body: (RawSpan) throws(FuseError) -> Void) throws(FuseError) {
    var left = count
    while left > 0 {
      if unread.isEmpty { try unpack() }
      let taken = unread.prefix(left)
      let buffer = buffer
      try body(buffer.rawSpan.extracting(taken))
      unread = taken.upperBound..<unread.upperBound
      left -= taken.count
    }
  }

  /// Throws unless all was taken. [U4]
  func finish() throws(FuseError) {
    if unread.isEmpty, !isFrameComplete { try unpackMore() }
    guard unread.isEmpty else { throw bad("the patch goes on after its end") }
    guard isFrameComplete else { throw bad("the patch ends in its middle") }
    guard offset == patch.byteCount else { throw bad("bytes follow the patch") }
  }

  private func unpack() throws(FuseError) {
    if !isFrameComplete { try unpackMore() }
    guard !unread.isEmpty else { throw bad("the patch ends in its middle") }
  }

  /// Fills the buffer anew, as far as the frame goes.
  private func unpackMore() throws(FuseError) {
    passed += unread.upperBound
    unread = 0..<0
    let patch = patch
    let packed = patch.bytes.extracting(droppingFirst: offset)
    var written = 0
    var result = 0
    // SAFETY: the library reads the packed bytes and writes into the buffer, each within its size.
    unsafe packed.withUnsafeBytes { packed in
      unsafe buffer.withUnsafeMutableBytes { buffer in
        var input = unsafe ZSTD_inBuffer(src: packed.baseAddress, size: packed.count, pos: 0)
        var output = unsafe ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        // Until there are bytes, or the frame or the input ends: a call may only read.
        repeat {
          result = unsafe ZSTD_decompressStream(context, &output, &input)
        } while unsafe ZSTD_isError(result) == 0 && result != 0 && output.pos == 0 && input.pos < input.size
        offset += unsafe input.pos
        written = unsafe output.pos
      }
    }
    try patch.checkNotShrunk()
    guard ZSTD_isError(result) == 0 else {
      if ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation {
        throw FuseError.outOfMemory("unpack the patch").at(path: patch.path)
      }
      throw bad("the patch cannot be unpacked: \(unsafe String(cString: ZSTD_getErrorName(result)))")
    }
    isFrameComplete = result == 0
    unread = 0..<written
  }
}
