internal import CZlib
internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Unpacks members of gzip data.
///
/// zlib's own `gzread` takes everything after a member that does not begin like one for the end, in silence; here that
/// is an error.
@safe
final class Gunzip: Unpacker {
  /// What every member begins with.
  static let magic: [UInt8] = [0x1F, 0x8B]

  let name = "gzip"
  // SAFETY: allocated in init, freed in deinit and used by this class alone; `next_in` and `next_out` are set before
  // each call.
  private let stream: UnsafeMutablePointer<z_stream>
  /// What zlib says of its memory.
  private let status: Int32

  init() {
    // SAFETY: the stream is allocated, and zeros as zlib wants it, before zlib gets it.
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 15 bits of window, and 16 for gzip's own header and checksum.
    status = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
  }

  deinit {
    // SAFETY: this object alone has the stream, and ends here; a stream that zlib never set up is refused, not touched.
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Passes over the zeros with which some programs fill up a file.
  func begin(_ packed: [UInt8], _ range: Range<Int>) throws(FuseError) -> Int {
    guard let start = packed[range].firstIndex(where: { $0 != 0 }) else { return range.upperBound }
    guard packed[start] == Self.magic[0] else {
      throw FuseError(.invalidValue, "bytes that are not gzip data follow the gzip data; copy or pack the file again")
    }
    // SAFETY: the stream is there until deinit; one that zlib never set up is refused, not touched.
    unsafe inflateReset(stream)
    return start
  }

  func unpack(
    _ packed: [UInt8], _ source: Range<Int>, into bytes: inout [UInt8], _ room: Range<Int>
  ) throws(FuseError) -> UnpackedPiece {
    precondition(source.lowerBound >= 0 && source.upperBound <= packed.count, "the source lies inside the array")
    precondition(room.lowerBound >= 0 && room.upperBound <= bytes.count, "the room lies inside the array")
    guard status == Z_OK else { throw .outOfMemory("unpack gzip data") }
    let roomCount = UInt32(clamping: room.count)
    // SAFETY: zlib reads the bytes of `source` and never writes them; it writes at most `roomCount` bytes from the
    // room's start on.
    let result = unsafe packed.withUnsafeBytes { packed in
      unsafe bytes.withUnsafeMutableBytes { bytes in
        let input = unsafe packed.baseAddress!.assumingMemoryBound(to: UInt8.self) + source.lowerBound
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input)
        unsafe stream.pointee.avail_in = UInt32(source.count)
        unsafe stream.pointee.next_out = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + room.lowerBound
        unsafe stream.pointee.avail_out = roomCount
        return unsafe inflate(stream, Z_NO_FLUSH)
      }
    }
    if result == Z_MEM_ERROR { throw .outOfMemory("unpack gzip data") }
    guard [Z_STREAM_END, Z_OK, Z_BUF_ERROR].contains(result) else {
      let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "error \(result)"
      throw FuseError(.invalidValue, "the gzip data is damaged (\(reason)); copy or pack the file again")
    }
    let unusedCount = Int(unsafe stream.pointee.avail_in)
    let unfilledCount = unsafe stream.pointee.avail_out
    return UnpackedPiece(
      usedCount: source.count - unusedCount, byteCount: Int(roomCount - unfilledCount), endsPart: result == Z_STREAM_END
    )
  }
}
