internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Makes keys of ranges of addresses: the blocks that cover them, as text. [R8]
struct RangeKeys {
  /// The key, kept for its memory.
  private var key: [UInt8] = []

  /// Calls `body` with the text of each block of the range from `first` to `last`, which are the texts of the two fields of `names`.
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
