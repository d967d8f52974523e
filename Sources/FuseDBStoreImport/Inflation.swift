internal import CZlib
internal import CZstd
internal import FuseDBFormat
internal import FuseDBSystem

/// Unpacks one object of a container, a piece at a time: a stream of zlib, or frames of zstd, as its first bytes say. What a row of the index
/// says of the length is a bound, so that a few bytes can't become a full disk.
@safe
final class Inflation {
  private enum Kind {
    case zlib
    case zstd
  }

  private var packed: FilePieces
  private let byteCount: Int
  private var kind: Kind?
  private var source: [UInt8] = []
  private var used = 0
  private var done = 0
  private var hasEnded = false
  private var wasFilled = false
  // SAFETY: made when the kind is known, freed in deinit and used by this object alone; of both there is one at most.
  private var stream: UnsafeMutablePointer<z_stream>?
  private var context: OpaquePointer?

  /// What a frame of zstd begins with.
  private static let zstdMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
  /// The largest window that is unpacked: 8 MiB, which every level of rsdos stays below.
  private static let mostWindowLog: Int32 = 23

  /// - Parameter byteCount: how many bytes are to come out.
  init(_ packed: FilePieces, byteCount: Int) {
    self.packed = packed
    self.byteCount = byteCount
  }

  deinit {
    // SAFETY: this object alone has them, and ends here; nil is nothing to free.
    if let stream = unsafe stream {
      unsafe inflateEnd(stream)
      unsafe stream.deallocate()
    }
    unsafe _ = ZSTD_freeDCtx(context)
  }

  /// The next piece; nil at the end.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where the data is damaged, or has another length.
  func next() throws(FuseError) -> [UInt8]? {
    while !hasEnded {
      // Where the last piece was filled, more may wait in the library.
      if used == source.count, !wasFilled {
        guard let piece = try packed.next() else {
          // rsdos 0.1.1 leaves the end of zstd's frames away, and all of an empty one. The digest says whether all of it is there.
          if kind != .zlib, done == byteCount { break }
          throw FuseError(.corrupted, "the packed data ends in the middle, after \(counted(done, "byte"))")
        }
        source = piece
        used = 0
        if kind == nil { try begin() }
      }
      let room = min(FilePieces.pieceByteCount, byteCount - done + 1)
      var piece = [UInt8](repeating: 0, count: room)
      let count = try kind == .zlib ? inflate(into: &piece) : unpackFrames(into: &piece)
      piece.removeLast(room - count)
      wasFilled = count == room
      done += count
      guard done <= byteCount else {
        throw FuseError(.corrupted, "more than \(counted(byteCount, "byte")) come out, which the index says it has")
      }
      if !piece.isEmpty { return piece }
    }
    guard done == byteCount else {
      throw FuseError(.corrupted, "\(counted(done, "byte")) come out, and the index says \(byteCount)")
    }
    return nil
  }

  private func begin() throws(FuseError) {
    if source.starts(with: Self.zstdMagic) {
      // SAFETY: libzstd gives a context or nil.
      unsafe context = ZSTD_createDCtx()
      guard let context = unsafe context else { throw .outOfMemory("unpack zstd data") }
      unsafe _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.mostWindowLog)
      return kind = .zstd
    }
    let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    // SAFETY: zlib gets zeros, as it wants them; deinit frees what it makes.
    unsafe made.initialize(to: z_stream())
    unsafe stream = made
    guard unsafe inflateInit_(made, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw .outOfMemory("unpack zlib data")
    }
    kind = .zlib
  }

  private func inflate(into piece: inout [UInt8]) throws(FuseError) -> Int {
    guard let stream = unsafe stream else { return 0 }
    let (start, room) = (used, piece.count)
    // SAFETY: zlib reads what is left of the source, and never writes it; it writes at most as many bytes as the piece has.
    let result = unsafe source.withUnsafeBytes { source in
      unsafe piece.withUnsafeMutableBytes { piece in
        let input = unsafe source.baseAddress!.assumingMemoryBound(to: UInt8.self) + start
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input)
        unsafe stream.pointee.avail_in = UInt32(source.count - start)
        unsafe stream.pointee.next_out = piece.baseAddress!.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(room)
        return unsafe CZlib.inflate(stream, Z_NO_FLUSH)
      }
    }
    guard [Z_STREAM_END, Z_OK, Z_BUF_ERROR].contains(result) else {
      let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "error \(result)"
      throw FuseError(.corrupted, "the zlib data is damaged (\(reason))")
    }
    used = source.count - Int(unsafe stream.pointee.avail_in)
    hasEnded = result == Z_STREAM_END
    if hasEnded { try checkEnd("zlib") }
    return room - Int(unsafe stream.pointee.avail_out)
  }

  private func unpackFrames(into piece: inout [UInt8]) throws(FuseError) -> Int {
    guard let context = unsafe context else { return 0 }
    let (start, room) = (used, piece.count)
    var (usedCount, count) = (0, 0)
    // SAFETY: libzstd reads what is left of the source, and writes at most as many bytes as the piece has.
    let result = unsafe source.withUnsafeBytes { source in
      unsafe piece.withUnsafeMutableBytes { piece in
        var input = unsafe ZSTD_inBuffer(src: source.baseAddress! + start, size: source.count - start, pos: 0)
        var output = unsafe ZSTD_outBuffer(dst: piece.baseAddress!, size: room, pos: 0)
        defer { (usedCount, count) = unsafe (input.pos, output.pos) }
        return unsafe ZSTD_decompressStream(context, &output, &input)
      }
    }
    guard ZSTD_isError(result) == 0 else {
      // SAFETY: names of errors are constants of libzstd that end in a zero byte.
      throw FuseError(.corrupted, "the zstd data is damaged (\(unsafe String(cString: ZSTD_getErrorName(result))))")
    }
    used = start + usedCount
    if result == 0 {
      hasEnded = true
      try checkEnd("zstd")
    }
    return count
  }

  /// Throws where something follows what was unpacked.
  private func checkEnd(_ name: String) throws(FuseError) {
    guard used == source.count, try packed.next() == nil else {
      throw FuseError(.corrupted, "something follows the \(name) data")
    }
  }
}
