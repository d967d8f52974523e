internal import FuseDBFormat

/// The search for a name among the keys of a map.
///
/// A name of up to 31 bytes mostly stands after one byte that says its length. So eight bytes from the beginning of a key
/// tell nearly every key from the name, by one comparison.
struct NameSearch: ~Escapable {
  /// The most bytes that a name has after one byte.
  private static let mostShortBytes = 31

  private let name: RawSpan
  /// The eight bytes that a key of this name begins with, the first one lowest; and which of their bits belong to it.
  private let word: UInt64
  private let mask: UInt64

  @inline(__always)
  @_lifetime(copy name)
  init(_ name: RawSpan) {
    self.name = name
    let count = name.byteCount
    // The first byte of a longer name's key is another one than this, so it never matches.
    word = name.firstSevenBytes << 8 | UInt64(0xA0 | min(count, Self.mostShortBytes))
    mask = count >= 7 ? ~0 : ~(~0 << UInt64(8 * (count + 1)))
  }

  /// Where the value stands that comes last under the name among `count` pairs of validated bytes from `offset` on; -1 where
  /// none does.
  @inline(__always)
  func lastOffset(among count: Int, from offset: Int, in bytes: RawSpan) -> Int {
    var offset = offset
    var found = -1
    var left = count
    while left > 0, offset < bytes.byteCount {
      let isName: Bool
      if let key = bytes.load(at: offset, as: UInt64.self)?.byteSwapped, key & 0xE0 == 0xA0 {
        let end = offset &+ 1 &+ Int(key & 0x1F)
        isName = (key ^ word) & mask == 0 && (name.byteCount <= 7 || isRest(from: offset &+ 8, to: end, in: bytes))
        offset = end
      } else {
        isName = isLongName(at: offset, in: bytes)
        offset = MessagePackHead.end(ofValueAt: offset, in: bytes)
      }
      if isName { found = offset }
      left &-= 1
      // The end of the last value is not needed.
      guard left > 0 else { break }
      offset = MessagePackHead.end(ofValueAt: offset, in: bytes)
    }
    return found
  }

  /// Whether a key of the name's length, which begins like the name, also ends like it.
  @inline(__always)
  private func isRest(from start: Int, to end: Int, in bytes: RawSpan) -> Bool {
    guard end <= bytes.byteCount, name.byteCount <= Self.mostShortBytes else { return false }
    return bytes.extracting(start..<end).equals(name.extracting(droppingFirst: 7))
  }

  /// Whether any key is the name: one that is long, written as long ones are, or stands at the end of the bytes.
  @inline(never)
  private func isLongName(at offset: Int, in bytes: RawSpan) -> Bool {
    let key = MessagePackHead(at: offset, in: bytes)
    guard key.kind == .string, key.count == name.byteCount, key.count <= bytes.byteCount &- key.end else {
      return false
    }
    return bytes.extracting(key.end..<key.end &+ key.count).equals(name)
  }
}
