public import CFuseDB
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBReading

extension fuse_network {
  init(_ network: FuseNetwork) {
    self.init()
    family = network.family.rawValue
    prefix_length = UInt8(network.prefixLength)
    // The first byte of an address is the highest of its number.
    let bits = network.family == .ipv4 ? network.address.bits << 96 : network.address.bits
    withUnsafeMutableBytes(of: &address) { bytes in
      for number in 0..<16 { bytes[number] = UInt8(truncatingIfNeeded: bits >> UInt128(8 * (15 - number))) }
    }
  }

  /// The block; nil where the fields say none.
  var network: FuseNetwork? {
    guard let family = FuseAddress.Family(rawValue: family), prefix_length <= family.bitCount else { return nil }
    let bytes = withUnsafeBytes(of: address) { Array($0.prefix(family.bitCount / 8)) }
    guard let address = FuseAddress(bytes: bytes), address.family == family else { return nil }
    return FuseNetwork(around: address, prefixLength: Int(prefix_length))
  }
}

/// The block or address that a text spells; an address inside of ::ffff:0:0/96 is the IPv4 one.
@c @implementation
public func fuse_network_parse(
  _ text: UnsafePointer<CChar>?, _ text_size: Int, _ network: UnsafeMutablePointer<fuse_network>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(network, "network")
    let text = String(decoding: try given(text, text_size, "text"), as: UTF8.self)
    guard let network = FuseNetwork(text) else { return Status.none }
    slot.pointee = fuse_network(network)
    return Status.ok
  }
}

/// The canonical text, as `8.8.8.0/24`, ending in a zero byte; an address as `8.8.8.8/32`.
@c @implementation
public func fuse_network_text(
  _ network: UnsafePointer<fuse_network>?, _ text: UnsafeMutablePointer<CChar>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(text, "text")
    guard let given = network else { throw .slip("'network' is NULL") }
    guard let network = given.pointee.network else {
      throw .slip("'network' is no block: of family \(given.pointee.family), with \(given.pointee.prefix_length) bits")
    }
    for (number, byte) in network.description.utf8CString.enumerated() where number < FUSE_NETWORK_TEXT_SIZE {
      slot[number] = byte
    }
    return Status.ok
  }
}

/// Puts what is known of the block of an address where it is wanted.
private func longestMatch(
  of address: FuseAddress?, in reader: FuseReader, _ slot: UnsafeMutablePointer<fuse_network_match>
) throws(FuseError) -> fuse_status {
  guard let address, let match = try reader.longestMatch(of: address) else { return Status.none }
  let value = fuse_span(try match.bytes)
  slot.pointee = fuse_network_match(
    key: fuse_network(match.key), scope: fuse_network(match.scope), value: value, object: match.objectOffset)
  try reader.checkNotShrunk()
  return Status.ok
}

/// The address that a text spells; nil where it spells none.
private func address(
  _ text: UnsafePointer<CChar>?, _ size: Int
) throws(FuseError) -> FuseAddress? { FuseAddress(text: try given(text, size, "address").bytes) }

/// The longest block that holds an address, given as its text.
@c @implementation
public func fuse_longest_match(
  _ reader: OpaquePointer?, _ address: UnsafePointer<CChar>?, _ address_size: Int,
  _ match: UnsafeMutablePointer<fuse_network_match>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let slot = try slot(match, "match")
    return try longestMatch(of: try FuseDBC.address(address, address_size), in: reader, slot)
  }
}

/// The same for an address of 4 or 16 bytes in network order.
@c @implementation
public func fuse_longest_match_bytes(
  _ reader: OpaquePointer?, _ address: UnsafePointer<UInt8>?, _ address_size: Int,
  _ match: UnsafeMutablePointer<fuse_network_match>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let slot = try slot(match, "match")
    guard let address = FuseAddress(bytes: try given(address, address_size, "address").bytes) else {
      throw .slip("'address' has \(address_size) bytes, and an address has 4 or 16")
    }
    return try longestMatch(of: address, in: reader, slot)
  }
}

/// All blocks that hold an address, the longest first: at most `capacity`, and in `count` how many there are.
@c @implementation
public func fuse_containing(
  _ reader: OpaquePointer?, _ address: UnsafePointer<CChar>?, _ address_size: Int,
  _ matches: UnsafeMutablePointer<fuse_network_match>?, _ capacity: Int, _ count: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let count = try slot(count, "count")
    count.pointee = 0
    let reader: FuseReader = try object(reader, HandleKind.reader)
    guard capacity >= 0, matches != nil || capacity == 0 else {
      throw .slip("'matches' is NULL and is to have room for \(capacity)")
    }
    guard let address = try FuseDBC.address(address, address_size) else { return Status.none }
    let found = try reader.containing(address)
    for (number, entry) in found.enumerated() where number < capacity {
      let block = fuse_network(entry.network)
      matches![number] = fuse_network_match(
        key: block, scope: block, value: fuse_span(try entry.bytes), object: entry.objectOffset)
    }
    try reader.checkNotShrunk()
    count.pointee = found.count
    return found.isEmpty ? Status.none : Status.ok
  }
}

/// Puts the key that covers a question where it is wanted.
private func fill(_ slot: UnsafeMutablePointer<fuse_match>, with match: FuseMatch) {
  slot.pointee = fuse_match(key: fuse_span(match.key), value: fuse_span(match.bytes), object: match.objectOffset)
}

/// The key that covers a domain name best: x, *.x or .x, see spec/matches.md.
@c @implementation
public func fuse_longest_suffix(
  _ reader: OpaquePointer?, _ domain: UnsafePointer<CChar>?, _ domain_size: Int,
  _ match: UnsafeMutablePointer<fuse_match>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let slot = try slot(match, "match")
    let question = try given(domain, domain_size, "domain")
    guard let found = try reader.longestSuffix(ofDomain: question.bytes) else { return Status.none }
    fill(slot, with: found)
    return Status.ok
  }
}

/// The key that covers an e-mail address best: itself, or what covers its domain.
@c @implementation
public func fuse_longest_email(
  _ reader: OpaquePointer?, _ address: UnsafePointer<CChar>?, _ address_size: Int,
  _ match: UnsafeMutablePointer<fuse_match>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let slot = try slot(match, "match")
    let question = try given(address, address_size, "address")
    guard let found = try reader.longestMatch(ofEmail: question.bytes) else { return Status.none }
    fill(slot, with: found)
    return Status.ok
  }
}

/// The longest key with which a text begins.
@c @implementation
public func fuse_longest_prefix(
  _ reader: OpaquePointer?, _ text: UnsafeRawPointer?, _ text_size: Int, _ match: UnsafeMutablePointer<fuse_match>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let slot = try slot(match, "match")
    let question = try given(text, text_size, "text")
    guard let found = try reader.longestPrefix(of: question.bytes) else { return Status.none }
    fill(slot, with: found)
    return Status.ok
  }
}

/// The rules, in the order of the header's constants after that for none.
private let rules: [KeyNormalisation] = [.network, .domain, .lower, .mac]

/// The rule of a constant; nil for none.
func normalisation(_ number: Int32) throws(FuseError) -> KeyNormalisation? {
  try choice(number, "normalisation", [nil] + rules)
}

/// The rule by which the keys of the file were written; ask once for each file.
@c @implementation
public func fuse_reader_normalisation(
  _ reader: OpaquePointer?, _ rule: UnsafeMutablePointer<Int32>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let slot = try slot(rule, "rule")
    let found = try reader.normalisation.flatMap { rule in rules.firstIndex { $0 == rule } }
    slot.pointee = found.map { Int32($0 + 1) } ?? Int32(FUSE_NORMALISE_NONE)
    return found == nil ? Status.none : Status.ok
  }
}

/// A key as a rule writes it, to be asked for.
@c @implementation
public func fuse_normalise(
  _ rule: Int32, _ key: UnsafeRawPointer?, _ key_size: Int, _ normalised: UnsafeMutablePointer<fuse_buffer>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let target = try buffer(normalised, "normalised")
    let key = try given(key, key_size, "key")
    guard let rule = try normalisation(rule) else {
      try target.set(key)
      return Status.ok
    }
    guard let written = rule.apply(to: key.bytes) else { return Status.none }
    try target.set(written)
    return Status.ok
  }
}
