/// The block that a key spells, and what keeps the key from being its one spelling. See spec/network.md §2.
package struct NetworkSpelling: Equatable, Sendable {
  /// What is wrong with a text that spells a block.
  package struct Flaws: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The address has bits set after the prefix, as in `8.8.8.8/16`. [A4]
    package static let hostBits = Flaws(rawValue: 1)
    /// The block has another text, which is the canonical one. [A3]
    package static let spelling = Flaws(rawValue: 2)
  }

  /// The block, without the bits after its prefix.
  package let network: FuseNetwork
  /// Whether the text is an address without a length: it stands for the block of that address alone.
  package let isAddress: Bool
  package private(set) var flaws: Flaws

  /// What `text` spells: an address, or an address, a slash and a prefix length. Nil where it spells neither.
  package init?(_ text: RawSpan) {
    let bytes = Span<UInt8>(_bytes: text)
    // The slash is among the last four bytes.
    var end = bytes.count
    var slash: Int?
    while slash == nil, end > 0, end + 4 > bytes.count {
      end -= 1
      if bytes[end] == UInt8(ascii: "/") { slash = end }
    }
    var family = FuseAddress.Family.ipv4
    var bits: UInt128
    switch AddressSpelling(text.extracting(first: slash ?? text.byteCount)) {
    case .ipv4(let number): bits = UInt128(number)
    case .ipv6(let number): (family, bits) = (.ipv6, number)
    case .integer, nil: return nil
    }
    var length = family.bitCount
    if let slash {
      guard let given = Self.length(bytes, from: slash + 1), given <= length else { return nil }
      length = given
    }
    var flaws: Flaws = []
    let host = FuseAddress.hostMask(family, length)
    let given = FuseAddress(family: family, bits: bits)
    if bits & host != 0 { flaws.insert(.hostBits) }
    bits &= ~host
    if family == .ipv6, length >= 96, bits >> 32 == 0xFFFF {
      // [A2]
      (family, bits, length) = (.ipv4, bits & 0xFFFF_FFFF, length - 96)
    }
    network = FuseNetwork(unchecked: FuseAddress(family: family, bits: bits), prefixLength: length)
    isAddress = slash == nil
    self.flaws = flaws
    // The text with the bits that it has.
    let written =
      given.family != network.family || isAddress
      ? canonical : NetworkText(FuseNetwork(unchecked: given, prefixLength: length))
    if !text.equals(written.bytes) { self.flaws.insert(.spelling) }
  }

  /// The same, spelled in a way that ``init(_:)`` does not take.
  package var inAnotherSpelling: NetworkSpelling {
    var copy = self
    copy.flaws.insert(.spelling)
    return copy
  }

  /// The key that the text should be.
  package var canonical: NetworkText { isAddress ? NetworkText(network.address) : NetworkText(network) }

  /// A number of one to three digits that ends with the text.
  private static func length(_ text: Span<UInt8>, from start: Int) -> Int? {
    guard start < text.count else { return nil }
    var value = 0
    for offset in start..<text.count {
      let digit = text[offset] &- 0x30
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }
}

extension NetworkSpelling {
  /// The error of a key that is not its block's one spelling; nil for one that is.
  ///
  /// - Parameter accepted: what is no reason.
  package func refusal(of key: RawSpan, accepting accepted: Flaws = []) -> FuseError? {
    let flaws = flaws.subtracting(accepted)
    guard !flaws.isEmpty else { return nil }
    let text = String(decoding: key.array(), as: UTF8.self)
    return FuseError(
      .invalidValue,
      flaws.contains(.hostBits)
        ? "\(text) has bits set after its prefix; write \(canonical.string)"
        : "\(text) is not the canonical spelling; write \(canonical.string)")
  }
}
