internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

extension FuseInput {
  /// What the cells of a column hold. See spec/json.md, "CSV and TSV".
  public enum FieldType: String, Sendable, CaseIterable {
    /// Text.
    case string
    /// Decimal integers from -2^63 to 2^64 - 1.
    case int
    /// Decimal numbers, as float64; also `nan`, `inf` and `-inf`.
    case float
    /// `true` and `false`, also with one or all letters large.
    case bool
    /// JSON.
    case json
  }
}

extension FuseInput.FieldType {
  /// What a cell of this type has to be, to stand after "is not".
  var rule: String {
    switch self {
    case .string: "text"
    case .int: "a decimal integer from -2^63 to 2^64 - 1"
    case .float: "a decimal number within the range of a float64, nan or inf"
    case .bool: "true or false"
    case .json: "JSON"
    }
  }

  /// Packs the value that `cell` spells, and returns false when it spells none. JSON is not a matter of the cell's text
  /// alone: ``RecordSink`` parses it.
  func pack(_ cell: RawSpan, to packer: MessagePackPacker) -> Bool {
    switch self {
    case .string: packer.pack(string: cell)
    case .int:
      guard let value = DecimalText.integer(DecimalText.withoutPlus(cell)) else { return false }
      switch value {
      case .signed(let value): packer.pack(value)
      case .unsigned(let value): packer.pack(value)
      }
    case .float:
      guard let value = DecimalText.float(cell) else { return false }
      packer.pack(float64: value.bitPattern)
    case .bool:
      guard let value = Self.bool(cell) else { return false }
      packer.pack(value)
    case .json: preconditionFailure("JSON is parsed where the cell stands")
    }
    return true
  }

  private static func bool(_ cell: RawSpan) -> Bool? {
    guard cell.byteCount <= 5 else { return nil }
    switch cell.text {
    case "true", "True", "TRUE": return true
    case "false", "False", "FALSE": return false
    default: return nil
    }
  }
}

/// Numbers as cells of text.
enum DecimalText {
  /// An integer of the two ranges that MessagePack has.
  enum Integer: Equatable {
    case signed(Int64)
    case unsigned(UInt64)
  }

  /// The integer that `cell` spells in decimal digits, with or without a minus before them.
  static func integer(_ cell: RawSpan) -> Integer? {
    let digits = Span<UInt8>(_bytes: cell)
    let isNegative = !digits.isEmpty && digits[0] == UInt8(ascii: "-")
    let first = isNegative ? 1 : 0
    guard first < digits.count else { return nil }
    var value: UInt64 = 0
    for i in first..<digits.count {
      guard isDigit(digits[i]) else { return nil }
      let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = tens.addingReportingOverflow(UInt64(digits[i] - UInt8(ascii: "0")))
      guard !overflows, !carries else { return nil }
      value = sum
    }
    guard isNegative else { return .unsigned(value) }
    guard value <= UInt64(Int64.max) + 1 else { return nil }
    return .signed(Int64(truncatingIfNeeded: 0 &- value))
  }

  /// A number without a plus before its digits.
  @_lifetime(copy cell)
  static func withoutPlus(_ cell: RawSpan) -> RawSpan {
    let text = Span<UInt8>(_bytes: cell)
    guard text.count > 1, text[0] == UInt8(ascii: "+"), isDigit(text[1]) else { return cell }
    return cell.extracting(droppingFirst: 1)
  }

  /// The float64 that `cell` spells: the finite one nearest to a decimal number, not a number, or an infinity. [T7]
  static func float(_ cell: RawSpan) -> Double? {
    guard isNumber(Span<UInt8>(_bytes: cell)) else { return special(cell) }
    guard let value = Double(cell.text), value.isFinite else { return nil }
    return value
  }

  private static func special(_ cell: RawSpan) -> Double? {
    guard cell.byteCount <= 9 else { return nil }
    switch cell.text.lowercased() {
    case "nan": return Double(bitPattern: 0x7FF8_0000_0000_0000)
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    default: return nil
    }
  }

  /// Whether `text` is decimal digits, with or without a sign, a point and an exponent.
  private static func isNumber(_ text: Span<UInt8>) -> Bool {
    var offset = 0
    func at(_ byte: UInt8, _ text: Span<UInt8>) -> Bool { offset < text.count && text[offset] == byte }
    func skipDigits(_ text: Span<UInt8>) -> Int {
      let start = offset
      while offset < text.count, isDigit(text[offset]) { offset += 1 }
      return offset - start
    }
    if at(UInt8(ascii: "-"), text) || at(UInt8(ascii: "+"), text) { offset += 1 }
    var digits = skipDigits(text)
    if at(UInt8(ascii: "."), text) {
      offset += 1
      digits += skipDigits(text)
    }
    guard digits > 0 else { return false }
    if at(UInt8(ascii: "e"), text) || at(UInt8(ascii: "E"), text) {
      offset += 1
      if at(UInt8(ascii: "+"), text) || at(UInt8(ascii: "-"), text) { offset += 1 }
      guard skipDigits(text) > 0 else { return false }
    }
    return offset == text.count
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
