/// A universally unique identifier: 16 bytes whose one spelling as a key is the text of RFC 9562 in lower case.
///
///     let id = FuseUUID("123E4567-E89B-12D3-A456-426614174000")!
///     try writer.add(id, user)                // under "123e4567-e89b-12d3-a456-426614174000"
///     FuseUUID(bytes: uuid.uuid)              // that of Foundation's UUID
///
/// It makes none: it is what Foundation, a generator of yours or another language made.
public struct FuseUUID: Hashable, Sendable, FuseKey {
  /// 16 bytes, as Foundation has them.
  public typealias Bytes = (
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
  )

  /// The first byte is the highest.
  private let bits: UInt128

  private init(bits: UInt128) { self.bits = bits }

  /// Takes the bytes in their order.
  public init(bytes: Bytes) {
    var bits: UInt128 = 0
    func append(_ byte: UInt8) { bits = bits << 8 | UInt128(byte) }
    append(bytes.0)
    append(bytes.1)
    append(bytes.2)
    append(bytes.3)
    append(bytes.4)
    append(bytes.5)
    append(bytes.6)
    append(bytes.7)
    append(bytes.8)
    append(bytes.9)
    append(bytes.10)
    append(bytes.11)
    append(bytes.12)
    append(bytes.13)
    append(bytes.14)
    append(bytes.15)
    self.init(bits: bits)
  }

  /// Takes bytes in their order; nil unless there are 16.
  public init?(bytes: RawSpan) {
    guard bytes.byteCount == 16 else { return nil }
    self.init(bits: bytes.array().reduce(0) { $0 << 8 | UInt128($1) })
  }

  /// Reads 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12 with hyphens between them, in upper or lower case; nil for
  /// any other text.
  public init?(_ text: String) {
    var bits: UInt128 = 0
    let characters = Array(text.utf8)
    guard characters.count == 36 else { return nil }
    for (place, character) in characters.enumerated() {
      if Self.isHyphen(place) {
        guard character == UInt8(ascii: "-") else { return nil }
      } else {
        guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else { return nil }
        bits = bits << 4 | UInt128(digit)
      }
    }
    self.init(bits: bits)
  }

  /// The UUID whose spelling `keyBytes` are; nil where they are none, such as one in upper case. [W23]
  public init?(keyBytes: RawSpan) {
    guard keyBytes.byteCount == 36, let uuid = FuseUUID(String(decoding: keyBytes.array(), as: UTF8.self)),
      uuid.keySpelling.keyBytes.equals(keyBytes)
    else { return nil }
    self = uuid
  }

  /// Whether a hyphen is at this place of the text.
  private static func isHyphen(_ place: Int) -> Bool { place == 8 || place == 13 || place == 18 || place == 23 }

  /// The bytes, from the first to the last.
  public var bytes: [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * $0)) } }

  /// The text in lower case: `123e4567-e89b-12d3-a456-426614174000`. [W23]
  public var keySpelling: FuseKeyText {
    var text = FuseKeyText()
    var rest = bits
    for place in (0..<36).reversed() {
      if Self.isHyphen(place) {
        text.prepend(UInt8(ascii: "-"))
      } else {
        let digit = UInt8(truncatingIfNeeded: rest & 15)
        text.prepend(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        rest >>= 4
      }
    }
    return text
  }
}

extension FuseUUID: LosslessStringConvertible {
  /// The text, which is the key, too.
  public var description: String { keySpelling.description }
}
