internal import FuseDBFormat

extension MessagePackCursor {
  /// Whether `bytes` are exactly one MessagePack value, of at most as many arrays and maps as may stand inside each
  /// other: so depth need not be counted. Where it says no, ``validate(_:)`` finds out what is true. [V1] [V2]
  @inline(__always)
  static func isPlainValue(_ bytes: RawSpan) -> Bool {
    endOfPlainValue(at: 0, in: bytes, containersLeft: FormatLimits.nesting) == bytes.byteCount
  }

  /// Where the value ends that begins at `start`; nil where it has more than `containersLeft` arrays and maps, holds
  /// something seldom, or no value begins here that ends before the bytes do.
  ///
  /// Three times as fast as going through the heads one by one: no token is made, no depth is kept.
  @inline(__always)
  static func endOfPlainValue(at start: Int, in bytes: RawSpan, containersLeft: Int) -> Int? {
    let count = bytes.byteCount
    var offset = start
    // Values still to come, in whatever depth.
    var pending = 1
    var containersLeft = containersLeft
    while pending > 0 {
      guard offset >= 0, offset < count else { return nil }
      pending &-= 1
      // SAFETY: `offset` was compared with the count; it only grows, by less than 2^33 at a time.
      let first = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self)
      offset &+= 1
      switch first {
      case 0x00...0x7F, 0xE0...0xFF, 0xC0, 0xC2, 0xC3: break
      case 0xA0...0xBF: offset &+= Int(first & 0x1F)
      case 0x80...0x9F:
        pending &+= Int(first & 0x0F) << (first < 0x90 ? 1 : 0)
        containersLeft &-= 1
        guard containersLeft >= 0 else { return nil }
      // Floats, then unsigned and signed integers: 4, 8, 1, 2, 4, 8, 1, 2, 4 or 8 bytes. No branch depends on how wide the
      // numbers happen to be.
      case 0xCA...0xD3: offset &+= Int(0x84_2184_2184 >> UInt64(4 &* (first &- 0xCA)) & 0x0F)
      case 0xC4, 0xD9:
        guard let length = bytes.load(at: offset, as: UInt8.self) else { return nil }
        offset &+= 1 &+ Int(length)
      case 0xC5, 0xDA:
        guard let length = bytes.load(at: offset, as: UInt16.self) else { return nil }
        offset &+= 2 &+ Int(length)
      case 0xC6, 0xDB:
        guard let length = bytes.load(at: offset, as: UInt32.self) else { return nil }
        offset &+= 4 &+ Int(length)
      // Seldom enough for the long way.
      default: return nil
      }
    }
    return offset <= count ? offset : nil
  }

  /// Whether ``validate(_:)`` holds.
  @inline(__always)
  package static func isValue(_ bytes: RawSpan) -> Bool { isPlainValue(bytes) || isValueAfterAll(bytes) }

  @inline(never)
  private static func isValueAfterAll(_ bytes: RawSpan) -> Bool {
    do {
      try validate(bytes)
      return true
    } catch {
      return false
    }
  }
}
