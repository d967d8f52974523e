extension MessagePackCursor {
  /// Whether `bytes` are exactly one MessagePack value, of at most as many arrays and maps as may stand inside each
  /// other: so nobody has to count how deep they do. Where it says no, ``validate(_:)`` finds out what is true. [V1] [V2]
  ///
  /// Three times as fast as going through the heads one by one: no token is made, no depth is kept.
  @inline(__always)
  static func isPlainValue(_ bytes: RawSpan) -> Bool {
    var offset = 0
    // Values still to come, in whatever depth.
    var pending = 1
    var containersLeft = FormatLimits.nesting
    while pending > 0 {
      guard let first = bytes.load(at: offset, as: UInt8.self) else { return false }
      pending &-= 1
      switch first {
      case 0x00...0x7F, 0xE0...0xFF, 0xC0, 0xC2, 0xC3: offset &+= 1
      case 0xA0...0xBF: offset &+= 1 &+ Int(first & 0x1F)
      case 0x80...0x9F:
        offset &+= 1
        pending &+= Int(first & 0x0F) << (first < 0x90 ? 1 : 0)
        containersLeft &-= 1
      case 0xCC, 0xD0: offset &+= 2
      case 0xCD, 0xD1: offset &+= 3
      case 0xCA, 0xCE, 0xD2: offset &+= 5
      case 0xCB, 0xCF, 0xD3: offset &+= 9
      case 0xC4, 0xD9:
        guard let length = bytes.load(at: offset &+ 1, as: UInt8.self) else { return false }
        offset &+= 2 &+ Int(length)
      case 0xC5, 0xDA:
        guard let length = bytes.load(at: offset &+ 1, as: UInt16.self) else { return false }
        offset &+= 3 &+ Int(length)
      case 0xC6, 0xDB:
        guard let length = bytes.load(at: offset &+ 1, as: UInt32.self) else { return false }
        offset &+= 5 &+ Int(length)
      // Seldom enough for the long way.
      default: return false
      }
      guard containersLeft >= 0 else { return false }
    }
    return offset == bytes.byteCount
  }

  /// Whether ``validate(_:)`` holds.
  @inline(never)
  static func isValue(_ bytes: RawSpan) -> Bool {
    do {
      try validate(bytes)
      return true
    } catch {
      return false
    }
  }
}
