/// A block of addresses: those that share their first bits, such as `8.8.8.0/24`.
///
///     let network = FuseNetwork("2001:db8::/32")!
///     network.contains(FuseAddress("2001:db8::1")!)     // true
///     network.description                               // "2001:db8::/32"
///
/// A block inside of ::ffff:0:0/96 is the IPv4 block. See spec/network.md §2.
public struct FuseNetwork: Sendable, Hashable {
  /// The first address.
  public let address: FuseAddress
  /// How many bits its addresses share: 0 to 32, or to 128.
  public let prefixLength: Int

  /// - Precondition: the address has no bit set after the prefix, and an IPv6 block is not IPv4-mapped.
  @inlinable
  package init(unchecked address: FuseAddress, prefixLength: Int) {
    self.address = address
    self.prefixLength = prefixLength
  }

  /// The block of a prefix length that holds an address.
  ///
  /// - Precondition: the length is 0 to the number of bits of an address of that family.
  @inlinable
  public init(around address: FuseAddress, prefixLength: Int) {
    precondition(
      prefixLength >= 0 && prefixLength <= address.family.bitCount, "the prefix is no longer than an address")
    self.init(inside: address, prefixLength: prefixLength)
  }

  /// The same for a length that is known to be one of that family.
  @inlinable
  package init(inside address: FuseAddress, prefixLength: Int) {
    self.init(
      unchecked: FuseAddress(
        family: address.family, bits: address.bits & ~FuseAddress.hostMask(address.family, prefixLength)),
      prefixLength: prefixLength)
  }

  /// The block that a text spells, such as `8.8.8.0/24`, in any spelling without bits after the prefix; an address stands for the block of it alone.
  /// Nil where the text spells none.
  public init?(_ text: String) {
    guard let found = NetworkSpelling(text.keyBytes), !found.flaws.contains(.hostBits) else { return nil }
    self = found.network
  }

  /// Which kind its addresses are.
  @inlinable public var family: FuseAddress.Family { address.family }

  /// The last address, as a number.
  @inlinable package var lastBits: UInt128 { address.bits | FuseAddress.hostMask(family, prefixLength) }

  /// Whether an address is in the block.
  @inlinable
  public func contains(_ other: FuseAddress) -> Bool {
    other.family == family && (other.bits ^ address.bits) & ~FuseAddress.hostMask(family, prefixLength) == 0
  }

  /// Whether all addresses of another block are in this one.
  @inlinable
  public func contains(_ other: FuseNetwork) -> Bool {
    other.prefixLength >= prefixLength && contains(other.address)
  }
}

extension FuseNetwork: Comparable {
  /// IPv4 before IPv6, then by the first address, then the larger block first: a block comes before those in it.
  public static func < (left: FuseNetwork, right: FuseNetwork) -> Bool {
    left.address == right.address ? left.prefixLength < right.prefixLength : left.address < right.address
  }
}

extension FuseNetwork: CustomStringConvertible {
  /// The canonical text: the first address by RFC 5952, a slash, the prefix length.
  public var description: String { NetworkText(self).string }
}
