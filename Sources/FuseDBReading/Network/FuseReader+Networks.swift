public import FuseDBFormat
public import FuseDBSystem
internal import FuseDBValues

// Which block of addresses holds an address. See spec/network.md §6.

extension FuseReader {
  /// Whether the file has the section that finds the block of an address in constant time. ``FuseWriter`` writes it where
  /// all keys are blocks, and where it is told to.
  public var hasNetworks: Bool { networks != nil || shardSet?.hasNetworks == true }

  /// How many blocks of addresses that section has.
  public var networkCount: Int {
    guard let section = networks?.section else { return shardSet?.networkCount ?? 0 }
    return Int(section.ipv4NetworkCount) + Int(section.ipv6NetworkCount)
  }

  /// The longest block that holds an address, with its object in place; nil when no block of the file holds it.
  ///
  ///     let address = FuseAddress("8.8.8.8")!
  ///     if let match = try reader.longestMatch(of: address) {
  ///       print(match.key, try match.view["org"]?.string ?? "")   // 8.8.8.0/24 Google LLC
  ///     }
  ///
  /// Blocks are the keys in canonical text, as `8.8.8.0/24`, `2001:db8::/32`, or an address alone; an address in ::ffff:0:0/96 is the
  /// IPv4 address. What says so is compared with its check first, unless the reader was opened with
  /// `checksums: .skipped`; the object when its bytes are asked for. Nothing is copied or allocated.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` when what leads to the answer is damaged, `truncated` when the file shrank
  ///   since it was opened.
  /// - Complexity: O(1): three or four cache lines. Without ``hasNetworks``, a look-up for each prefix length: 33 or 129.
  @inlinable
  @inline(__always)
  @_lifetime(borrow self)
  public func longestMatch(of address: FuseAddress) throws(FuseError) -> FuseNetworkMatch? {
    // In the caller's code a look-up is short enough that the processor works on several at once.
    guard let table = unsafe address.family == .ipv4 ? anyNetworks : plainNetworks else {
      return try longestMatch(resolving: address)
    }
    let isChecked = checksums == .verified
    // SAFETY: this reader keeps the table.
    let match = unsafe table._withUnsafeGuaranteedRef { $0.anyMatch(address, isChecked: isChecked) }
    if match.isDamaged || !mapping.isPlainlyWhole { try refuse(match) }
    return match.isFound ? FuseNetworkMatch(match, of: address, in: self) : nil
  }

  /// The same for the address that a text spells; nil, too, when it spells none. See ``FuseAddress/init(_:)``.
  ///
  ///     try reader.longestMatch(of: "2001:db8::1")?.key   // 2001:db8::/32
  ///
  /// - Throws: as ``longestMatch(of:)-(FuseAddress)``.
  @_lifetime(borrow self)
  public func longestMatch(of text: String) throws(FuseError) -> FuseNetworkMatch? {
    guard let address = FuseAddress(text) else { return nil }
    return try longestMatch(of: address)
  }

  /// Calls `body` with the longest block that holds an address, and returns what it returns; nil when none holds it.
  ///
  /// - Throws: as ``longestMatch(of:)-(FuseAddress)``, also when the file shrank while `body` ran; and what `body` throws.
  /// - Complexity: O(1).
  public func withLongestMatch<Result>(
    of address: FuseAddress, _ body: (borrowing FuseNetworkMatch) throws -> Result?
  ) throws -> Result? {
    guard let match = try longestMatch(of: address) else { return nil }
    let result = try body(match)
    try checkNotShrunk()
    return result
  }

  /// Finds the longest block for each of many addresses, and calls `body` in their order, with the number of the address, or nil where none holds it.
  ///
  ///     try reader.withLongestMatches(of: addresses) { number, match in
  ///       print(addresses[number], match?.key.description ?? "no block")
  ///     }
  ///
  /// The searches wait for memory together: of a large file, many addresses take less than half the time of one after the other.
  ///
  /// - Throws: as ``withLongestMatch(of:_:)``, at the first address whose answer is damaged; `body` was called for those before it. That
  ///   the file shrank while `body` ran is thrown at the end.
  /// - Complexity: O(addresses).
  @inlinable
  public func withLongestMatches(
    of addresses: [FuseAddress], _ body: (_ number: Int, _ match: borrowing FuseNetworkMatch?) throws -> Void
  ) throws {
    var failure: (any Error)?
    try forEachLongestMatch(of: addresses) { (number, match) throws(FuseError) in
      guard failure == nil else { return }
      do { try body(number, match) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// All blocks that hold an address, the longest first.
  ///
  /// - Throws: as ``longestMatch(of:)-(FuseAddress)``.
  /// - Complexity: a look-up for each prefix length that the file has and that is shorter than the longest block's; without
  ///   ``hasNetworks``, one for each prefix length.
  public func containing(_ address: FuseAddress) throws(FuseError) -> [NetworkEntry] {
    var found: [NetworkEntry] = []
    try forEachContaining(address) { network, object in
      found.append(NetworkEntry(reader: self, network: network, objectOffset: object))
      return true
    }
    return found
  }

  /// All blocks inside of one, itself among them, in order: by first address, a block before those in it. Each is listed once, and aliases are
  /// not followed.
  ///
  /// - Throws: ``FuseError`` with code `notFound` without ``hasNetworks``.
  /// - Complexity: O(1); of a scan of all, O(blocks).
  public func networks(within network: FuseNetwork) throws(FuseError) -> NetworkScan {
    if let set = shardSet, set.hasNetworks { return try NetworkScan(self, set, within: network) }
    guard let networks else {
      throw FuseError(
        .notFound, "the file has no section of networks; 'fusedb reindex --network' adds it", path: path)
    }
    return NetworkScan(self, NetworkWalk(networks, within: network, isChecked: checksums == .verified))
  }
}

extension FuseReader {
  /// Calls `body` with the longest block for each address, in their order.
  @inlinable
  package func forEachLongestMatch(
    of addresses: [FuseAddress], _ body: (_ number: Int, _ match: borrowing FuseNetworkMatch?) throws(FuseError) -> Void
  ) throws(FuseError) {
    if isCompact, try forEachLongestMatch(ofShards: addresses, body) { return }
    let isChecked = checksums == .verified
    // Those that answer for them.
    var addresses = addresses
    var group = NetworkGroup()
    var matches: [NetworkMatch] = []
    matches.reserveCapacity(min(NetworkGroup.addressesAtOnce, addresses.count))
    let mapping = mapping
    var start = 0
    while start < addresses.count {
      let end = min(start &+ NetworkGroup.addressesAtOnce, addresses.count)
      guard let networks else {
        // One after the other.
        let match = try longestMatch(resolving: addresses[start])
        try body(start, match)
        start &+= 1
        continue
      }
      // SAFETY: this reader keeps the table.
      let table = unsafe Unmanaged.passUnretained(networks)
      if networks.hasAliases {
        for number in start..<end { addresses[number] = networks.resolved(addresses[number]) }
      }
      unsafe table._withUnsafeGuaranteedRef { $0.findLines(addresses.span.extracting(start..<end), &group) }
      matches.removeAll(keepingCapacity: true)
      for number in start..<end {
        let line = group.first[number &- start]
        let match = unsafe table._withUnsafeGuaranteedRef {
          $0.match(addresses[number], in: line, isChecked: isChecked)
        }
        // Objects are wanted soon, and then waited for together.
        if match.isFound, !match.isDamaged { mapping.prefetch(at: match.object, lineCount: 2) }
        matches.append(match)
      }
      for (place, match) in matches.enumerated() {
        if match.isDamaged { try refuse(match) }
        try body(start &+ place, match.isFound ? FuseNetworkMatch(match, of: addresses[start &+ place], in: self) : nil)
      }
      start = end
    }
    try mapping.checkNotShrunk()
  }

  /// The IPv6 blocks in which IPv4 addresses answer. [A14]
  package var networkAliases: [NetworkSection.Alias] { (networks ?? shardSet?.anyNetworks)?.section.aliases ?? [] }

  /// Where the object of exactly this block is, as a key: of a block of one address, the address or the block. [A5]
  package func objectOffset(of network: FuseNetwork) throws(FuseError) -> UInt64? {
    if network.prefixLength == network.family.bitCount {
      let text = NetworkText(network.address)
      if let offset = try objectOffset(forKey: text.bytes) { return offset }
    }
    let text = NetworkText(network)
    return try objectOffset(forKey: text.bytes)
  }

  /// The key that the file has for a block: of a block of one address that may be the address alone.
  package func keyText(of network: FuseNetwork) throws(FuseError) -> NetworkText {
    if network.prefixLength == network.family.bitCount {
      let address = NetworkText(network.address)
      if try objectOffset(forKey: address.bytes) != nil { return address }
    }
    return NetworkText(network)
  }

  /// Throws where the file shrank, or the match is damaged.
  @inline(never)
  @usableFromInline
  func refuse(_ match: NetworkMatch) throws(FuseError) {
    try mapping.checkNotShrunk()
    if match.isDamaged, let networks { throw networks.damage(match.table, match.line).at(path: path) }
  }

  /// The same where a section has aliases, or there is none.
  @inline(never)
  @usableFromInline
  @_lifetime(borrow self)
  func longestMatch(resolving address: FuseAddress) throws(FuseError) -> FuseNetworkMatch? {
    if let set = shardSet {
      let address = try set.resolved(address)
      guard let match = try match(of: address, in: set) else { return nil }
      return FuseNetworkMatch(match, of: address, in: self)
    }
    guard let networks else { return try longestMatch(probing: address) }
    let address = networks.resolved(address)
    let match = networks.anyMatch(address, isChecked: checksums == .verified)
    try refuse(match)
    return match.isFound ? FuseNetworkMatch(match, of: address, in: self) : nil
  }

  @_lifetime(borrow self)
  private func longestMatch(probing address: FuseAddress) throws(FuseError) -> FuseNetworkMatch? {
    var found: NetworkMatch?
    try forEachContaining(address) { network, object in
      let answer = NetworkAnswer(object: object, length: UInt8(network.prefixLength))
      found = NetworkMatch(answer, network.family == .ipv4 ? .ipv4 : .ipv6, line: NetworkMatch.noLine)
      return false
    }
    guard let found else { return nil }
    return FuseNetworkMatch(found, of: address, in: self)
  }

  /// Calls `body` with each block that holds an address, the longest first, for as long as it returns true.
  private func forEachContaining(
    _ address: FuseAddress, _ body: (FuseNetwork, _ object: UInt64) throws(FuseError) -> Bool
  ) throws(FuseError) {
    do throws(FuseError) {
      if let networks {
        try networks.forEachContaining(
          networks.resolved(address), isChecked: checksums == .verified,
          exact: { network throws(FuseError) in try objectOffset(of: network) }, body)
      } else {
        let address = try shardSet?.resolved(address) ?? address
        for length in (0...address.family.bitCount).reversed() {
          let network = FuseNetwork(around: address, prefixLength: length)
          if let object = try objectOffset(of: network), try !body(network, object) { break }
        }
      }
    } catch {
      throw unlessShrunk(error)
    }
    try checkNotShrunk()
  }

  /// The largest block around an address with the same answer.
  func scope(of match: NetworkMatch, _ address: FuseAddress) -> FuseNetwork {
    if let set = shardSet { return set.scope(of: match, address) }
    guard let networks, match.line != NetworkMatch.noLine else {
      return FuseNetwork(around: address, prefixLength: address.family.bitCount)
    }
    return networks.scope(of: match, address)
  }
}
