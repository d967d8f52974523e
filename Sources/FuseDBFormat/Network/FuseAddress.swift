/// An address of the internet, IPv4 or IPv6.
///
///     let address = FuseAddress("2001:db8::1")!
///     address.family          // .ipv6
///     FuseAddress("::ffff:8.8.8.8")?.description    // "8.8.8.8"
///
/// An IPv4-mapped address, one of ::ffff:0:0/96, is the IPv4 address: both ask the same question. See spec/network.md §2.
public struct FuseAddress: Sendable, Hashable {
  /// The kinds of addresses.
  public enum Family: UInt8, Sendable, Hashable {
    /// Of 32 bits.
    case ipv4 = 4
    /// Of 128 bits.
    case ipv6 = 6

    /// How many bits an address has.
    @inlinable public var bitCount: Int { self == .ipv4 ? 32 : 128 }
  }

  /// Which kind it is.
  public let family: Family
  /// The address as a number; below 2^32 for IPv4.
  public let bits: UInt128

  @inlinable
  package init(family: Family, bits: UInt128) {
    self.family = family
    self.bits = bits
  }

  /// An IPv4 address from its number: 8.8.8.8 is 0x08080808.
  @inlinable
  public init(ipv4 number: UInt32) {
    self.init(family: .ipv4, bits: UInt128(number))
  }

  /// An IPv6 address from its number. One that is IPv4-mapped becomes the IPv4 address.
  @inlinable
  public init(ipv6 number: UInt128) {
    // [A2]
    if number &>> 32 == 0xFFFF {
      self.init(ipv4: UInt32(truncatingIfNeeded: number))
    } else {
      self.init(family: .ipv6, bits: number)
    }
  }

  /// An address from its 4 or 16 bytes in network order; nil for another count of bytes.
  @inlinable
  public init?(bytes: RawSpan) {
    switch bytes.byteCount {
    case 4: self.init(ipv4: bytes.loadInside(at: 0, as: UInt32.self))
    case 16:
      let high = UInt128(bytes.loadInside(at: 0, as: UInt64.self))
      self.init(ipv6: high &<< 64 | UInt128(bytes.loadInside(at: 8, as: UInt64.self)))
    default: return nil
    }
  }

  /// An address from its 4 or 16 bytes in network order; nil for another count of bytes.
  public init?(bytes: [UInt8]) { self.init(bytes: bytes.rawSpan) }

  /// The address that a text spells, such as `8.8.8.8` or `2001:db8::1`; nil where it spells none.
  ///
  /// The text is the address and nothing else: no zone, no spaces, no number left out, octal or hexadecimal.
  public init?(_ text: String) {
    self.init(text: text.keyBytes)
  }

  /// The same from the bytes of a text. [A1]
  @inlinable
  package init?(text: RawSpan) {
    switch AddressSpelling(text) {
    case .ipv4(let number): self.init(ipv4: number)
    case .ipv6(let number): self.init(ipv6: number)
    case .integer, .none: return nil
    }
  }

  /// The bits that a block of a prefix length leaves to its addresses.
  /// - Precondition: the prefix length is that of a block of the family.
  @inlinable
  @inline(__always)
  package static func hostMask(_ family: Family, _ prefixLength: Int) -> UInt128 {
    let hostBits = UInt128(truncatingIfNeeded: family.bitCount &- prefixLength)
    // 128 bits are shifted out in two steps.
    return ~((~0 &<< (hostBits &>> 1)) &<< (hostBits &- hostBits &>> 1))
  }
}

extension FuseAddress: Comparable {
  /// IPv4 before IPv6, then by number.
  public static func < (left: FuseAddress, right: FuseAddress) -> Bool {
    left.family == right.family ? left.bits < right.bits : left.family == .ipv4
  }
}

extension FuseAddress: CustomStringConvertible {
  /// The canonical text: that of RFC 5952.
  public var description: String { NetworkText(self).string }
}
