/// Bytes as hexadecimal digits: the spelling of binary data in JSON.
package enum Hex {
  private static let digits = [UInt8]("0123456789abcdef".utf8)

  /// Appends two lower-case digits.
  package static func append(_ byte: UInt8, to out: inout [UInt8]) {
    out.append(digits[Int(byte >> 4)])
    out.append(digits[Int(byte & 0xF)])
  }

  /// Appends two lower-case digits for each byte.
  package static func append(_ bytes: RawSpan, to out: inout [UInt8]) {
    for i in 0..<bytes.byteCount { append(bytes.loadInside(at: i, as: UInt8.self), to: &out) }
  }

  /// The bytes that `text` spells in digits of either case, or nil where it is no such text.
  package static func bytes(_ text: RawSpan) -> [UInt8]? {
    guard text.byteCount.isMultiple(of: 2) else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(text.byteCount / 2)
    for i in stride(from: 0, to: text.byteCount, by: 2) {
      guard let high = value(text.loadInside(at: i, as: UInt8.self)),
        let low = value(text.loadInside(at: i + 1, as: UInt8.self))
      else { return nil }
      out.append(high << 4 | low)
    }
    return out
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
