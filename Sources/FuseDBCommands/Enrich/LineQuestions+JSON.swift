internal import FuseDB

extension LineQuestions {
  /// Asks what answers the next line, whose key is a value in JSON: a string, an integer, or bytes as hexadecimal digits.
  @inline(never)
  mutating func ask(value: RawSpan) throws(FuseError) {
    switch value.loadInside(at: 0, as: UInt8.self) {
    case UInt8(ascii: "\""):
      // What is no text is no key that a line of JSON can name.
      guard let key = JSONText.unescaped(value.extracting(1..<value.byteCount - 1)) else { return passAsUnknown() }
      try ask(key.rawSpan)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      var digits = value.array()
      guard digits.allSatisfy({ $0 == UInt8(ascii: "-") || $0 &- UInt8(ascii: "0") < 10 }) else {
        return passWithoutKey()
      }
      if digits == Array("-0".utf8) { digits.removeFirst() }
      try ask(digits.rawSpan)
    case UInt8(ascii: "{"):
      guard let key = Self.binary(value) else { return passWithoutKey() }
      try ask(key.rawSpan)
    default: passWithoutKey()
    }
  }

  /// The bytes that `{"$bin": "hexadecimal digits"}` spells; nil for any other object.
  private static func binary(_ object: RawSpan) -> [UInt8]? {
    guard let packed = try? FuseJSON.messagePack(from: object.text),
      let view = try? FuseView(validating: packed.rawSpan)
    else { return nil }
    return view.bytes?.array()
  }
}
