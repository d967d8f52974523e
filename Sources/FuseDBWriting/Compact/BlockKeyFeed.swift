internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

/// What tells whether the keys of a file are networks alone, from all of them in their order. [CN1]
struct NetworkAloneTest {
  /// Whether there is no reason yet that they are not.
  private(set) var isPassed: Bool
  /// Whether a block is among them, and not just addresses.
  private(set) var hasBlock = false
  /// Whether IPv4 blocks of one address are written with their length; nil before there is one.
  private var hasLengths: Bool?
  /// How many keys are to stand in blocks of keys.
  private(set) var blockKeyCount = 0
  private(set) var ipv6KeyCount = 0
  private var last: NetworkSpelling?
  private var lengths: [Int] = []

  init(isWanted: Bool) { isPassed = isWanted }

  var addressesHaveLengths: Bool { hasLengths ?? false }

  /// - Precondition: it is passed so far.
  @inline(never)
  mutating func add(_ key: RawSpan) {
    guard let spelling = NetworkSpelling(key), spelling.flaws.isEmpty else { return isPassed = false }
    hasBlock = hasBlock || !spelling.isAddress
    let network = spelling.network
    if network.family == .ipv6 { ipv6KeyCount += 1 }
    if network.family == .ipv4, network.prefixLength == 32 {
      if let hasLengths, hasLengths == spelling.isAddress { return isPassed = false }
      hasLengths = !spelling.isAddress
    }
    // Texts of blocks that begin at one address stand beside one another.
    if let last, last.network.address == network.address {
      if lengths.contains(network.prefixLength) { return isPassed = false }
      lengths.append(network.prefixLength)
      blockKeyCount += 1
    } else {
      lengths = [network.prefixLength]
      if network.family == .ipv6 { blockKeyCount += 1 }
    }
    last = spelling
  }
}

/// The keys that stand in blocks of keys, in their order, with the numbers of their objects: all, or in a file of networks alone those that the
/// section of networks does not show. [CN2]
struct BlockKeyFeed: ~Copyable {
  typealias Item = (key: Range<Int>, number: UInt32)

  private let reader: FuseReader
  private let isOfNetworksAlone: Bool
  private var scan: Scan
  private var numbers: SpillReader
  /// Those of one address, the one that is shown left out; and how many of them were handed out.
  private var group: [Item] = []
  private var given = 0
  /// The first of the next address.
  private var next: (item: Item, network: FuseNetwork)?

  init(_ reader: FuseReader, _ numbers: SpillStream, isOfNetworksAlone: Bool) throws(FuseError) {
    self.reader = reader
    self.isOfNetworksAlone = isOfNetworksAlone
    scan = try reader.entries().keysOnly
    self.numbers = SpillReader(numbers)
  }

  @inline(__always)
  mutating func take() throws(FuseError) -> Item? {
    if isOfNetworksAlone { return try takeHidden() }
    guard let entry = try scan.next(), let number = try numbers.next(as: UInt32.self) else { return nil }
    return (entry.entry.keyRange, number)
  }

  @inline(never)
  private mutating func takeHidden() throws(FuseError) -> Item? {
    while given == group.count {
      (group, given) = ([], 0)
      if next == nil { next = try read() }
      guard let first = next else { return nil }
      next = nil
      group.append(first.item)
      guard first.network.family == .ipv4 else { break }
      var (longest, place) = (first.network.prefixLength, 0)
      while let another = try read() {
        guard another.network.address == first.network.address else {
          next = another
          break
        }
        if another.network.prefixLength > longest { (longest, place) = (another.network.prefixLength, group.count) }
        group.append(another.item)
      }
      group.remove(at: place)
    }
    defer { given += 1 }
    return group[given]
  }

  private mutating func read() throws(FuseError) -> (item: Item, network: FuseNetwork)? {
    guard let entry = try scan.next(), let number = try numbers.next(as: UInt32.self) else { return nil }
    let range = entry.entry.keyRange
    let mapping = reader.mapping
    guard let spelling = NetworkSpelling(mapping.bytes.extracting(range)) else { throw reader.changed(at: 0) }
    return ((range, number), spelling.network)
  }
}
