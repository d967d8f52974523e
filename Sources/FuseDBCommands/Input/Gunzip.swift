internal import CZlib
internal import FuseDB

/// Unpacks gzip data of any number of members, one behind the other.
///
/// zlib's own `gzread` takes everything behind a member that does not begin like one for the end, in silence; here that is an error.
@safe
final class Gunzip {
  /// What every member begins with.
  static let magic: [UInt8] = [0x1F, 0x8B]
  private static let bufferByteCount = 1 << 17

  // SAFETY: allocated in init, freed in deinit and used by this class alone; `next_in` is set before each call.
  private let stream: UnsafeMutablePointer<z_stream>
  private var packed: [UInt8]
  private var start = 0
  private var end: Int
  private var isInsideMember = true

  /// Makes one that has read the data's first bytes already.
  init(_ head: [UInt8]) {
    packed = [UInt8](repeating: 0, count: Self.bufferByteCount)
    packed.replaceSubrange(0..<head.count, with: head)
    end = head.count
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 15 bits of window, and 16 for gzip's own header and checksum.
    let result = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(result == Z_OK, "out of memory for unpacking gzip data")
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Fills `bytes[range]` as far as the data reaches, and returns how far that is. `refill` fills an array with packed bytes in the same way.
  func read(
    into bytes: inout [UInt8], _ range: Range<Int>, refill: (inout [UInt8]) throws(FuseError) -> Int
  ) throws(FuseError) -> Int {
    var place = range.lowerBound
    while place < range.upperBound {
      if start == end {
        start = 0
        end = try refill(&packed)
        if end == 0 {
          guard !isInsideMember else {
            throw FuseError(.invalidValue, "the gzip data ends in its middle; copy or pack the file again")
          }
          break
        }
      }
      if !isInsideMember, try !beginMember() { continue }
      place += try inflate(into: &bytes, place..<range.upperBound)
    }
    return place - range.lowerBound
  }

  /// Begins the next member, or passes over the zeros with which some programs fill up a file.
  private func beginMember() throws(FuseError) -> Bool {
    while start < end, packed[start] == 0 { start += 1 }
    guard start < end else { return false }
    guard packed[start] == Self.magic[0] else {
      throw FuseError(.invalidValue, "bytes that are not gzip data follow the gzip data; copy or pack the file again")
    }
    unsafe inflateReset(stream)
    isInsideMember = true
    return true
  }

  private func inflate(into bytes: inout [UInt8], _ range: Range<Int>) throws(FuseError) -> Int {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the range lies inside the array")
    let room = min(range.count, Int(UInt32.max))
    let (start, end) = (start, end)
    // SAFETY: zlib reads the packed bytes from `start` to `end` and writes at most `room` bytes from the range's start on.
    let result = unsafe packed.withUnsafeMutableBytes { packed in
      unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe stream.pointee.next_in = packed.baseAddress!.assumingMemoryBound(to: UInt8.self) + start
        unsafe stream.pointee.avail_in = UInt32(end - start)
        unsafe stream.pointee.next_out = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + range.lowerBound
        unsafe stream.pointee.avail_out = UInt32(room)
        return unsafe CZlib.inflate(stream, Z_NO_FLUSH)
      }
    }
    self.start = end - Int(unsafe stream.pointee.avail_in)
    switch result {
    case Z_STREAM_END: isInsideMember = false
    case Z_OK, Z_BUF_ERROR: break
    default:
      let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "error \(result)"
      throw FuseError(.invalidValue, "the gzip data is damaged (\(reason)); copy or pack the file again")
    }
    return room - Int(unsafe stream.pointee.avail_out)
  }
}
