internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension Verifier {
  /// For blocks that are being sorted, and as much for lines; what is more waits in a temporary file.
  static let memoryForNetworks = 128 << 20
  static let chunkByteCount = 1 << 18
  static let temporaryFolder = "/var/tmp"

  /// Makes the section of networks again from the keys, and compares. [A17]
  ///
  /// - Parameter index: the key index; nil where it is damaged, and so says nothing about the section.
  @_lifetime(self: copy self)
  mutating func walkNetworks(_ found: ExtensionDirectory.Section, index: Range<Int>?) throws(FuseError) {
    let start = found.range.lowerBound
    let bytes = file.extracting(found.range)
    let stored: NetworkSection
    do throws(FuseError) {
      stored = try NetworkSection(parsing: bytes, at: start)
    } catch {
      return try add(.network, at: error.offset ?? UInt64(start), error.message)
    }
    guard let index else { return }
    let spill = Spill(
      in: Self.temporaryFolder, memory: Self.memoryForNetworks, chunkByteCount: Self.chunkByteCount)
    let builder = NetworkSectionBuilder(lanes: stored.lanes, aliases: stored.aliases, spill)
    guard try addNetworks(of: index, to: builder, spill) else {
      return try add(
        .network, at: start, "keys with different objects stand for the same block, and the file has the section")
    }
    let made = try builder.finish()
    guard made.layout.end == bytes.byteCount else {
      return try add(
        .network, at: start,
        "the section has \(counted(bytes.byteCount, "byte")), and the keys make one of \(made.layout.end)")
    }
    var offset = 0
    var differences: [Int] = []
    try builder.write { piece throws(FuseError) in
      try Cancellation.check()
      let stored = bytes.extracting(offset..<offset + piece.byteCount)
      if !stored.equals(piece) {
        // A line as a whole, of other tables the first byte.
        let isLine = piece.byteCount == 64
        let first =
          isLine
          ? 0
          : (0..<piece.byteCount).first {
            piece.loadInside(at: $0, as: UInt8.self) != stored.loadInside(at: $0, as: UInt8.self)
          } ?? 0
        differences.append(offset + first)
      }
      offset += piece.byteCount
    }
    for offset in differences {
      try add(.network, at: start + offset, "the section of networks is not what the keys make of it")
    }
  }

  /// Adds the blocks among the keys of the index; returns false where keys disagree about one.
  private func addNetworks(
    of index: Range<Int>, to builder: NetworkSectionBuilder, _ spill: Spill
  ) throws(FuseError) -> Bool {
    let records = NetworkRecords(spill, memory: Self.memoryForNetworks)
    let entries = file.extracting(0..<index.upperBound)
    var offset = index.lowerBound
    while let entry = IndexEntry(at: offset, in: entries) {
      try Cancellation.check()
      if let spelling = NetworkSpelling(entries.extracting(entry.keyRange)), spelling.flaws.isEmpty,
        entry.objectOffset < 1 << 40
      {
        try records.add(spelling.network, object: entry.objectOffset)
      }
      offset = entry.end
    }
    var agrees = true
    try records.forEach { network, object throws(FuseError) in
      try Cancellation.check()
      if case .conflicting = try builder.add(network, object: object) { agrees = false }
    }
    return agrees
  }
}
