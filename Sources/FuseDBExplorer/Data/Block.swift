internal import FuseDBFormat
internal import FuseDBReading

/// The networks inside of a block in their order, a bounded number of them in a request.
struct BlockPage: Sendable {
  /// So many networks are looked at.
  static let mostSteps = 20_000
  /// So many are listed.
  static let mostListed = 100

  /// A network and its object.
  struct Listed: Sendable {
    var network: FuseNetwork
    var offset: UInt64
  }

  var listed: [Listed] = []
  /// How many were looked at.
  var stepCount = 0
  /// The last that was looked at, where there may be more.
  var last: FuseNetwork?

  /// - Parameter after: the network after which to go on.
  init(_ reader: FuseReader, in block: FuseNetwork, after: FuseNetwork?, _ filter: FieldFilter?) throws {
    var filter = filter
    let start = after.flatMap { block.contains($0) ? $0 : nil }
    for part in Self.parts(of: block, from: start?.address ?? block.address) {
      var scan = try reader.networks(within: part)
      while let entry = try scan.next() {
        // What is listed already, and begins where we go on.
        if let start, !(start < entry.network) { continue }
        stepCount += 1
        if try filter?.matches(entry.objectOffset, of: reader) ?? true {
          listed.append(Listed(network: entry.network, offset: entry.objectOffset))
        }
        guard stepCount < Self.mostSteps, listed.count < Self.mostListed else {
          last = entry.network
          return
        }
      }
    }
  }

  /// The blocks that together are what is left of a block from an address on. Each network that begins there is in one of them.
  static func parts(of block: FuseNetwork, from address: FuseAddress) -> [FuseNetwork] {
    var parts: [FuseNetwork] = []
    var bits = address.bits
    while true {
      let zeros = min(bits.trailingZeroBitCount, block.family.bitCount)
      let length = max(block.prefixLength, block.family.bitCount - zeros)
      let part = FuseNetwork(inside: FuseAddress(family: block.family, bits: bits), prefixLength: length)
      parts.append(part)
      guard part.lastBits < block.lastBits else { return parts }
      bits = part.lastBits + 1
    }
  }
}
