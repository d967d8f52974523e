internal import CBzip2
internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Unpacks streams of bzip2 data. It takes less than 4 MB, whatever a stream says.
@safe
final class Bunzip2: Unpacker {
  /// After `BZh` and a digit, a block begins or the stream ends. Letters alone would not tell it from text.
  static let magic: [UInt8] = Array("BZh".utf8)
  private static let blockMagic: [UInt8] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
  private static let endMagic: [UInt8] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]

  let name = "bzip2"
  // SAFETY: allocated in init, freed in deinit and used by this class alone; the pointers in it are set before each call.
  private let stream: UnsafeMutablePointer<bz_stream>
  /// What libbz2 says of its memory.
  private var status = BZ_OK

  /// Whether `head` begins a stream, which may be cut short.
  static func begins(with head: [UInt8]) -> Bool {
    guard head.count > magic.count + 1, head.starts(with: magic), (0x31...0x39).contains(head[magic.count]) else {
      return false
    }
    let rest = head.dropFirst(magic.count + 1).prefix(blockMagic.count)
    return rest.elementsEqual(blockMagic.prefix(rest.count)) || rest.elementsEqual(endMagic.prefix(rest.count))
  }

  init() {
    // SAFETY: the stream is allocated, and zeros as libbz2 wants it, before libbz2 gets it.
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: bz_stream())
  }

  deinit {
    // SAFETY: this object alone has the stream, and ends here; one that is not set up is refused, not touched.
    unsafe BZ2_bzDecompressEnd(stream)
    unsafe stream.deallocate()
  }

  /// Nothing lies between streams; what begins none is found when it is unpacked.
  func begin(_ packed: [UInt8], _ range: Range<Int>) throws(FuseError) -> Int {
    // SAFETY: the stream is there until deinit; ending it lets go of what it had, and makes it one to be set up.
    unsafe BZ2_bzDecompressEnd(stream)
    unsafe stream.pointee = bz_stream()
    status = unsafe BZ2_bzDecompressInit(stream, 0, 0)
    return range.lowerBound
  }

  func unpack(
    _ packed: [UInt8], _ source: Range<Int>, into bytes: inout [UInt8], _ room: Range<Int>
  ) throws(FuseError) -> UnpackedPiece {
    precondition(source.lowerBound >= 0 && source.upperBound <= packed.count, "the source lies inside the array")
    precondition(room.lowerBound >= 0 && room.upperBound <= bytes.count, "the room lies inside the array")
    guard status == BZ_OK else { throw .outOfMemory("unpack bzip2 data") }
    let roomCount = UInt32(clamping: room.count)
    // SAFETY: libbz2 reads the bytes of `source` and never writes them; it writes at most `roomCount` bytes from the
    // room's start on.
    let result = unsafe packed.withUnsafeBytes { packed in
      unsafe bytes.withUnsafeMutableBytes { bytes in
        let input = unsafe packed.baseAddress!.assumingMemoryBound(to: CChar.self) + source.lowerBound
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input)
        unsafe stream.pointee.avail_in = UInt32(source.count)
        unsafe stream.pointee.next_out = bytes.baseAddress!.assumingMemoryBound(to: CChar.self) + room.lowerBound
        unsafe stream.pointee.avail_out = roomCount
        return unsafe BZ2_bzDecompress(stream)
      }
    }
    switch result {
    case BZ_OK, BZ_STREAM_END: break
    case BZ_MEM_ERROR: throw .outOfMemory("unpack bzip2 data")
    case BZ_DATA_ERROR_MAGIC:
      throw FuseError(.invalidValue, "bytes that are not bzip2 data follow the bzip2 data; copy or pack the file again")
    default: throw FuseError(.invalidValue, "the bzip2 data is damaged; copy or pack the file again")
    }
    return UnpackedPiece(
      usedCount: source.count - Int(unsafe stream.pointee.avail_in),
      byteCount: Int(roomCount - (unsafe stream.pointee.avail_out)), endsPart: result == BZ_STREAM_END)
  }
}
