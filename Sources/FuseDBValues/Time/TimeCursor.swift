internal import FuseDBFormat

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
