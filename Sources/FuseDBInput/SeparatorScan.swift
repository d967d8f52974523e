internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Finds separators and line feeds, one after the other.
struct SeparatorScan {
  private let separator: UInt8
  private let end: Int
  /// Where the bytes are that ``matches`` is about.
  private var start: Int
  /// A bit for each offset that was not returned.
  private var matches: UInt64

  /// - Precondition: 64 bytes can be read after the range.
  init(_ bytes: RawSpan, _ range: Range<Int>, separator: UInt8) {
    self.separator = separator
    end = range.upperBound
    start = range.lowerBound
    matches = 0
    match(bytes)
  }

  @inline(__always)
  private mutating func match(_ bytes: RawSpan) {
    matches = bytes.matches(of: separator, or: UInt8(ascii: "\n"), at: start)
    // What follows the end may be left from an earlier block.
    if start > end &- RawSpan.matchByteCount { matches &= (1 as UInt64) << UInt64(end &- start) &- 1 }
  }

  /// The next offset, or the end of the range.
  @inline(__always)
  mutating func next(_ bytes: RawSpan) -> Int {
    while matches == 0 {
      start &+= RawSpan.matchByteCount
      guard start < end else {
        start = end
        return end
      }
      match(bytes)
    }
    let offset = start &+ matches.trailingZeroBitCount
    matches &= matches &- 1
    return offset
  }

  /// Goes on at `offset`.
  mutating func skip(to offset: Int, _ bytes: RawSpan) {
    start = offset
    matches = 0
    if offset < end { match(bytes) }
  }
}
