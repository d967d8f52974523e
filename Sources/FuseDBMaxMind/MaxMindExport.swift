package import FuseDBFormat
package import FuseDBReading
package import FuseDBSystem
internal import FuseDBValues

/// Writes the blocks of addresses of a database as a MaxMind DB. See spec/mmdb.md §6.
package struct MaxMindExport {
  /// What was written.
  package struct Report: Sendable, Equatable {
    package var networkCount = 0
    package var nodeCount = 0
    package var recordBits = 0
    package var ipVersion = 0
    /// Distinct values.
    package var valueCount = 0
    package var treeByteCount = 0
    package var dataByteCount = 0
    package var byteCount = 0
  }

  private static let ipv4Length = 96
  private static let mapped: UInt128 = 0xFFFF << 32

  private let reader: FuseReader
  private let aliases: [NetworkSection.Alias]
  private let metadata: [String: String]
  private var tree = MaxMindTree()
  private var parts = MaxMindParts()
  /// The number of a value by where its object is, and the part that each value is.
  private var numbers: [UInt64: Int] = [:]
  private var values: [UInt32] = []
  private var object: [UInt8] = []
  private var report = Report()

  private init(_ reader: FuseReader) throws(FuseError) {
    self.reader = reader
    aliases = reader.networkAliases
    metadata = try reader.metadata
  }

  /// Writes the file, which appears complete or not at all.
  ///
  /// - Parameter progress: is called now and then with how many networks were read.
  /// - Throws: ``FuseError`` with code `invalidValue` and the key that a MaxMind DB has no place for, or where the metadata say what
  ///   it cannot; `inputOutput` when the file cannot be written; and what reading throws.
  package static func write(
    _ reader: FuseReader, to path: String, links: OutputLink, progress: (Int) -> Void = { _ in }
  ) throws(FuseError) -> Report {
    let file = try AtomicFile(replacing: PinnedPath(path), ReplacementRules(links: links))
    var export = try MaxMindExport(reader)
    try export.readAll(progress)
    try export.write(to: file)
    return export.report
  }

  // MARK: Reading

  private mutating func readAll(_ progress: (Int) -> Void) throws(FuseError) {
    try checkKeys()
    let four = try family(.ipv4)
    let six = try family(.ipv6)
    report.ipVersion = try ipVersion(hasIPv6: six != nil)
    if report.ipVersion == 4 {
      if var four { try addAll(&four, under: nil, progress) }
      return
    }
    if var six { try addAll(&six, under: nil, progress) }
    var ipv4 = MaxMindTree.empty
    if var four {
      let slot = try tree.slot(of: 0, Self.ipv4Length)
      tree[slot] = MaxMindTree.empty
      try addAll(&four, under: slot, progress)
      ipv4 = tree[slot]
    } else if MaxMindTree.value(of: tree.record(of: 0, Self.ipv4Length)) != nil {
      // No IPv6 block holds an IPv4 address. [A2]
      try tree.insert(0, Self.ipv4Length, MaxMindTree.empty)
    }
    // The addresses of these are IPv4 addresses.
    for alias in aliases + [NetworkSection.Alias(address: Self.mapped, prefixLength: UInt8(Self.ipv4Length))]
    where alias.address != 0 {
      let length = Int(alias.prefixLength)
      if ipv4 == MaxMindTree.empty, tree.record(of: alias.address, length) == MaxMindTree.empty { continue }
      try tree.insert(alias.address, length, ipv4)
    }
  }

  private func family(_ family: FuseAddress.Family) throws(FuseError) -> NetworkScan? {
    let all = FuseNetwork(inside: FuseAddress(family: family, bits: 0), prefixLength: 0)
    var scan = try reader.networks(within: all)
    return try scan.next() == nil ? nil : try reader.networks(within: all)
  }

  /// Throws for the first key that is no block of addresses.
  private func checkKeys() throws(FuseError) {
    guard !reader.hasNetworks || reader.networkCount != reader.keyCount else { return }
    var scan = try reader.entries()
    while let entry = try scan.next() {
      let key = try entry.keyBytes.array()
      guard let spelling = NetworkSpelling(key.rawSpan), spelling.flaws.isEmpty else {
        throw FuseError(
          .invalidValue,
          "the key \(quoted(key)) is no block of addresses, and a MaxMind DB holds nothing else; export a file without such keys",
          path: reader.path)
      }
    }
    guard reader.hasNetworks else {
      throw FuseError(
        .invalidValue,
        "the file has no section of networks, by whose order a MaxMind DB is written; 'fusedb reindex --network' adds it",
        path: reader.path)
    }
  }

  private func ipVersion(hasIPv6: Bool) throws(FuseError) -> Int {
    switch metadata[MaxMindMetadata.ipVersionName] {
    case "6": return 6
    case "4", nil:
      guard hasIPv6 || !aliases.isEmpty else { return 4 }
      return 6
    case let text?:
      throw FuseError(
        .invalidValue,
        "the metadata say \(MaxMindMetadata.ipVersionName)=\(text), and a MaxMind DB has 4 or 6; --meta says another",
        path: reader.path)
    }
  }

  private mutating func addAll(_ scan: inout NetworkScan, under slot: Int?, _ progress: (Int) -> Void) throws(FuseError)
  {
    // A block comes before those in it, so the last one that is written is the longest.
    while let entry = try scan.next() {
      let network = entry.network
      if network.family == .ipv6, try isElsewhere(network) { continue }
      do throws(FuseError) {
        let number = try number(of: entry.objectOffset)
        let bits = network.address.bits << UInt128(128 - network.family.bitCount)
        try tree.insert(bits, network.prefixLength, MaxMindTree.record(ofValue: number), under: slot)
      } catch {
        guard error.code == .invalidValue || error.code == .limitExceeded else { throw error }
        throw FuseError(error.code, "\(network): \(error.message)", path: reader.path)
      }
      report.networkCount += 1
      if report.networkCount % (1 << 14) == 0 { progress(report.networkCount) }
    }
  }

  /// Whether the addresses of an IPv6 block are IPv4 addresses for readers of a MaxMind DB.
  ///
  /// - Throws: ``FuseError`` where the database has them, and a MaxMind DB has no place for them.
  private func isElsewhere(_ network: FuseNetwork) throws(FuseError) -> Bool {
    for alias in aliases {
      let block = FuseNetwork(
        inside: FuseAddress(family: .ipv6, bits: alias.address), prefixLength: Int(alias.prefixLength))
      if block.contains(network) { return true }
    }
    guard network.prefixLength >= Self.ipv4Length, network.address.bits >> 32 == 0 else { return false }
    throw FuseError(
      .invalidValue, "\(network): readers of a MaxMind DB take this block of ::/96 for one of IPv4; leave it out",
      path: reader.path)
  }

  private mutating func number(of offset: UInt64) throws(FuseError) -> Int {
    if let known = numbers[offset] { return known }
    try reader.copyObject(at: offset, into: &object)
    let object = object
    let number = values.count
    try values.grow(by: try parts.part(of: object.rawSpan))
    numbers[offset] = number
    return number
  }

  // MARK: Writing

  private mutating func write(to file: AtomicFile) throws(FuseError) {
    var places = try [UInt32](values.count, of: 0)
    // As they come in the tree, so that neighbours in one are so in the other.
    for number in values.indices { places[number] = try parts.write(values[number]) }
    report.valueCount = Set(places).count
    report.nodeCount = tree.nodeCount
    report.dataByteCount = parts.data.count
    let most = tree.nodeCount + MaxMindFile.separatorByteCount + parts.data.count
    // The smallest that holds them all. [MD12]
    guard let bits = [24, 28, 32].first(where: { most < 1 << $0 }) else {
      throw FuseError(
        .limitExceeded,
        "the tree and the values have \(most) bytes and nodes, and a record of 32 bits cannot count them")
    }
    report.recordBits = bits
    report.treeByteCount = tree.nodeCount * (bits / 4)
    var bytes: [UInt8] = []
    // The first of them go out last, which makes the file one.
    var head: [UInt8] = []
    func put() throws(FuseError) {
      if head.count < Header.byteCount {
        let count = min(Header.byteCount - head.count, bytes.count)
        head += bytes[..<count]
        bytes.removeSubrange(..<count)
      }
      try file.write(bytes.rawSpan)
      bytes.removeAll(keepingCapacity: true)
    }
    for node in 0..<tree.nodeCount {
      append(target(of: tree[2 * node], places), target(of: tree[2 * node + 1], places), bits, to: &bytes)
      if bytes.count >= 1 << 16 { try put() }
    }
    bytes += [UInt8](repeating: 0, count: MaxMindFile.separatorByteCount)
    try put()
    bytes = parts.data
    try put()
    bytes = MaxMindFile.marker
    bytes += try encodedMetadata()
    try put()
    report.byteCount = Int(file.byteCount)
    try file.publish(header: head)
  }

  /// What a record of the file says.
  private func target(of record: UInt32, _ places: [UInt32]) -> Int {
    if let value = MaxMindTree.value(of: record) {
      return tree.nodeCount + MaxMindFile.separatorByteCount + Int(places[value])
    }
    return MaxMindTree.isNode(record) ? Int(record) : tree.nodeCount
  }

  private func append(_ left: Int, _ right: Int, _ bits: Int, to bytes: inout [UInt8]) {
    func put(_ value: Int, _ byteCount: Int) {
      for i in (0..<byteCount).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
    }
    if bits == 28 {
      put(left, 3)
      bytes.append(UInt8(left >> 24) << 4 | UInt8(right >> 24))
      put(right, 3)
    } else {
      put(left, bits / 8)
      put(right, bits / 8)
    }
  }

  /// The metadata, as a value that stands alone. [MD14]
  private func encodedMetadata() throws(FuseError) -> [UInt8] {
    let known = metadata
    let descriptions = known.filter { $0.key.hasPrefix(MaxMindMetadata.description) }.sorted {
      $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
    }
    let languages = (known[MaxMindMetadata.languages] ?? "").split(separator: ",")
    var epoch = known[MaxMindMetadata.buildEpoch].flatMap { UInt64($0) }
    if epoch == nil, let built = known[MaxMindMetadata.built].flatMap({ FuseTimestamp($0) }) {
      epoch = UInt64(exactly: built.seconds)
    }
    // Readers want each number in its type, whatever its value.
    var bytes: [UInt8] = []
    func head(_ type: Int, _ size: Int) throws(FuseError) { try MaxMindParts.appendHead(type, size: size, to: &bytes) }
    func text(_ text: String) throws(FuseError) {
      try head(2, text.utf8.count)
      bytes += text.utf8
    }
    func number(_ name: String, _ type: Int, _ value: UInt64) throws(FuseError) {
      try text(name)
      let byteCount = (64 - value.leadingZeroBitCount + 7) / 8
      try head(type, byteCount)
      for i in (0..<byteCount).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
    }
    try head(7, 9)
    try number("binary_format_major_version", 5, 2)
    try number("binary_format_minor_version", 5, 0)
    // libmaxminddb refuses 0, and the moment of this call would make other bytes each time.
    try number("build_epoch", 9, max(epoch ?? 1, 1))
    try text("database_type")
    try text(known[MaxMindMetadata.databaseType] ?? "FuseDB")
    try text("description")
    try head(7, descriptions.count)
    for (key, description) in descriptions {
      try text(String(decoding: key.utf8.dropFirst(MaxMindMetadata.description.utf8.count), as: UTF8.self))
      try text(description)
    }
    try number("ip_version", 5, UInt64(report.ipVersion))
    try text("languages")
    try head(11, languages.count)
    for language in languages { try text(String(language)) }
    try number("node_count", 6, UInt64(report.nodeCount))
    try number("record_size", 5, UInt64(report.recordBits))
    return bytes
  }
}
