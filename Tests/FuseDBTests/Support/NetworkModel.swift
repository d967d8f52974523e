import FuseDB
import FuseDBSystem

/// Blocks and objects as a plain list, and answers by looking at each.
struct NetworkModel {
  struct Entry: Equatable {
    var network: FuseNetwork
    var object: UInt64
  }

  /// By family, address and length.
  private(set) var entries: [Entry] = []

  /// The first of equal blocks counts.
  init(_ entries: [(FuseNetwork, UInt64)]) {
    var known: Set<FuseNetwork> = []
    for (network, object) in entries where known.insert(network).inserted {
      self.entries.append(Entry(network: network, object: object))
    }
    self.entries.sort { $0.network < $1.network }
  }

  /// Texts, with the objects 100, 101 and so on.
  init(_ texts: [String]) {
    self.init(texts.enumerated().map { (FuseNetwork($1)!, UInt64(100 + $0)) })
  }

  /// All blocks that hold an address, the longest first.
  func containing(_ address: FuseAddress) -> [Entry] {
    entries.filter { $0.network.contains(address) }.sorted { $0.network.prefixLength > $1.network.prefixLength }
  }

  func within(_ network: FuseNetwork) -> [Entry] { entries.filter { network.contains($0.network) } }

  func object(ofExactly network: FuseNetwork) -> UInt64? { entries.first { $0.network == network }?.object }

  /// The largest block around an address in which all addresses have the same longest block.
  func scope(_ address: FuseAddress) -> FuseNetwork {
    let longest = containing(address).first?.network
    for length in (longest?.prefixLength ?? 0)...address.family.bitCount {
      let block = FuseNetwork(around: address, prefixLength: length)
      if !entries.contains(where: { block.contains($0.network) && $0.network != longest }) { return block }
    }
    preconditionFailure("an address alone has one answer")
  }

  /// The edges of all blocks, and what stands beside them; and the ends of both families.
  var telltaleAddresses: [FuseAddress] {
    var found: Set<FuseAddress> = [
      FuseAddress(ipv4: 0), FuseAddress(ipv4: .max), FuseAddress(ipv6: 0), FuseAddress(ipv6: .max),
    ]
    for entry in entries {
      let network = entry.network
      let all = FuseAddress.hostMask(network.family, 0)
      for bits in [network.address.bits, network.lastBits] {
        for difference: UInt128 in [0, 1, 2] {
          found.insert(FuseAddress(family: network.family, bits: (bits &+ difference) & all))
          found.insert(FuseAddress(family: network.family, bits: (bits &- difference) & all))
        }
      }
      found.insert(
        FuseAddress(
          family: network.family,
          bits: network.address.bits | FuseAddress.hostMask(network.family, network.prefixLength) / 2))
    }
    return found.sorted()
  }
}

/// The bytes of a section of networks, at a place that stays.
@safe
final class NetworkBench {
  // SAFETY: `bytes.count` bytes, aligned as in a file.
  private let place: UnsafeMutableRawBufferPointer
  private let built: [UInt8]

  init(_ bytes: [UInt8]) {
    built = bytes
    unsafe place = .allocate(byteCount: bytes.count, alignment: 64)
    restore()
  }

  deinit { unsafe place.deallocate() }

  /// The section of a model.
  convenience init(_ model: NetworkModel, _ lanes: NetworkSection.Lanes = .eight) throws {
    self.init(try Self.section(model.entries.map { ($0.network, $0.object) }, lanes))
  }

  var byteCount: Int { built.count }
  var bytes: [UInt8] { built }

  /// The table over the bytes; nil where the header is refused.
  func table() throws(FuseError) -> NetworkTable {
    let section = try unsafe NetworkSection(parsing: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(place)), at: 4096)
    return unsafe NetworkTable(section, at: UnsafeRawPointer(place.baseAddress!), offset: 4096)
  }

  func flip(bit: Int) { unsafe place[bit / 8] ^= 1 << UInt8(bit % 8) }
  func put(_ byte: UInt8, at offset: Int) { unsafe place[offset] = byte }
  func restore() { unsafe place.copyBytes(from: built) }

  /// A section with a field of its header changed, and the header's checksum made right.
  static func forging(_ section: [UInt8], at offset: Int, _ field: [UInt8]) -> [UInt8] {
    var section = section
    section.replaceSubrange(offset..<offset + field.count, with: field)
    section.replaceSubrange(124..<128, with: ReferenceFile.big(Int(ReferenceFile.crc(section[..<124])), 4).reversed())
    return section
  }

  /// The bytes that are built from blocks in order.
  static func section(_ blocks: [(FuseNetwork, UInt64)], _ lanes: NetworkSection.Lanes = .eight) throws -> [UInt8] {
    let builder = NetworkSectionBuilder(lanes: lanes, spill())
    for (network, object) in blocks { _ = try builder.add(network, object: object) }
    return try bytes(of: builder)
  }

  /// Finishes a section.
  static func bytes(of builder: NetworkSectionBuilder) throws -> [UInt8] {
    _ = try builder.finish()
    var bytes: [UInt8] = []
    try builder.write { (part) throws(FuseError) in bytes += part.array() }
    return bytes
  }

  /// Memory for all.
  static func spill() -> Spill { Spill(in: ".", memory: 1 << 40, chunkByteCount: 4096) }
}
