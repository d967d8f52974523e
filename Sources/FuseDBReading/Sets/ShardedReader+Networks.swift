public import FuseDBFormat
internal import FuseDBSystem

// Blocks of addresses: each shard has some, and the longest that holds an address counts. See spec/sharding.md [GA3].

extension ShardedReader {
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
    return best.map {
      NetworkMatch(NetworkAnswer(object: $0.object, length: UInt8($0.length)), table, line: NetworkMatch.noLine)
    }
  }

  /// The same for many addresses: each shard is asked for all of them together. Returns false for a file.
  @usableFromInline
  func forEachLongestMatch(
    ofShards addresses: [FuseAddress],
    _ body: (_ number: Int, _ match: borrowing FuseNetworkMatch?) throws(FuseError) -> Void
  ) throws(FuseError) -> Bool {
    guard let set = shardSet else { return false }
    var start = 0
    while start < addresses.count {
      let end = min(start + Self.addressesAtOnce, addresses.count)
      var part: [FuseAddress] = []
      for address in addresses[start..<end] { part.append(try set.resolved(address)) }
      var best = [(length: Int, object: UInt64)](repeating: (-1, 0), count: part.count)
      var lacksTable = false
      for shardNumber in 0..<set.shardCount where set.manifest.shards[shardNumber].keyCount > 0 {
        let shard = try set.shard(at: shardNumber)
        guard shard.networks != nil else {
          lacksTable = true
          continue
        }
        try shard.forEachLongestMatch(of: part) { number, match in
          guard let match = copy match, match.key.prefixLength > best[number].length else { return }
          best[number] = (match.key.prefixLength, Self.offset(match.objectOffset, inShard: shardNumber))
        }
      }
      for (number, address) in part.enumerated() {
        if lacksTable {
          let match = try longestMatch(of: address)
          try body(start + number, match)
        } else if best[number].length < 0 {
          try body(start + number, nil)
        } else {
          let answer = NetworkAnswer(object: best[number].object, length: UInt8(best[number].length))
          let match = NetworkMatch(answer, address.family == .ipv4 ? .ipv4 : .ipv6, line: NetworkMatch.noLine)
          try body(start + number, FuseNetworkMatch(match, of: address, in: self))
        }
      }
      start = end
    }
    try checkNotShrunk()
    return true
  }

  private static let addressesAtOnce = 4096
}
