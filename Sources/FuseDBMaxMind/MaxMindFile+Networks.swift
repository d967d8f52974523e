package import FuseDBFormat
internal import FuseDBSystem

extension MaxMindFile {
  /// IPv6 blocks in which an IPv4 address answers, of an IPv6 tree: where IPv4 addresses stand themselves, [A14]
  private static let ipv4Length = 96
  /// and those whose addresses are IPv4 addresses anyway. [A2]
  private static let mapped: UInt128 = 0xFFFF << 32

  /// Calls `body` with each network of the tree and the offset of its value, in the order of addresses.
  ///
  /// Each node is visited once: one that a second way leads to is refused, unless it is where IPv4 addresses begin, which makes an
  /// alias of the way. So the walk ends after as many steps as the tree has records, whatever its bytes say.
  ///
  /// - Returns: the aliases.
  /// - Throws: ``FuseError`` with code `invalidValue` when the tree breaks the format, or says what has no place in a database;
  ///   and what `body` throws.
  package func forEachNetwork(
    _ body: (FuseNetwork, _ value: Int) throws(FuseError) -> Void
  ) throws(FuseError) -> [NetworkSection.Alias] {
    let bitCount = metadata.ipVersion == 4 ? 32 : 128
    let ipv4 = bitCount == 32 ? nil : ipv4Record()
    var visited = try [UInt64](metadata.nodeCount / 64 + 1, of: 0)
    var aliases: [NetworkSection.Alias] = []
    var hasIPv4 = false
    // What is still to be visited: no more than one record a level.
    var waiting: [(record: Int, address: UInt128, length: Int)] = [(0, 0, 0)]
    while let (record, address, length) = waiting.popLast() {
      let block = address << UInt128(128 - bitCount)
      if record >= metadata.nodeCount {
        guard let value = try valueOffset(record, block, length) else { continue }
        if bitCount == 32 {
          try body(FuseNetwork(inside: FuseAddress(ipv4: UInt32(address)), prefixLength: length), value)
        } else if length >= Self.ipv4Length, address >> 32 == 0 {
          hasIPv4 = true
          try body(
            FuseNetwork(inside: FuseAddress(ipv4: UInt32(address)), prefixLength: length - Self.ipv4Length), value)
        } else if length >= Self.ipv4Length, address >> 32 == 0xFFFF {
          guard self.record(from: ipv4, of: address, count: length - Self.ipv4Length) == record else {
            throw refusal(
              block, length,
              "has a value that its IPv4 addresses have not, and in a database they are the same addresses")
          }
        } else {
          try body(FuseNetwork(inside: FuseAddress(family: .ipv6, bits: address), prefixLength: length), value)
          // The addresses of IPv4 are in it.
          if address == 0 { try body(FuseNetwork(inside: FuseAddress(ipv4: 0), prefixLength: 0), value) }
        }
        continue
      }
      if record == ipv4, address != 0, length <= Self.ipv4Length {
        if length != Self.ipv4Length || address != Self.mapped {
          // [A14]
          guard aliases.count + 1 < NetworkSection.mostAliases, length > 0 else {
            throw refusal(block, length, "is the third block that stands for IPv4 addresses, and there may be two")
          }
          aliases.append(NetworkSection.Alias(address: address, prefixLength: UInt8(length)))
        }
        continue
      }
      guard length < bitCount else { throw refusal(block, length, "is deeper than an address has bits") }
      guard visited[record / 64] >> UInt64(record % 64) & 1 == 0 else {
        throw refusal(block, length, "leads to a node of the tree that another block has, or back to its own")
      }
      visited[record / 64] |= 1 << UInt64(record % 64)
      let bit = UInt128(1) << UInt128(bitCount - 1 - length)
      waiting.append((self.record(of: record, isRight: true), address | bit, length + 1))
      waiting.append((self.record(of: record, isRight: false), address, length + 1))
    }
    guard hasIPv4 else { return [] }
    return [NetworkSection.Alias(address: 0, prefixLength: UInt8(Self.ipv4Length))] + aliases
  }

  /// One of the two records of a node.
  private func record(of node: Int, isRight: Bool) -> Int {
    let start = node * (metadata.recordBits / 4)
    func byte(_ number: Int) -> Int { Int(bytes[start + number]) }
    switch metadata.recordBits {
    case 24:
      let first = isRight ? 3 : 0
      return byte(first) << 16 | byte(first + 1) << 8 | byte(first + 2)
    case 28:
      // The byte in the middle has the upper bits of both.
      return isRight
        ? (byte(3) & 0x0F) << 24 | byte(4) << 16 | byte(5) << 8 | byte(6)
        : (byte(3) & 0xF0) << 20 | byte(0) << 16 | byte(1) << 8 | byte(2)
    default:
      let first = isRight ? 4 : 0
      return byte(first) << 24 | byte(first + 1) << 16 | byte(first + 2) << 8 | byte(first + 3)
    }
  }

  /// The record of the block of all IPv4 addresses; nil where a larger one has its place.
  private func ipv4Record() -> Int? {
    var record = 0
    for _ in 0..<Self.ipv4Length {
      guard record < metadata.nodeCount else { return nil }
      record = self.record(of: record, isRight: false)
    }
    return record
  }

  /// The record of a block of so many of the last 32 bits of an address; what it lies in, where that is larger.
  private func record(from ipv4: Int?, of address: UInt128, count: Int) -> Int? {
    guard var record = ipv4 else { return nil }
    for i in 0..<count {
      guard record < metadata.nodeCount else { break }
      record = self.record(of: record, isRight: address >> UInt128(31 - i) & 1 == 1)
    }
    return record
  }

  /// Where the value of a record is among the values; nil where it has none.
  private func valueOffset(_ record: Int, _ block: UInt128, _ length: Int) throws(FuseError) -> Int? {
    guard record > metadata.nodeCount else { return nil }
    let offset = record - metadata.nodeCount - Self.separatorByteCount
    guard offset >= 0, offset < data.count else { throw refusal(block, length, "leads out of the values") }
    return offset
  }

  private func refusal(_ address: UInt128, _ length: Int, _ what: String) -> FuseError {
    let network =
      metadata.ipVersion == 4
      ? FuseNetwork(inside: FuseAddress(ipv4: UInt32(address >> 96)), prefixLength: min(length, 32))
      : FuseNetwork(inside: FuseAddress(family: .ipv6, bits: address), prefixLength: min(length, 128))
    return FuseError(.invalidValue, "\(network): the block \(what); the file is damaged, or of another kind")
  }
}
