/// A rule by which keys that say the same are written in one way, when a file is built and when it is asked. See spec/normalise.md.
///
///     KeyNormalisation.mac.apply(to: "00-1B-63-84-45-E6")     // the bytes of "001b638445e6"
///     KeyNormalisation.domain.apply(to: "Example.COM.")       // the bytes of "example.com"
///     KeyNormalisation.domain.apply(to: "example..com")       // nil
///
/// A file names its rule in its metadata, as `normalise`.
public enum KeyNormalisation: String, Sendable, Hashable, CaseIterable {
  /// Blocks of addresses and addresses in their one spelling; other keys stay.
  case network
  /// Domain names: ASCII letters in lower case, without the point at the end.
  case domain
  /// ASCII letters in lower case.
  case lower
  /// MAC addresses and the first 24 to 44 bits of such: lower-case hexadecimal digits alone.
  case mac

  /// The name of the rule's entry in the metadata. [F1]
  package static let metadataName = "normalise"

  /// The key as the rule writes it; nil where it has no place for the key, which a build refuses then, and no file has.
  ///
  /// - Complexity: O(bytes).
  @inline(never)
  public func apply(to key: RawSpan) -> [UInt8]? {
    switch self {
    case .network: Self.network(key)
    case .domain: Self.domain(key)
    case .lower: Self.lower(key)
    case .mac: Self.mac(key)
    }
  }

  /// The same of any key.
  public func apply(to key: some FuseKey) -> [UInt8]? {
    guard let bytes = key.bytesInPlace else { return apply(to: key.keySpelling) }
    defer { bytes.hold() }
    return apply(to: bytes)
  }

  // MARK: The rules

  private static func network(_ key: RawSpan) -> [UInt8]? {
    switch NetworkKey(key) {
    case .block(let block): block.flaws.contains(.hostBits) ? nil : block.canonical.bytes.array()
    case .broken: nil
    case .other: key.array()
    }
  }

  private static func lower(_ key: RawSpan) -> [UInt8] {
    var bytes = key.array()
    for place in bytes.indices where bytes[place] >= UInt8(ascii: "A") && bytes[place] <= UInt8(ascii: "Z") {
      bytes[place] |= 0x20
    }
    return bytes
  }

  private static func domain(_ key: RawSpan) -> [UInt8]? {
    var bytes = lower(key)
    let point = UInt8(ascii: ".")
    if bytes.last == point { bytes.removeLast() }
    // `.x` stands for what is below x, and x.
    var labelLength = 0
    for byte in bytes.first == point ? bytes.dropFirst() : bytes[...] {
      if byte == point {
        guard labelLength > 0 else { return nil }
        labelLength = 0
      } else {
        labelLength += 1
      }
    }
    return labelLength > 0 ? bytes : nil
  }

  private static func mac(_ key: RawSpan) -> [UInt8]? {
    let bytes = Span<UInt8>(_bytes: key)
    // Twelve digits in pairs have five separators.
    guard bytes.count >= 6, bytes.count <= 17 else { return nil }
    var digits: [UInt8] = []
    // The first byte that is no digit tells how many stand together.
    var separator: UInt8?
    var group = 12
    for offset in bytes.indices {
      let byte = bytes[offset]
      let digit = AddressSpelling.hexadecimal(byte)
      if digit < 16 {
        guard separator == nil || offset % (group + 1) != group else { return nil }
        digits.append(digit < 10 ? byte : byte | 0x20)
        continue
      }
      if separator == nil {
        guard byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") else { return nil }
        separator = byte
        group = byte == UInt8(ascii: ".") ? 4 : 2
        guard offset == group else { return nil }
      }
      guard byte == separator, offset % (group + 1) == group else { return nil }
    }
    // A separator stands between digits.
    guard digits.count >= 6, digits.count <= 12, AddressSpelling.hexadecimal(bytes[bytes.count - 1]) < 16 else {
      return nil
    }
    return digits
  }
}

extension KeyNormalisation {
  /// The error of a key for which the rule has no place.
  package func refusal(of key: RawSpan) -> FuseError {
    let advice =
      switch self {
      case .network, .lower: "correct it"
      case .domain: "has a label without letters, and is no domain name; write it as example.com"
      case .mac:
        "is no MAC address, nor the beginning of one; write 12 hexadecimal digits as in 00:1b:63:84:45:e6, or the first 6 to 11"
      }
    return FuseError(.invalidValue, "the key \(quoted(key)) \(advice)")
  }
}
