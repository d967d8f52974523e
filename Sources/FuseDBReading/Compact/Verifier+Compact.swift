internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBSystem

extension Verifier {
  /// The same of a compact file.
  static func runCompact(
    _ mapping: FileMapping, level: VerificationLevel, progress: ((Double) -> Void)?,
    onDamage: @escaping (Damage) throws(FuseError) -> Void
  ) throws(FuseError) -> VerificationSummary {
    var summary = VerificationSummary(path: mapping.path, byteCount: mapping.byteCount)
    var failure: FuseError?
    let found = try CompactVerifier.run(mapping, isFull: level == .full, progress: progress) { damage in
      guard failure == nil else { return }
      summary.damageCount += 1
      do throws(FuseError) {
        try onDamage(Damage(kind: Damage.Kind(damage.kind), offset: damage.offset, message: damage.message))
      } catch { failure = error }
    }
    if let failure { throw failure }
    if summary.damageCount == 0, level == .full {
      try checkOptional(of: mapping) { damage throws(FuseError) in
        summary.damageCount += 1
        try onDamage(damage)
      }
    }
    (summary.keyCount, summary.objectCount) = (found.keys, found.objects)
    progress?(1)
    return summary
  }
}

extension Verifier {
  /// The sections that not every file has, of one whose keys are sound: metadata are a map with names, and all else is what the keys
  /// make of it.
  private static func checkOptional(
    of mapping: FileMapping, _ report: (Damage) throws(FuseError) -> Void
  ) throws(FuseError) {
    let reader = try FuseReader(mapping, checksums: .verified)
    guard let compact = reader.compact else { return }
    if let section = reader.index.metadata {
      do throws(FuseError) { _ = try reader.metadata } catch {
        try report(Damage(kind: .metadata, offset: UInt64(section.range.lowerBound), message: error.message))
      }
    }
    let file = mapping.bytes
    if let section = compact.section(CompactForm.Section.lengths) {
      let stored = try KeyLengths(
        parsing: file.extracting(section.range), checksum: section.checksum, at: section.range.lowerBound)
      var lengths = KeyLengths()
      try forEachKey(of: compact) { key, _ in lengths.add(key) }
      if lengths != stored {
        try report(
          Damage(
            kind: .lengths, offset: UInt64(section.range.lowerBound),
            message: "the section of key lengths is not what the keys make of it"))
      }
    }
    if let section = compact.section(CompactForm.Section.networks) {
      try checkNetworks(section, of: compact, in: mapping, report)
    }
  }

  private static func forEachKey(
    of compact: CompactReader, _ body: (RawSpan, _ row: UInt64) throws(FuseError) -> Void
  ) throws(FuseError) {
    var walk = CompactWalk(compact)
    var isThere = compact.keyCount > 0 ? try walk.seekFirst() : false
    var count = 0
    while isThere {
      if count & 0xFFF == 0 { try Cancellation.check() }
      try body(walk.keyBytes, compact.rowOffset(ofReference: walk.reference))
      isThere = try walk.next()
      count += 1
    }
  }

  private static func checkNetworks(
    _ found: ExtensionDirectory.Section, of compact: CompactReader, in mapping: FileMapping,
    _ report: (Damage) throws(FuseError) -> Void
  ) throws(FuseError) {
    let bytes = mapping.bytes.extracting(found.range)
    let start = UInt64(found.range.lowerBound)
    do throws(FuseError) {
      let stored = try NetworkSection(parsing: bytes, at: found.range.lowerBound, isCompact: true)
      let spill = Spill(in: temporaryFolder, memory: memoryForNetworks, chunkByteCount: chunkByteCount)
      let records = NetworkRecords(spill, memory: memoryForNetworks)
      try forEachKey(of: compact) { (key, row) throws(FuseError) in
        guard let spelling = NetworkSpelling(key), spelling.flaws.isEmpty, row < 1 << 40 else { return }
        try records.add(spelling.network, object: row)
      }
      let builder = NetworkSectionBuilder(lanes: stored.lanes, aliases: stored.aliases, spill)
      var agrees = true
      try records.forEach { network, object throws(FuseError) in
        if case .conflicting = try builder.add(network, object: object) { agrees = false }
      }
      guard agrees else {
        throw .corrupted(
          "keys with different objects stand for the same block, and the file has the section", at: start)
      }
      try compare(bytes, with: builder, at: start, report)
    } catch {
      try report(Damage(kind: .network, offset: error.offset ?? start, message: error.message))
    }
  }

  private static func compare(
    _ bytes: RawSpan, with builder: NetworkSectionBuilder, at start: UInt64,
    _ report: (Damage) throws(FuseError) -> Void
  ) throws(FuseError) {
    let made = try builder.finish()
    guard made.layout.end == bytes.byteCount else {
      throw .corrupted(
        "the section has \(counted(bytes.byteCount, "byte")), and the keys make one of \(made.layout.end)", at: start)
    }
    var offset = 0
    var differences: [Int] = []
    try builder.write { piece throws(FuseError) in
      try Cancellation.check()
      if !bytes.extracting(offset..<offset + piece.byteCount).equals(piece) { differences.append(offset) }
      offset += piece.byteCount
    }
    for offset in differences {
      try report(
        Damage(
          kind: .network, offset: start + UInt64(offset),
          message: "the section of networks is not what the keys make of it"))
    }
  }
}

extension Damage.Kind {
  fileprivate init(_ kind: CompactDamage.Kind) {
    self =
      switch kind {
      case .header: .header
      case .count: .count
      case .fileChecksum: .fileChecksum
      case .truncated: .truncated
      case .footer: .footer
      case .directory: .directory
      case .padding: .padding
      case .sectionChecksum: .sectionChecksum
      case .metadata: .metadata
      case .lengths: .lengths
      case .network: .network
      case .row: .objectChecksum
      case .item: .sharedValue
      case .block: .keyBlock
      case .slot: .hash
      }
  }
}
