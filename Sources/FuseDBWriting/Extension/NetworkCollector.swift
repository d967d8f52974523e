package import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

/// Which sections a block is to get beside those that every block has.
package struct SectionRequest: Sendable {
  package var networks: FuseWriter.Networks
  /// IPv6 blocks in which an IPv4 address answers. [A14]
  package var aliases: [NetworkSection.Alias] = []
  package var keyLengths: Bool

  package init(networks: FuseWriter.Networks = .automatic, keyLengths: Bool = false) {
    self.networks = networks
    self.keyLengths = keyLengths
  }

  /// Just these.
  package init(exactly sections: OptionalSections) {
    self.init(networks: sections.contains(.networks) ? .always : .never, keyLengths: sections.contains(.lengths))
  }

  /// The same, and those that a file has whose keys the new one gets.
  package func keeping(_ sections: OptionalSections, aliases: [NetworkSection.Alias] = []) -> SectionRequest {
    var request = self
    if sections.contains(.networks), networks == .automatic { request.networks = .always }
    if sections.contains(.lengths) { request.keyLengths = true }
    if request.aliases.isEmpty { request.aliases = aliases }
    return request
  }
}

/// What a section of networks was made of.
package struct NetworkCounts: Sendable, Equatable {
  /// Blocks in it.
  package var networkCount: Int
  /// Keys of the file that stand for no block.
  package var literalKeyCount: Int
}

/// Collects the blocks among the keys of a file. See spec/network.md.
final class NetworkCollector {
  /// Of the memory that the block may use, for blocks that are being sorted, and as much for lines.
  private static let shareOfMemory = 16

  private let request: SectionRequest
  private let spill: Spill
  private let records: NetworkRecords
  private var literalKeyCount = 0
  private var hasBlock = false

  init(_ request: SectionRequest, _ limits: BlockLimits, _ sizes: BlockSizes) {
    self.request = request
    spill = Spill(
      in: limits.temporaryFolder, memory: limits.memory / Self.shareOfMemory, chunkByteCount: sizes.chunkByteCount)
    records = NetworkRecords(spill, memory: limits.memory / Self.shareOfMemory)
  }

  /// Adds a key, which may stand for a block.
  ///
  /// - Returns: whether there can still be a section.
  @inline(never)
  func add(key: RawSpan, object: UInt64) throws(FuseError) -> Bool {
    guard let spelling = NetworkSpelling(key), spelling.flaws.isEmpty else {
      literalKeyCount += 1
      return request.networks == .always
    }
    // There is no room for a larger offset. [A10]
    guard object < 1 << 40 else { return false }
    hasBlock = hasBlock || !spelling.isAddress
    try records.add(spelling.network, object: object)
    return true
  }

  /// The section, ready to be written; nil where it is made for blocks alone and there are none, or where keys disagree
  /// about one. [A6]
  ///
  /// - Throws: ``FuseError`` with code `duplicateKey` where keys disagree and the section was asked for.
  func finish(
    _ lanes: NetworkSection.Lanes
  ) throws(FuseError) -> (builder: NetworkSectionBuilder, counts: NetworkCounts)? {
    guard hasBlock || request.networks == .always else { return nil }
    let builder = NetworkSectionBuilder(lanes: lanes, aliases: request.aliases, spill)
    var disputed: FuseNetwork?
    try records.forEach { network, object throws(FuseError) in
      if case .conflicting = try builder.add(network, object: object), disputed == nil { disputed = network }
    }
    if let disputed {
      guard request.networks == .always else { return nil }
      throw FuseError(
        .duplicateKey,
        "the keys \(disputed.address) and \(disputed) stand for the same block and have different objects; drop one of them"
      )
    }
    let section = try builder.finish()
    return (
      builder,
      NetworkCounts(
        networkCount: Int(section.ipv4NetworkCount) + Int(section.ipv6NetworkCount), literalKeyCount: literalKeyCount)
    )
  }
}
