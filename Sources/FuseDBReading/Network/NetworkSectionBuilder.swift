package import FuseDBFormat
package import FuseDBSystem

/// Makes the section `NETW` from blocks in order. See spec/network.md and spec/decisions/0024-networks.md.
///
/// Lines and their bases wait, in memory or in a temporary file, until their number is known: the tables that lead to them come first.
/// Of the tree alone, a 72nd of the IPv6 lines, all keys are in memory.
package final class NetworkSectionBuilder {
  private var lines: NetworkLines
  private let lineStreams: [SpillStream]
  private let baseStreams: [SpillStream]
  private var tree = NetworkTree()
  /// Of blocks that begin where no longer one does.
  private var starts: NetworkStartCounter
  /// How many IPv4 blocks the lines show, after ``finish()``; and how many begin before each sixteenth line.
  package private(set) var startCount = 0
  package var startCounts: [UInt32] { starts.counts }
  private var header: NetworkSection?

  /// - Parameters:
  ///   - lanes: how wide offsets of objects are.
  ///   - spill: where lines wait.
  package init(lanes: NetworkSection.Lanes, aliases: [NetworkSection.Alias] = [], _ spill: Spill) {
    lines = NetworkLines(lanes: lanes, aliases: aliases)
    starts = NetworkStartCounter(lanes)
    lineStreams = NetworkSection.Table.allCases.map { _ in SpillStream(spill, recordByteCount: 64) }
    baseStreams = NetworkSection.Table.allCases.map {
      SpillStream(spill, recordByteCount: NetworkSection.baseByteCount($0))
    }
  }

  /// Adds a block; they come in ascending order.
  package func add(_ network: FuseNetwork, object: UInt64) throws(FuseError) -> NetworkLines.Addition {
    try lines.add(network, object: object) { table, line, base throws(FuseError) in try take(table, line, base) }
  }

  private func take(_ table: NetworkSection.Table, _ line: [UInt8], _ base: UInt128) throws(FuseError) {
    try lineStreams[table.rawValue].append(line.rawSpan)
    let bases = baseStreams[table.rawValue]
    switch table {
    case .ipv4:
      try bases.append(record: UInt32(truncatingIfNeeded: base).littleEndian)
      starts.add(line, base: UInt64(truncatingIfNeeded: base))
    case .ipv6:
      let base = UInt64(truncatingIfNeeded: base)
      try bases.append(record: base.littleEndian)
      tree.add(base: base)
    case .deep: try bases.append(record: base.littleEndian)
    }
  }

  /// Ends the adding.
  ///
  /// - Returns: the header, which tells the section's length.
  package func finish() throws(FuseError) -> NetworkSection {
    let header = try lines.finish { table, line, base throws(FuseError) in try take(table, line, base) }
    for stream in lineStreams + baseStreams { stream.finish() }
    startCount = starts.finish()
    self.header = header
    return header
  }

  /// Hands out the section's bytes, after ``finish()``.
  package func write(_ put: (RawSpan) throws(FuseError) -> Void) throws(FuseError) {
    guard let header else { preconditionFailure("the section is finished before it is written") }
    try put(header.bytes.rawSpan)
    if header.lineCounts.ipv4 > 0 { try writeDirectory(header, put) }
    try copy(.ipv4, header, put)
    for key in tree.nodes() {
      var bytes: [UInt8] = []
      bytes.append(littleEndian: key)
      try put(bytes.rawSpan)
    }
    try copy(.ipv6, header, put)
    try copy(.deep, header, put)
  }

  private func writeDirectory(
    _ header: NetworkSection, _ put: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    var directory = NetworkDirectory(for: header)
    var bases = SpillReader(baseStreams[NetworkSection.Table.ipv4.rawValue])
    while let base = try bases.next(as: UInt32.self) { directory.add(base: UInt32(littleEndian: base)) }
    directory.finish()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * directory.entries.count)
    for entry in directory.entries { bytes.append(littleEndian: entry) }
    try put(bytes.rawSpan)
    try pad(bytes.count, with: 0, put)
  }

  /// Writes the bases of a table, and its lines.
  private func copy(
    _ table: NetworkSection.Table, _ header: NetworkSection, _ put: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    let count = header.lineCounts[table]
    let width = NetworkSection.baseByteCount(table)
    var bases = SpillReader(baseStreams[table.rawValue])
    for _ in 0..<count { try bases.withNext(width, put) }
    // What is compared with many bases at once passes none of these.
    var byteCount = count * width
    if table == .ipv4, count > 0 {
      let more = 4 * NetworkSection.basesAfterLast
      try put([UInt8](repeating: 0xFF, count: more).rawSpan)
      byteCount += more
    }
    try pad(byteCount, with: table == .deep ? 0 : 0xFF, put)
    var lines = SpillReader(lineStreams[table.rawValue])
    for _ in 0..<count { try lines.withNext(64, put) }
  }

  private func pad(
    _ byteCount: Int, with byte: UInt8, _ put: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    try put([UInt8](repeating: byte, count: (64 - byteCount % 64) % 64).rawSpan)
  }
}
