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

// Moments as text.

extension FuseTimestamp: LosslessStringConvertible {
  /// The moment by RFC 3339, in UTC, with as many digits of the nanoseconds as are not zero at the end:
  /// `2026-11-21T16:11:12.25Z`. Before the year 1 and after 9999, which that standard has not, it is the seconds since
  /// the beginning of 1970 as a number: `-62135596800.5`.
  public var description: String {
    guard UTCTime.range.contains(Double(seconds)) else { return number }
    return UTCTime.text(ofSecond: Int(seconds), fraction: Self.fraction(nanoseconds))
  }

  /// The moment that `text` says, exactly:
  ///
  /// - a time by RFC 3339: `2026-11-21T16:11:12Z`, `2026-11-21 17:11:12.000000001+01:00`;
  /// - a date, which is its first second in UTC: `2026-11-21`;
  /// - a number without an exponent, which is the seconds since the beginning of 1970: `1795277472.5`.
  ///
  /// Nil where it says no time, or one between two nanoseconds.
  public init?(_ text: String) {
    var cursor = TimeCursor(Array(text.utf8))
    if cursor.isNumber {
      guard let (whole, fraction) = cursor.decimal(), let nanoseconds = Self.nanoseconds(fraction) else { return nil }
      // The fraction of a negative number leads away from zero, and nanoseconds count forward.
      if text.utf8.first == UInt8(ascii: "-"), nanoseconds > 0 {
        let (second, isOutside) = whole.subtractingReportingOverflow(1)
        if isOutside { return nil }
        self.init(seconds: second, nanoseconds: 1_000_000_000 - nanoseconds)
      } else {
        self.init(seconds: whole, nanoseconds: nanoseconds)
      }
    } else {
      guard let (second, fraction) = cursor.dateAndTime(), UTCTime.range.contains(Double(second)),
        let nanoseconds = Self.nanoseconds(fraction)
      else { return nil }
      self.init(seconds: Int64(second), nanoseconds: nanoseconds)
    }
  }

  /// The seconds since the beginning of 1970.
  private var number: String {
    guard seconds < 0, nanoseconds > 0 else { return "\(seconds)\(Self.fraction(nanoseconds))" }
    return "-\((seconds + 1).magnitude)\(Self.fraction(1_000_000_000 - nanoseconds))"
  }

  /// A point and the digits up to the last one that is not zero; nothing for zero.
  private static func fraction(_ nanoseconds: UInt32) -> String {
    guard nanoseconds > 0 else { return "" }
    var digits = String(1_000_000_000 + nanoseconds).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "." + digits
  }

  /// What the digits after a point say, or nil where it is no whole number of nanoseconds.
  private static func nanoseconds(_ digits: ArraySlice<UInt8>) -> UInt32? {
    guard digits.dropFirst(9).allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
    let padded = digits.prefix(9) + repeatElement(UInt8(ascii: "0"), count: max(0, 9 - digits.count))
    return padded.reduce(0) { 10 * $0 + UInt32($1 - UInt8(ascii: "0")) }
  }
}

extension FuseTimestamp: Codable {
  /// Encodes the moment as its ``description``; the coder of this library as MessagePack's extension.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if encoder is ValueEncoder { try container.encode(self) } else { try container.encode(description) }
  }

  /// Decodes a moment from text, as ``init(_:)`` takes it; with the coder of this library from MessagePack's extension.
  ///
  /// - Throws: `DecodingError` for anything else.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if decoder is ValueDecoder {
      self = try container.decode(FuseTimestamp.self)
      return
    }
    let text = try container.decode(String.self)
    guard let moment = FuseTimestamp(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text)\" is no time by RFC 3339, such as 2026-11-21T16:11:12Z")
    }
    self = moment
  }
}
