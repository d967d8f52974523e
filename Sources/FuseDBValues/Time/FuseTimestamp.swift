internal import FuseDBFormat

/// A moment as MessagePack has it: the extension of type -1. See spec/values.md §4.
///
///     FuseTimestamp(seconds: 1_795_277_472)   // 2026-11-21T16:11:12Z
public struct FuseTimestamp: Hashable, Sendable {
  /// The type of the extension.
  public static let extensionType: Int8 = -1

  /// Seconds since the beginning of 1970, UTC, without leap seconds.
  public let seconds: Int64
  /// Nanoseconds since the beginning of that second: at most 999,999,999.
  public let nanoseconds: UInt32

  /// - Precondition: `nanoseconds` is less than a second.
  public init(seconds: Int64, nanoseconds: UInt32 = 0) {
    precondition(nanoseconds < 1_000_000_000, "\(nanoseconds) ns are a second or more")
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// The moment that an extension's payload says: 4, 8 or 12 bytes; nil where it says none.
  init?(payload: RawSpan) {
    switch payload.byteCount {
    case 4: self.init(seconds: Int64(payload.loadInside(at: 0, as: UInt32.self)))
    case 8:
      let both = payload.loadInside(at: 0, as: UInt64.self)
      guard both >> 34 < 1_000_000_000 else { return nil }
      self.init(seconds: Int64(both & 0x3_FFFF_FFFF), nanoseconds: UInt32(both >> 34))
    case 12:
      let nanoseconds = payload.loadInside(at: 0, as: UInt32.self)
      guard nanoseconds < 1_000_000_000 else { return nil }
      self.init(seconds: payload.loadInside(at: 4, as: Int64.self), nanoseconds: nanoseconds)
    default: return nil
    }
  }

  /// How many bytes the shortest payload has that says this moment.
  var payloadByteCount: Int {
    seconds >> 34 != 0 ? 12 : nanoseconds != 0 || seconds >> 32 != 0 ? 8 : 4
  }

  /// The shortest payload that says this moment.
  var payload: [UInt8] {
    switch payloadByteCount {
    case 4: UInt32(seconds).bigEndianBytes
    case 8: (UInt64(nanoseconds) << 34 | UInt64(seconds)).bigEndianBytes
    default: nanoseconds.bigEndianBytes + UInt64(bitPattern: seconds).bigEndianBytes
    }
  }
}

extension FuseTimestamp: Comparable {
  /// Whether `left` is the earlier one.
  public static func < (left: FuseTimestamp, right: FuseTimestamp) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }
}

extension FixedWidthInteger {
  fileprivate var bigEndianBytes: [UInt8] {
    stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) }
  }
}
