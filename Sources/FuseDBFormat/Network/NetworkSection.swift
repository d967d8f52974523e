/// The header of the section `NETW`, and where its tables stand. See spec/network.md §3.
@usableFromInline package struct NetworkSection: Equatable, Sendable {
  @inlinable package static var byteCount: Int { 128 }
  @inlinable package static var lineByteCount: Int { 64 }
  /// How many keys a node of the tree has, and how many bases a leaf.
  @inlinable package static var keysPerNode: Int { 8 }
  /// How many bases of all ones come after the last one of IPv4, so that sixteen can be compared wherever a search is. [A9]
  @inlinable package static var basesAfterLast: Int { 16 }
  /// Line numbers have 32 bits.
  package static let mostLines = Int(UInt32.max)
  package static let mostAliases = 3

  /// The offset of each field.
  enum Field {
    static let networks = 0
    static let runs = 8
    static let lines = 32
    static let directoryBits = 44
    static let lanes = 45
    static let lengthsOfIPv4 = 48
    static let lengthsOfIPv6 = 56
    static let aliases = 80
    static let checksum = 124
  }

  /// How many runs a line has: 8 while the key index ends below 2^32, otherwise 7 with wider offsets; 9 with narrower ones in a small compact file of
  /// networks alone.
  @usableFromInline package enum Lanes: UInt8, Sendable, CaseIterable {
    case eight = 8
    case seven = 7
    case nine = 9
  }

  /// The rows of lines.
  @usableFromInline package enum Table: Int, Sendable, CaseIterable {
    /// Over the 32 bits of IPv4 addresses.
    case ipv4
    /// Over the upper 64 bits of IPv6 addresses.
    case ipv6
    /// Over all bits of those IPv6 addresses whose /64 has a longer block.
    case deep
  }

  /// An IPv6 block of which the 32 bits after the prefix are an IPv4 address that answers for it.
  package struct Alias: Equatable, Sendable {
    /// The first address of the block.
    package var address: UInt128
    /// 1 to 96.
    package var prefixLength: UInt8

    package init(address: UInt128, prefixLength: UInt8) {
      self.address = address
      self.prefixLength = prefixLength
    }
  }

  /// A number for each table.
  package struct Counts: Equatable, Sendable {
    package var ipv4 = 0
    package var ipv6 = 0
    package var deep = 0

    package init() {}

    package subscript(table: Table) -> Int {
      get {
        switch table {
        case .ipv4: ipv4
        case .ipv6: ipv6
        case .deep: deep
        }
      }
      set {
        switch table {
        case .ipv4: ipv4 = newValue
        case .ipv6: ipv6 = newValue
        case .deep: deep = newValue
        }
      }
    }
  }

  package var lanes: Lanes
  package var ipv4NetworkCount: UInt32 = 0
  package var ipv6NetworkCount: UInt32 = 0
  package var runCounts = Counts()
  package var lineCounts = Counts()
  /// Bit n: there is a network of that prefix length.
  package var ipv4Lengths: UInt64 = 0
  package var ipv6Lengths = PrefixLengths()
  package var aliases: [Alias] = []

  package init(lanes: Lanes) { self.lanes = lanes }

  /// How many of the upper bits of an IPv4 address the directory takes: 8 to 18, or 0 without lines. [A9]
  package var directoryBits: Int {
    let lines = lineCounts.ipv4
    return lines == 0 ? 0 : min(18, max(8, Int.bitWidth - 1 - lines.leadingZeroBitCount))
  }
}

/// A set of prefix lengths from 0 to 128.
package struct PrefixLengths: Equatable, Sendable {
  /// From length 0 on, 64 bits each, and length 128 in the last.
  package var low: UInt64 = 0
  package var high: UInt64 = 0
  package var last: UInt64 = 0

  package init() {}

  package init(low: UInt64, high: UInt64, last: UInt64) {
    self.low = low
    self.high = high
    self.last = last
  }

  package func contains(_ length: Int) -> Bool {
    let word = length < 64 ? low : length < 128 ? high : last
    return word >> UInt64(length & 63) & 1 == 1
  }

  package mutating func insert(_ length: Int) {
    let bit: UInt64 = 1 << UInt64(length & 63)
    if length < 64 { low |= bit } else if length < 128 { high |= bit } else { last |= bit }
  }
}

extension NetworkSection {
  /// Where the tables stand, from the start of the section. [A8]
  @usableFromInline package struct Layout: Equatable, Sendable {
    @usableFromInline package var directory = 0
    @usableFromInline package var ipv4Bases = 0
    @usableFromInline package var ipv4Lines = 0
    /// The number of nodes of each level of the tree above the leaves, the top first.
    @usableFromInline package var levels: [Int] = []
    @usableFromInline package var tree = 0
    @usableFromInline package var ipv6Bases = 0
    @usableFromInline package var ipv6Lines = 0
    @usableFromInline package var deepBases = 0
    @usableFromInline package var deepLines = 0
    @usableFromInline package var end = 0
  }

  /// Where the tables of so many lines stand.
  package var layout: Layout {
    var layout = Layout()
    var end = Self.byteCount
    func take(_ byteCount: Int) -> Int {
      defer { end += (byteCount + 63) / 64 * 64 }
      return end
    }
    layout.directory = take(lineCounts.ipv4 == 0 ? 0 : 4 * (1 << directoryBits + 1))
    layout.ipv4Bases = take(lineCounts.ipv4 == 0 ? 0 : 4 * (lineCounts.ipv4 + Self.basesAfterLast))
    layout.ipv4Lines = take(64 * lineCounts.ipv4)
    layout.levels = Self.levels(lineCount: lineCounts.ipv6)
    layout.tree = take(64 * layout.levels.reduce(0, +))
    layout.ipv6Bases = take(8 * lineCounts.ipv6)
    layout.ipv6Lines = take(64 * lineCounts.ipv6)
    layout.deepBases = take(16 * lineCounts.deep)
    layout.deepLines = take(64 * lineCounts.deep)
    layout.end = end
    return layout
  }

  /// The number of nodes of each level above the leaves, the top first.
  static func levels(lineCount: Int) -> [Int] {
    var levels: [Int] = []
    var nodeCount = (lineCount + keysPerNode - 1) / keysPerNode
    while nodeCount > 1 {
      nodeCount = (nodeCount + keysPerNode) / (keysPerNode + 1)
      levels.insert(nodeCount, at: 0)
    }
    return levels
  }
}

extension NetworkSection {
  /// Reads the header of a section and checks that the tables fill the rest of it. [A7] [A8]
  ///
  /// - Parameter isCompact: whether it is a section of a compact file: others have no lines of nine runs.
  package init(parsing section: RawSpan, at offset: Int, isCompact: Bool = false) throws(FuseError) {
    guard section.byteCount >= Self.byteCount else {
      throw .corrupted(
        "the network section has \(counted(section.byteCount, "byte")) and its header \(Self.byteCount)", at: offset)
    }
    let checksum = Checksum.of(section.extracting(first: Field.checksum))
    let stored = section.little(at: Field.checksum, as: UInt32.self)
    guard checksum == stored else {
      throw .corrupted(
        "the checksum of the network section's header is \(checksum.hexadecimal) and it says \(stored.hexadecimal)",
        at: offset)
    }
    let misfit = FuseError.corrupted("the fields of the network section's header do not fit the section", at: offset)
    guard let lanes = Lanes(rawValue: section.little(at: Field.lanes, as: UInt8.self)), lanes != .nine || isCompact
    else { throw misfit }
    self.init(lanes: lanes)
    ipv4NetworkCount = section.little(at: Field.networks, as: UInt32.self)
    ipv6NetworkCount = section.little(at: Field.networks + 4, as: UInt32.self)
    for table in Table.allCases {
      let runs = section.little(at: Field.runs + 8 * table.rawValue, as: UInt64.self)
      let lines = Int(section.little(at: Field.lines + 4 * table.rawValue, as: UInt32.self))
      // A line has 1 to 8 runs. Line numbers of 32 bits keep all sums below far from overflow.
      guard runs >= UInt64(lines), runs <= UInt64(lines) * UInt64(lanes.rawValue) else { throw misfit }
      runCounts[table] = Int(runs)
      lineCounts[table] = lines
    }
    guard Int(section.little(at: Field.directoryBits, as: UInt8.self)) == directoryBits, layout.end == section.byteCount
    else { throw misfit }
    ipv4Lengths = section.little(at: Field.lengthsOfIPv4, as: UInt64.self)
    ipv6Lengths = PrefixLengths(
      low: section.little(at: Field.lengthsOfIPv6, as: UInt64.self),
      high: section.little(at: Field.lengthsOfIPv6 + 8, as: UInt64.self),
      last: section.little(at: Field.lengthsOfIPv6 + 16, as: UInt64.self))
    guard ipv4Lengths >> 33 == 0, ipv6Lengths.last >> 1 == 0 else { throw misfit }
    try readAliases(section, misfit)
  }

  private mutating func readAliases(_ section: RawSpan, _ misfit: FuseError) throws(FuseError) {
    for number in 0..<Self.mostAliases {
      let start = Field.aliases + 14 * number
      let length = section.little(at: start + 12, as: UInt8.self)
      guard length > 0 else { return }
      let high = UInt128(section.loadInside(at: start, as: UInt64.self)) << 64
      let address = high | UInt128(section.loadInside(at: start + 8, as: UInt32.self)) << 32
      guard length <= 96, address & FuseAddress.hostMask(.ipv6, Int(length)) == 0 else { throw misfit }
      aliases.append(Alias(address: address, prefixLength: length))
    }
  }

  /// The 128 bytes of the header.
  package var bytes: [UInt8] {
    precondition(aliases.count <= Self.mostAliases, "a section has three aliases at most")
    var out: [UInt8] = []
    out.append(littleEndian: ipv4NetworkCount)
    out.append(littleEndian: ipv6NetworkCount)
    for table in Table.allCases { out.append(littleEndian: UInt64(runCounts[table])) }
    for table in Table.allCases { out.append(littleEndian: UInt32(lineCounts[table])) }
    out.append(UInt8(directoryBits))
    out.append(lanes.rawValue)
    out += [0, 0]
    out.append(littleEndian: ipv4Lengths)
    out.append(littleEndian: ipv6Lengths.low)
    out.append(littleEndian: ipv6Lengths.high)
    out.append(littleEndian: ipv6Lengths.last)
    for alias in aliases {
      // The address in network order, as far as a prefix reaches.
      out.append(bigEndian: UInt64(alias.address >> 64))
      out.append(bigEndian: UInt32(truncatingIfNeeded: alias.address >> 32))
      out += [alias.prefixLength, 0]
    }
    out += [UInt8](repeating: 0, count: Field.checksum - out.count)
    out.append(littleEndian: Checksum.of(out.rawSpan))
    return out
  }
}

extension RawSpan {
  /// The little-endian integer at `offset`.
  /// - Precondition: it lies inside the span.
  @inlinable
  @inline(__always)
  package func little<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T {
    loadInside(at: offset, as: type).byteSwapped
  }
}

extension [UInt8] {
  package mutating func append<T: FixedWidthInteger>(littleEndian value: T) { append(bigEndian: value.byteSwapped) }
}

extension NetworkSection {
  /// How many bytes a base of a table has.
  package static func baseByteCount(_ table: Table) -> Int {
    switch table {
    case .ipv4: 4
    case .ipv6: 8
    case .deep: 16
    }
  }
}
