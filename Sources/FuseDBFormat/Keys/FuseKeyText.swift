/// The text of a key that is made when it is asked for, in place: at most 40 ASCII characters. What integers and
/// ``FuseUUID`` are in a file.
public struct FuseKeyText: FuseKeyBytes, Sendable {
  /// The sign and the 39 digits of an integer of 128 bits.
  private static var mostBytes: Int { 40 }

  private var storage = InlineArray<40, UInt8>(repeating: 0)
  private var start = Self.mostBytes

  /// A text without characters.
  init() {}

  /// The decimal digits of an integer, after a minus sign where it is below 0. [W22]
  ///
  /// - Precondition: it has at most 128 bits.
  init(_ integer: some FixedWidthInteger) {
    precondition(integer.bitWidth <= 128, "an integer that is a key has at most 128 bits")
    var rest = UInt128(integer.magnitude)
    // Division of 128 bits is a call.
    while rest > UInt64.max {
      prepend(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    }
    var low = UInt64(truncatingIfNeeded: rest)
    repeat {
      prepend(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: low % 10))
      low /= 10
    } while low > 0
    if integer < 0 { prepend(UInt8(ascii: "-")) }
  }

  /// Puts a character before the others.
  ///
  /// - Precondition: there is room.
  mutating func prepend(_ character: UInt8) {
    start -= 1
    storage[start] = character
  }

  /// The text's bytes, in place.
  public var keyBytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: a UInt8 has no padding that could be read.
      unsafe storage.span.bytes.extracting(droppingFirst: start)
    }
  }
}

extension FuseKeyText: CustomStringConvertible {
  /// The text.
  public var description: String { String(decoding: keyBytes.array(), as: UTF8.self) }
}
