// Moments as text.
internal import FuseDBFormat

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
