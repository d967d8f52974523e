/// What a key is to a file of networks. See spec/network.md §2 and spec/normalise.md.
package enum NetworkKey {
  /// A block or an address, in its one spelling or in another.
  case block(NetworkSpelling)
  /// A text that looks like one and is none; what is wrong with it.
  case broken(String)
  /// Something else.
  case other

  package init(_ text: RawSpan) {
    if let spelling = NetworkSpelling(text) {
      self = .block(spelling)
      return
    }
    guard let family = Self.looks(text) else {
      self = .other
      return
    }
    // Zeros before a number are no octal numbers here. [F6]
    let plain = Self.withoutZeros(text)
    if let spelling = NetworkSpelling(plain.rawSpan) {
      self = .block(spelling.inAnotherSpelling)
    } else {
      self = .broken(
        family == .ipv4
          ? "an IPv4 address is four numbers from 0 to 255, and its prefix has 0 to 32 bits, as in 10.0.0.0/8"
          : "an IPv6 address is eight groups of up to four hexadecimal digits, or fewer around one '::', and its prefix has 0 to 128 bits, as in 2001:db8::/32"
      )
    }
  }

  /// The family that a text looks like: digits and points with a slash and digits after them, or four numbers; hexadecimal digits with `::`
  /// among them or seven colons, with such an end or none. [F5]
  private static func looks(_ text: RawSpan) -> FuseAddress.Family? {
    let bytes = Span<UInt8>(_bytes: text)
    // The longest are eight groups, with zeros before them.
    guard bytes.count <= 128 else { return nil }
    var pointCount = 0
    var colonCount = 0
    var hasGap = false
    var hasLetters = false
    var slash: Int?
    for offset in bytes.indices {
      let byte = bytes[offset]
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): break
      case UInt8(ascii: "/") where slash == nil && offset > 0 && bytes[offset - 1] != UInt8(ascii: "."): slash = offset
      case _ where slash != nil: return nil
      case UInt8(ascii: "."):
        // A number is left out.
        guard offset > 0, bytes[offset - 1] != byte else { return nil }
        pointCount += 1
      case UInt8(ascii: ":"):
        hasGap = hasGap || offset > 0 && bytes[offset - 1] == byte
        colonCount += 1
      default:
        guard AddressSpelling.hexadecimal(byte) < 16 else { return nil }
        hasLetters = true
      }
    }
    guard !bytes.isEmpty, bytes[bytes.count - 1] != UInt8(ascii: "/"), bytes[bytes.count - 1] != UInt8(ascii: ".")
    else { return nil }
    if colonCount > 0 { return hasGap || colonCount == 7 ? .ipv6 : nil }
    guard !hasLetters, pointCount > 0 else { return nil }
    return slash != nil || pointCount == 3 ? .ipv4 : nil
  }

  /// The text without zeros that stand before another digit of a number.
  private static func withoutZeros(_ text: RawSpan) -> [UInt8] {
    let bytes = Span<UInt8>(_bytes: text)
    var plain: [UInt8] = []
    var beginsNumber = true
    for offset in bytes.indices {
      let isDigit = AddressSpelling.hexadecimal(bytes[offset]) < 16
      let isFollowed = offset + 1 < bytes.count && AddressSpelling.hexadecimal(bytes[offset + 1]) < 16
      if beginsNumber, isFollowed, bytes[offset] == UInt8(ascii: "0") { continue }
      plain.append(bytes[offset])
      beginsNumber = !isDigit
    }
    return plain
  }
}
