internal import FuseDBFormat

/// Times as text, and as seconds since the beginning of 1970, UTC, without leap seconds; from the year 1 to 9999.
package enum UTCTime {
  /// All seconds of these years.
  static let range: Range<Double> = -62_135_596_800..<253_402_300_800

  /// The seconds that `text` says, or nil where it says no time:
  ///
  /// - a number, which is the seconds themselves: `1795277472`, `1795277472.5`;
  /// - a time by RFC 3339: `2026-11-21T16:11:12Z`, `2026-11-21 17:11:12.25+01:00`;
  /// - a date, which is its first second in UTC: `2026-11-21`.
  package static func seconds(in text: String) -> Double? {
    let bytes = Array(text.utf8)
    var cursor = TimeCursor(bytes)
    // A number beyond every float64 becomes infinite, which is outside the range.
    guard let seconds = cursor.isNumber ? Double(text) : cursor.dateAndTime().map(approximate) else { return nil }
    return range.contains(seconds) ? seconds : nil
  }

  /// The time by RFC 3339 in whole seconds, rounded down: `2026-11-21T16:11:12Z`. What is outside the range becomes its
  /// first or last second.
  package static func text(of seconds: Double) -> String {
    text(ofSecond: Int(max(range.lowerBound, min(range.upperBound - 1, seconds.rounded(.down)))), fraction: "")
  }

  /// The time by RFC 3339: a second of the range, with `fraction` after it.
  static func text(ofSecond second: Int, fraction: String) -> String {
    let (days, second) = second.dividedDown(by: 86_400)
    let date = date(ofDay: days)
    return digits(date.year, 4) + "-" + digits(date.month, 2) + "-" + digits(date.day, 2) + "T"
      + digits(second / 3600, 2) + ":" + digits(second / 60 % 60, 2) + ":" + digits(second % 60, 2) + fraction + "Z"
  }

  private static func approximate(_ second: Int, _ fraction: ArraySlice<UInt8>) -> Double {
    Double(second) + (Double("0." + String(decoding: fraction, as: UTF8.self)) ?? 0)
  }

  private static func digits(_ number: Int, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }

  // Years are counted from March here, so that the leap day is the last of its year, and in eras of 400 years, which
  // have 146,097 days each. Day -719,468 is the first of March of the year 0.

  /// The days from the beginning of 1970 to a date; nil where there is no such date.
  static func day(ofYear year: Int, month: Int, day: Int) -> Int? {
    guard (1...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    guard day <= [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] else { return nil }
    let yearFromMarch = month > 2 ? year : year - 1
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return 365 * yearFromMarch + yearFromMarch / 4 - yearFromMarch / 100 + yearFromMarch / 400 + dayOfYear - 719_468
  }

  private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
    let (era, dayOfEra) = (day + 719_468).dividedDown(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = 400 * era + yearOfEra + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }
}

extension Int {
  /// Quotient and remainder, the remainder never negative.
  fileprivate func dividedDown(by divisor: Int) -> (quotient: Int, remainder: Int) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

/// Goes through text that may be a time; see ``UTCTime``.
struct TimeCursor {
  private var rest: ArraySlice<UInt8>

  init(_ text: [UInt8]) { rest = text[...] }

  /// Whether all the rest is a number as JSON has them, which may also begin with zeros.
  var isNumber: Bool {
    var cursor = self
    _ = cursor.take("-")
    guard !cursor.takeDigits().isEmpty else { return false }
    if cursor.take(".") != nil, cursor.takeDigits().isEmpty { return false }
    if cursor.take("eE") != nil {
      _ = cursor.take("+-")
      if cursor.takeDigits().isEmpty { return false }
    }
    return cursor.rest.isEmpty
  }

  /// Takes a number without an exponent; nil where that is not all, or the whole part is no `Int64`.
  mutating func decimal() -> (whole: Int64, fraction: ArraySlice<UInt8>)? {
    let sign = take("-") == nil ? "" : "-"
    let digits = takeDigits()
    let fraction = take(".") == nil ? [] : takeDigits()
    guard rest.isEmpty else { return nil }
    return Int64(sign + String(decoding: digits, as: UTF8.self)).map { ($0, fraction) }
  }

  /// Takes a date, and the time of day if there is one, with the digits after its point; nil where that is not all, or
  /// no such time. RFC 3339 §5.6
  mutating func dateAndTime() -> (second: Int, fraction: ArraySlice<UInt8>)? {
    guard let year = number(4), take("-") != nil, let month = number(2), take("-") != nil, let dayOfMonth = number(2),
      let day = UTCTime.day(ofYear: year, month: month, day: dayOfMonth)
    else { return nil }
    if rest.isEmpty { return (day * 86_400, []) }
    guard take("Tt ") != nil, let hour = number(2), hour < 24, take(":") != nil, let minute = number(2), minute < 60,
      take(":") != nil, let second = number(2), second <= 60
    else { return nil }
    var fraction: ArraySlice<UInt8> = []
    if take(".") != nil {
      fraction = takeDigits()
      guard !fraction.isEmpty else { return nil }
    }
    guard let offset = offset(), rest.isEmpty else { return nil }
    let whole = day * 86_400 + hour * 3600 + minute * 60 + second - offset
    // A leap second is the last one of a day in UTC, and here the same as the first one of the next.
    guard second < 60 || whole % 86_400 == 0 else { return nil }
    return (whole, fraction)
  }

  /// Takes the offset from UTC, in seconds.
  private mutating func offset() -> Int? {
    if take("Zz") != nil { return 0 }
    guard let sign = take("+-"), let hours = number(2), hours < 24, take(":") != nil, let minutes = number(2),
      minutes < 60
    else { return nil }
    return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
  }

  /// Takes one of these characters.
  private mutating func take(_ characters: StaticString) -> UInt8? {
    // SAFETY: the buffer is that of a static string, and does not leave the closure.
    let isOne = characters.withUTF8Buffer { unsafe rest.first.map($0.contains) ?? false }
    return isOne ? rest.popFirst() : nil
  }

  /// Takes a number of exactly so many digits.
  private mutating func number(_ digitCount: Int) -> Int? {
    let digits = rest.prefix(digitCount)
    guard digits.count == digitCount, digits.allSatisfy(Self.isDigit) else { return nil }
    rest = rest.dropFirst(digitCount)
    return digits.reduce(0) { 10 * $0 + Int($1 - UInt8(ascii: "0")) }
  }

  private mutating func takeDigits() -> ArraySlice<UInt8> {
    let digits = rest.prefix(while: Self.isDigit)
    rest = rest.dropFirst(digits.count)
    return digits
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
