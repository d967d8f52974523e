extension [UInt8] {
  /// The bytes that `hex` spells; nil where it spells none.
  init?(hex: some StringProtocol) {
    self = []
    var high: Int?
    for character in hex {
      guard let digit = character.hexDigitValue else { return nil }
      if let first = high {
        append(UInt8(first << 4 | digit))
        high = nil
      } else {
        high = digit
      }
    }
    if high != nil { return nil }
  }

  /// Two lower-case digits for each byte.
  var hex: String {
    let digits = Array<UInt8>("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(2 * count)
    for byte in self {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
