// Integers as keys: their decimal digits. See spec/values.md §8.
//
// Not UInt8 and Int8: arrays of them are keys by their bytes.

extension FuseKey where Self: FixedWidthInteger {
  /// The decimal digits, after a minus sign where it is below 0: `42`, `-7`. [W22]
  public var keySpelling: FuseKeyText { FuseKeyText(self) }

  /// The integer of which `keyBytes` are the spelling; nil where they are none, such as `007` and `+1`, or it is too
  /// large. [W22]
  public init?(keyBytes: RawSpan) {
    // The sign and the digits of any integer of 128 bits.
    guard keyBytes.byteCount <= 40,
      let integer = Self(String(decoding: keyBytes.array(), as: UTF8.self)),
      FuseKeyText(integer).keyBytes.equals(keyBytes)
    else { return nil }
    self = integer
  }
}

/// By its decimal digits.
extension Int: FuseKey {}
/// By its decimal digits.
extension Int16: FuseKey {}
/// By its decimal digits.
extension Int32: FuseKey {}
/// By its decimal digits.
extension Int64: FuseKey {}
/// By its decimal digits.
extension UInt: FuseKey {}
/// By its decimal digits.
extension UInt16: FuseKey {}
/// By its decimal digits.
extension UInt32: FuseKey {}
/// By its decimal digits.
extension UInt64: FuseKey {}
