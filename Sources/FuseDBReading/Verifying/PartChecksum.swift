internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// The checksum of a part of the file, taken while a walk over its records or entries still has their bytes in the
/// processor's cache: so memory is read once.
struct PartChecksum {
  /// How far the walk goes before its bytes are summed up: they fit into a first-level cache beside what else is used.
  static let stepByteCount = 16 << 10
  /// From this size of an object on, its own checksum is appended to the part's instead of reading it a second time:
  /// appending takes as long as reading 4,000 bytes from the cache, but larger objects may have left it.
  static let bytesForAppending = 16 << 10

  private var checksum = Checksum()
  private var end: Int

  init(from start: Int) { end = start }

  /// Says that the walk has come to `offset`.
  @inline(__always)
  mutating func advance(to offset: Int, in file: RawSpan) {
    if offset &- end >= Self.stepByteCount { finish(at: offset, in: file) }
  }

  /// Says that the walk has come to the end of a large object, of which the checksum is known.
  mutating func advance(over object: Range<Int>, checksum known: UInt32, in file: RawSpan) {
    finish(at: object.lowerBound, in: file)
    checksum.append(known, byteCount: object.count)
    end = object.upperBound
  }

  /// The checksum of all bytes up to `offset`.
  @discardableResult
  @inline(never)
  mutating func finish(at offset: Int, in file: RawSpan) -> UInt32 {
    checksum.update(file.extracting(end..<offset))
    end = offset
    return checksum.value
  }
}
