internal import FuseDBFormat
internal import FuseDBSystem

// Blocks of addresses: each shard has some, and the longest that holds an address counts. See spec/sharding.md [GA3].

extension ShardedReader {
  /// The tables of the shards that have one; throws where a shard cannot be opened.
  private func tables() throws(FuseError) -> [(number: Int, table: NetworkTable, reader: FuseReader)] {
    var tables: [(number: Int, table: NetworkTable, reader: FuseReader)] = []
    for number in 0..<shardCount {
      let shard = try shard(at: number)
      if let table = shard.networks { tables.append((number, table, shard)) }
    }
    return tables
  }

  /// The table of any shard; nil where none that can be opened has one.
  var anyNetworks: NetworkTable? {
    for number in 0..<shardCount {
      if let table = (try? shard(at: number))?.networks { return table }
    }
    return nil
  }

  /// Whether a shard has a section of networks.
  var hasNetworks: Bool { anyNetworks != nil }

  /// How many blocks those sections have together.
  var networkCount: Int {
    (0..<shardCount).reduce(0) { $0 + ((try? shard(at: $1))?.networkCount ?? 0) }
  }

  /// The address that answers for another; all shards have the same aliases.
  func resolved(_ address: FuseAddress) throws(FuseError) -> FuseAddress {
    address.family == .ipv6 ? anyNetworks?.resolved(address) ?? address : address
  }

  /// The largest block around an address, as far as the shards' tables tell, of which all addresses have the same answer: what all shards agree on.
  func scope(of match: NetworkMatch, _ address: FuseAddress) -> FuseNetwork {
    let alone = FuseNetwork(around: address, prefixLength: address.family.bitCount)
    var length = 0
    for number in 0..<shardCount {
      guard manifest.shards[number].keyCount > 0 else { continue }
      guard let table = (try? shard(at: number))?.networks else { return alone }
      let own = table.anyMatch(address, isChecked: true)
      guard !own.isDamaged else { return alone }
      length = max(length, table.scope(of: own, address).prefixLength)
    }
    return FuseNetwork(around: address, prefixLength: length)
  }
}

extension FuseReader {
  /// The longest block that holds an address, in all shards.
  func match(of address: FuseAddress, in set: ShardedReader) throws(FuseError) -> NetworkMatch? {
    let table: NetworkSection.Table = address.family == .ipv4 ? .ipv4 : .ipv6
    var best: (length: Int, object: UInt64)?
    var lacksTable = false
    for number in 0..<set.shardCount {
      // What has no key has no block.
      guard set.manifest.shards[number].keyCount > 0 else { continue }
      let shard = try set.shard(at: number)
      guard let networks = shard.networks else {
        lacksTable = true
        continue
      }
      let match = networks.anyMatch(address, isChecked: checksums == .verified)
      try shard.refuse(match)
      guard match.isFound, match.prefixLength > best?.length ?? -1 else { continue }
      best = (match.prefixLength, Self.offset(match.object, inShard: number))
    }
    // Keys of shards without a table are looked up one by one: each in the shard that has it.
    if lacksTable {
      for length in ((best?.length ?? -1) + 1..<address.family.bitCount + 1).reversed() {
        let network = FuseNetwork(around: address, prefixLength: length)
        guard let object = try objectOffset(of: network) else { continue }
        best = (length, object)
        break
      }
    }
    return best.map { NetworkMatch(NetworkAnswer(object: $0.object, length: UInt8($0.length)), table, line: NetworkMatch.noLine) }
  }
}
