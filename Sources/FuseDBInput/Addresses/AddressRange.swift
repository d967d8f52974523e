internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Addresses of one family from one to another, both included.
struct AddressRange: Equatable {
  let family: AddressFamily
  let first: UInt128
  let last: UInt128

  /// Why two addresses make no range.
  enum Flaw: Error {
    /// They are not spelled in the same way, so that their family is uncertain.
    case isMixed
    /// The second is lower than the first.
    case isReversed
  }

  /// The range between two addresses. [R10]
  ///
  /// Integers are IPv4 when both are below 2^32. A range of IPv4-mapped addresses, ::ffff:0:0/96, is that of the IPv4
  /// addresses: some data sets have both families in one column by writing them so.
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

    /// A block's size is a power of two that divides its address. So the largest one that can begin here is the smaller
    /// of two: the lowest bit of the address, and the largest power of two that the rest of the range can hold.
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

/// Makes keys of ranges of addresses: the blocks that cover them, as text. [R8]
struct RangeKeys {
  /// The key, kept for its memory.
  private var key: [UInt8] = []

  /// Calls `body` with the text of each block of the range from `first` to `last`, which are the texts of the two
  /// fields of `names`.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when they make no range; and what `body` throws.
  mutating func forEach(
    from first: RawSpan, to last: RawSpan, _ names: FieldSelection.Range,
    _ body: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    let range = try Self.range(from: first, to: last, names)
    for block in range.blocks {
      key.removeAll(keepingCapacity: true)
      block.append(to: &key)
      try body(key.rawSpan)
    }
  }

  private static func range(
    from first: RawSpan, to last: RawSpan, _ names: FieldSelection.Range
  ) throws(FuseError) -> AddressRange {
    let start = try address(first, names.first)
    let end = try address(last, names.last)
    do throws(AddressRange.Flaw) {
      return try AddressRange(from: start, to: end)
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

  private static func address(_ text: RawSpan, _ name: [UInt8]) throws(FuseError) -> Address {
    if let address = Address(text) { return address }
    guard !text.isEmpty else { throw missingEnd(name) }
    throw FuseError(
      .invalidValue,
      """
      \(quoted(text)) in \(quoted(name)) is no address; write it as 8.8.8.8, as 2001:db8::1, \
      or as a decimal integer below 2^128
      """)
  }

  /// The error of a record without one of the ends of its range.
  static func missingEnd(_ name: [UInt8]) -> FuseError {
    FuseError(
      .invalidValue,
      "\(quoted(name)) is missing or empty, and a range needs both of its ends; give it an address\(FieldSelection.hint(on: name))"
    )
  }
}
