/// Addresses of one family from one to another, both included.
struct AddressRange: Equatable {
  let family: AddressFamily
  let first: UInt128
  let last: UInt128

  /// Why two addresses make no range.
  enum Flaw: Error {
    /// They are not spelled in the same way, so that nobody can be sure of their family.
    case isMixed
    /// The second is lower than the first.
    case isReversed
  }

  /// The range between two addresses. [R10]
  ///
  /// Integers are IPv4 when both are below 2^32. A range of IPv4-mapped addresses, ::ffff:0:0/96, is that of the IPv4 addresses: some data sets
  /// have both families in one column by writing them so.
  init(from first: Address, to last: Address) throws(Flaw) {
    guard first.spelling == last.spelling else { throw .isMixed }
    guard first.value <= last.value else { throw .isReversed }
    let isLow = last.value < 1 << 32
    let isMapped = first.value >> 32 == 0xFFFF && last.value >> 32 == 0xFFFF
    guard first.spelling == .ipv4 || (first.spelling == .integer && isLow) || isMapped else {
      (family, self.first, self.last) = (.ipv6, first.value, last.value)
      return
    }
    family = .ipv4
    self.first = first.value & 0xFFFF_FFFF
    self.last = last.value & 0xFFFF_FFFF
  }

  /// The fewest CIDR blocks that hold exactly these addresses, in ascending order. [R11]
  var blocks: Blocks { Blocks(family: family, start: first, last: last) }

  /// See ``AddressRange/blocks``.
  struct Blocks: Sequence, IteratorProtocol {
    fileprivate let family: AddressFamily
    /// The first address that no block held yet; nil after the last, where there may be no number for it.
    fileprivate var start: UInt128?
    fileprivate let last: UInt128

    /// A block's size is a power of two that divides its address. So the largest one that can begin here is the smaller of two: the lowest bit of
    /// the address, and the largest power of two that the rest of the range can hold.
    mutating func next() -> AddressBlock? {
      guard let address = start else { return nil }
      // The number of addresses left, less one: for all addresses of IPv6 it is the largest number there is.
      let rest = last - address
      let (count, isAll) = rest.addingReportingOverflow(1)
      let roomBits = isAll ? UInt128.bitWidth : UInt128.bitWidth - 1 - count.leadingZeroBitCount
      let hostBits = Swift.min(address.trailingZeroBitCount, roomBits)
      let (following, isEnd) = address.addingReportingOverflow(1 << UInt128(hostBits))
      start = hostBits == UInt128.bitWidth || isEnd || following > last ? nil : following
      return AddressBlock(family: family, address: address, prefixLength: family.bitCount - hostBits)
    }
  }
}
