internal import FuseDBFormat

/// Addresses from one to another, both included.
///
/// All addresses are on one line, on which an IPv4 address stands for itself and for the IPv6 address that maps it.
struct AddressRange: Equatable {
  let first: UInt128
  let last: UInt128

  /// Why two addresses make no range.
  enum Flaw: Error {
    /// They are not spelled in the same way, so that their family is uncertain.
    case isMixed
    /// The second is lower than the first.
    case isReversed
  }

  private static let mapped: UInt128 = 0xFFFF << 32

  /// The range between two places on the line.
  init(first: UInt128, last: UInt128) {
    self.first = first
    self.last = last
  }

  /// The range between two addresses. Integers are IPv4 when both are below 2^32. [R10]
  init(from first: AddressSpelling, to last: AddressSpelling) throws(Flaw) {
    let (start, end): (UInt128, UInt128)
    switch (first, last) {
    case (.ipv4(let first), .ipv4(let last)): (start, end) = (Self.mapped | UInt128(first), Self.mapped | UInt128(last))
    case (.ipv6(let first), .ipv6(let last)): (start, end) = (first, last)
    case (.integer(let first), .integer(let last)):
      let family: UInt128 = max(first, last) < 1 << 32 ? Self.mapped : 0
      (start, end) = (family | first, family | last)
    default: throw .isMixed
    }
    guard start <= end else { throw .isReversed }
    self.init(first: start, last: end)
  }

  /// How many addresses there are, less one.
  var reach: UInt128 { last - first }

  /// The fewest CIDR blocks that hold exactly these addresses, in ascending order. [R11]
  var blocks: Blocks { Blocks(start: first, last: last) }

  /// A block on the line.
  struct Block: Equatable {
    let first: UInt128
    let hostBits: Int

    var last: UInt128 { hostBits == UInt128.bitWidth ? .max : first | (1 << UInt128(hostBits) - 1) }

    /// The block as it is written.
    var network: FuseNetwork {
      guard hostBits <= 32, first >> 32 == 0xFFFF else {
        return FuseNetwork(unchecked: FuseAddress(family: .ipv6, bits: first), prefixLength: 128 - hostBits)
      }
      return FuseNetwork(
        unchecked: FuseAddress(ipv4: UInt32(truncatingIfNeeded: first)), prefixLength: 32 - hostBits)
    }
  }

  /// See ``AddressRange/blocks``.
  struct Blocks: Sequence, IteratorProtocol {
    /// The first address that no block held yet; nil after the last, where there may be no number for it.
    fileprivate var start: UInt128?
    fileprivate let last: UInt128

    /// A block's size is a power of two that divides its address. So the largest one that can begin here is the smaller
    /// of two: the lowest bit of the address, and the largest power of two that the rest of the range can hold.
    mutating func next() -> Block? {
      guard let address = start else { return nil }
      // The number of addresses left, less one: for all addresses of IPv6 it is the largest number there is.
      let (count, isAll) = (last - address).addingReportingOverflow(1)
      let roomBits = isAll ? UInt128.bitWidth : UInt128.bitWidth - 1 - count.leadingZeroBitCount
      let block = Block(first: address, hostBits: Swift.min(address.trailingZeroBitCount, roomBits))
      start = block.last == last ? nil : block.last + 1
      return block
    }
  }
}

extension AddressRange: CustomStringConvertible {
  /// The range as it stands in messages.
  var description: String { "\(Self.text(first)) to \(Self.text(last))" }

  private static func text(_ address: UInt128) -> String { FuseAddress(ipv6: address).description }
}

extension AddressRange {
  /// The range from `first` to `last`, which are the texts of the two fields of `names`. [R8]
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when they make no range.
  init(from first: RawSpan, to last: RawSpan, _ names: FieldSelection.Range) throws(FuseError) {
    let start = try Self.address(first, names.first)
    let end = try Self.address(last, names.last)
    do throws(Flaw) {
      try self.init(from: start, to: end)
    } catch {
      let ends = "the range from \(quoted(first)) in \(quoted(names.first)) to \(quoted(last)) in \(quoted(names.last))"
      switch error {
      case .isMixed:
        throw FuseError(.invalidValue, "\(ends) mixes kinds of addresses; write both ends as IPv4, IPv6 or integers")
      case .isReversed:
        throw FuseError(.invalidValue, "\(ends) ends before it begins; correct the addresses, or exchange them")
      }
    }
  }

  private static func address(_ text: RawSpan, _ name: [UInt8]) throws(FuseError) -> AddressSpelling {
    if let address = AddressSpelling(text) { return address }
    guard !text.isEmpty else { throw missingEnd(name) }
    throw FuseError(
      .invalidValue,
      """
      \(quoted(text)) in \(quoted(name)) is no address; write it as 8.8.8.8, as 2001:db8::1, \
      or as a decimal integer below 2^128
      """)
  }

  /// The error of a record without one of the ends of its range.
  ///
  /// - Parameter hint: what may have been meant by the name.
  static func missingEnd(_ name: [UInt8], hint: String = "") -> FuseError {
    FuseError(
      .invalidValue,
      "\(quoted(name)) is missing or empty, and a range needs both of its ends; give it an address\(hint)"
    )
  }

  /// The error of a row whose end of a range is a word for null.
  static func nullEnd(_ name: [UInt8], _ word: RawSpan) -> FuseError {
    FuseError(
      .invalidValue, "\(quoted(name)) is \(quoted(word)), a word for null, and a range needs both of its ends")
  }
}
