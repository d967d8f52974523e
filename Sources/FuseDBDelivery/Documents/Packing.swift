internal import CZstd
internal import FuseDBFormat
internal import FuseDBSystem

/// Whole files as they are transferred: one frame of Zstandard. See spec/delivery.md §5.
enum Packing {
  /// How far back a frame may refer, as a power of two: 8 MiB.
  private static let windowBitCount: Int32 = 23
  private static let level: Int32 = 6
  private static let bufferByteCount = 1 << 20

  /// Packs a file, and hands out the frame in pieces.
  static func pack(
    _ file: FileMapping, progress: (_ byteCount: Int) -> Void, to body: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    // SAFETY: libzstd gives a context or nil, and nil is turned away; it is freed when this function ends.
    guard let context = unsafe ZSTD_createCCtx() else { throw FuseError.outOfMemory("pack the file") }
    defer { unsafe ZSTD_freeCCtx(context) }
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowBitCount)
    unsafe ZSTD_CCtx_setPledgedSrcSize(context, UInt64(file.byteCount))
    var packed = [UInt8](repeating: 0, count: bufferByteCount)
    var offset = 0
    var left = 1
    while left != 0 {
      try Cancellation.check()
      let part = file.bytes.extracting(offset..<min(file.byteCount, offset + bufferByteCount))
      let isLast = offset + part.byteCount == file.byteCount
      var (taken, written) = (0, 0)
      // SAFETY: the library reads the part and writes into `packed`, each within its size.
      unsafe part.withUnsafeBytes { part in
        unsafe packed.withUnsafeMutableBytes { packed in
          var input = unsafe ZSTD_inBuffer(src: part.baseAddress, size: part.count, pos: 0)
          var output = unsafe ZSTD_outBuffer(dst: packed.baseAddress, size: packed.count, pos: 0)
          left = unsafe ZSTD_compressStream2(context, &output, &input, isLast ? ZSTD_e_end : ZSTD_e_continue)
          taken = unsafe input.pos
          written = unsafe output.pos
        }
      }
      guard ZSTD_isError(left) == 0 else {
        throw FuseError(
          .inputOutput, "cannot pack the file: \(unsafe String(cString: ZSTD_getErrorName(left)))", path: file.path)
      }
      offset += taken
      if !isLast || offset < file.byteCount { left = max(left, 1) }
      let full = packed
      try body(full.rawSpan.extracting(first: written))
      progress(offset)
    }
    try file.checkNotShrunk()
  }

  private static func bad(_ path: String, _ what: String) -> FuseError {
    FuseError(.corrupted, "\(what); publish the file again", path: path)
  }

  /// Unpacks a frame, and hands out the file in pieces.
  ///
  /// - Parameter byteCount: how long the file has to be: no more is handed out. [Z17]
  static func unpack(
    _ file: FileMapping, byteCount: Int, path: String, to body: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    // SAFETY: libzstd gives a context or nil, and nil is turned away; it is freed when this function ends.
    guard let context = unsafe ZSTD_createDCtx() else { throw FuseError.outOfMemory("unpack the file") }
    defer { unsafe ZSTD_freeDCtx(context) }
    unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowBitCount)
    var unpacked = [UInt8](repeating: 0, count: bufferByteCount)
    var (offset, left) = (0, byteCount)
    var result = 1
    while result != 0 {
      try Cancellation.check()
      let rest = file.bytes.extracting(droppingFirst: offset)
      var (taken, written) = (0, 0)
      // SAFETY: the library reads what is left of the frame and writes into `unpacked`, each within its size.
      unsafe rest.withUnsafeBytes { rest in
        unsafe unpacked.withUnsafeMutableBytes { unpacked in
          var input = unsafe ZSTD_inBuffer(src: rest.baseAddress, size: rest.count, pos: 0)
          var output = unsafe ZSTD_outBuffer(dst: unpacked.baseAddress, size: unpacked.count, pos: 0)
          result = unsafe ZSTD_decompressStream(context, &output, &input)
          taken = unsafe input.pos
          written = unsafe output.pos
        }
      }
      try file.checkNotShrunk()
      guard ZSTD_isError(result) == 0 else {
        if ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation { throw FuseError.outOfMemory("unpack the file") }
        throw bad(path, "the packed file cannot be unpacked: \(unsafe String(cString: ZSTD_getErrorName(result)))")
      }
      guard written <= left else {
        throw bad(path, "the packed file holds more than \(counted(byteCount, "byte")), which its manifest says")
      }
      guard result == 0 || taken > 0 || written > 0 else { throw bad(path, "the packed file ends in its middle") }
      offset += taken
      left -= written
      let full = unpacked
      try body(full.rawSpan.extracting(first: written))
    }
    guard left == 0 else {
      throw bad(path, "the packed file holds \(counted(byteCount - left, "byte")), and its manifest says \(byteCount)")
    }
    guard offset == file.byteCount else { throw bad(path, "bytes follow the packed file") }
  }
}
