internal import CZstd
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Packs the body of a patch: numbers and bytes, compressed as one frame of Zstandard after what the file has already.
/// See spec/patch.md §4.
@safe
final class PatchBodyWriter {
  private static let bufferByteCount = 1 << 17
  /// The highest of them, 22, makes large bodies a fourteenth smaller in ten times the time.
  private static let level: Int32 = 9

  private let file: AtomicFile
  // SAFETY: made in init, freed in deinit and used by this class alone.
  private let context: OpaquePointer
  private var buffer: [UInt8] = []
  private var packed = [UInt8](repeating: 0, count: bufferByteCount)

  init(appendingTo file: AtomicFile) throws(FuseError) {
    // SAFETY: libzstd gives a context or nil, and nil is turned away; nothing else uses the context.
    guard let context = unsafe ZSTD_createCCtx() else {
      throw FuseError(.inputOutput, "memory is too short for compressing the patch", path: file.path)
    }
    self.file = file
    unsafe self.context = context
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.level)
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, PatchBodyReader.windowBitCount)
    buffer.reserveCapacity(Self.bufferByteCount)
  }

  // SAFETY: this object alone has the context, and ends here.
  deinit { unsafe ZSTD_freeCCtx(context) }

  /// Appends a number: seven bits a byte, the lowest first; a byte's top bit says that more follow. [U5]
  func write(_ number: UInt64) throws(FuseError) {
    var rest = number
    while rest >= 0x80 {
      buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    buffer.append(UInt8(rest))
    if buffer.count >= Self.bufferByteCount { try pack(ZSTD_e_continue) }
  }

  /// Appends a number of things.
  func write(_ count: Int) throws(FuseError) { try write(UInt64(count)) }

  /// Appends an operation.
  func write<Kind: RawRepresentable<UInt64>>(_ kind: Kind, _ argument: UInt64) throws(FuseError) {
    try write(argument << PatchOperation.kindBitCount | kind.rawValue)
  }

  /// Appends bytes as they are.
  func write(_ bytes: RawSpan) throws(FuseError) {
    var done = 0
    while done < bytes.byteCount {
      let part = bytes.extracting(done..<min(bytes.byteCount, done + Self.bufferByteCount))
      // SAFETY: the array copies the span's bytes before the pointer ends.
      unsafe part.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
      done += part.byteCount
      if buffer.count >= Self.bufferByteCount { try pack(ZSTD_e_continue) }
    }
  }

  /// Ends the frame.
  func finish() throws(FuseError) { try pack(ZSTD_e_end) }

  private func pack(_ directive: ZSTD_EndDirective) throws(FuseError) {
    var done = 0
    var left = 1
    while directive == ZSTD_e_end ? left != 0 : done < buffer.count {
      var written = 0
      // SAFETY: the library reads the buffer from `done` on and writes into `packed`, each within its size.
      unsafe buffer.withUnsafeBytes { buffer in
        unsafe packed.withUnsafeMutableBytes { packed in
          var input = unsafe ZSTD_inBuffer(src: buffer.baseAddress, size: buffer.count, pos: done)
          var output = unsafe ZSTD_outBuffer(dst: packed.baseAddress, size: packed.count, pos: 0)
          left = unsafe ZSTD_compressStream2(context, &output, &input, directive)
          done = unsafe input.pos
          written = unsafe output.pos
        }
      }
      guard ZSTD_isError(left) == 0 else {
        throw FuseError(
          .inputOutput, "cannot compress the patch: \(unsafe String(cString: ZSTD_getErrorName(left)))",
          path: file.path)
      }
      let full = packed
      try file.write(full.rawSpan.extracting(first: written))
    }
    buffer.removeAll(keepingCapacity: true)
  }
}
