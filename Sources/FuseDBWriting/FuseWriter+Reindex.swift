internal import FuseDBCompact
public import FuseDBFormat
package import FuseDBReading
public import FuseDBSystem
internal import FuseDBValues

/// What ``FuseWriter/reindex(_:output:outputLink:leastKeyCount:greatestShrink:metadata:networks:keyLengths:reverseIndex:form:progress:)`` did.
public struct ReindexReport: Sendable, Equatable {
  /// Keys in the file.
  public var keyCount: Int
  /// Objects in the file.
  public var objectCount: Int
  /// The file's length before,
  public var byteCountBefore: Int
  /// and now.
  public var byteCount: Int
  /// Of this: the extension block.
  public var extensionByteCount: Int
  /// Blocks of addresses by which the file answers for an address; nil where it does not.
  public var networkCount: Int?
  /// Where it does, keys that stand for no block.
  public var literalKeyCount = 0
  /// Whether the file had no extension block.
  public var wasPlain: Bool
  /// Keys of the database that the new file replaced, mostly itself; nil where there was none.
  public var replacedKeyCount: Int?
}

extension FuseWriter {
  /// Gives the file at `path` a new extension block: adds one to a plain file, such as `fusedb` 0.3.0 writes, and
  /// replaces the one that a file has.
  ///
  ///     let report = try FuseWriter.reindex("geo.fsdb")
  ///     report.wasPlain             // true
  ///     report.extensionByteCount   // some 11 bytes a key
  ///
  /// Data and key index stay as they are, byte for byte. Sections of a kind that this library does not know are left
  /// out. The file is replaced in one step, as by ``build(to:progress:)``, unless it was replaced in the meantime;
  /// readers that have it open keep the old one.
  ///
  /// New checksums would hide damage, so all of the file is verified before anything is written, and one with damage is
  /// left alone. Only a block that was written wrong, under a right checksum of the file, is no obstacle: it is made anew.
  ///
  /// - Parameters:
  ///   - output: where the new file is to appear; nil for `path`. What is neither a database nor empty is not replaced.
  ///   - outputLink: what happens to a symbolic link there.
  ///   - leastKeyCount: the fewest keys that the new file may have, as for ``Options/leastKeyCount``.
  ///   - greatestShrink: how many of its keys another file that is replaced may lose, as for ``Options/greatestShrink``.
  ///   - metadata: what the file is to say about itself; nil keeps what it says. The rule by which its keys were written
  ///     stays, unless another is given: see ``FuseReader/normalisation``.
  ///   - networks: whether the new file answers which of its blocks of addresses holds an address, as for
  ///     ``Options/networks``; it goes on doing so unless this is `never`.
  ///   - keyLengths: whether the new file says which lengths its keys have, also where it does already.
  ///   - reverseIndex: whether the new file says which keys share an object, also where it does already.
  ///   - form: which form the new file has; nil for that of the file.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as ``FuseReader/init(path:checksums:access:)``; `corrupted` or `truncated` also when
  ///   ``FuseReader/verify(level:progress:)`` finds damage in the header, the data or the key index, or another checksum of
  ///   the file; `corrupted` when the metadata are damaged and none are given; `limitExceeded` when `metadata` needs more
  ///   than a megabyte; `refused` when there are fewer keys than allowed; `outputChanged` when the file is no longer
  ///   what was read; `inputOutput` when it cannot be written, or is a symbolic link and `outputLink` does not say what
  ///   is to become of that. The file is as before then, unless the very last step failed, as there.
  /// - Complexity: O(bytes of the file); 16 bytes of memory a key, at most half a gigabyte, and 12 an object. Further
  ///   keys wait in a temporary file beside it.
  @discardableResult
  public static func reindex(
    _ path: String, output: String? = nil, outputLink: OutputLink = .refused, leastKeyCount: Int = 0,
    greatestShrink: Double? = nil, metadata: [String: String]? = nil, networks: Networks = .automatic,
    keyLengths: Bool = false, reverseIndex: Bool = false, form: Form? = nil, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> ReindexReport {
    // Before the work.
    let place = try OutputPlace(PinnedPath(output ?? path), links: outputLink)
    let rules = ReplacementRules(
      links: outputLink, leastKeyCount: leastKeyCount, greatestShrink: greatestShrink, kind: .database)
    do throws(FuseError) {
      if let metadata { _ = try MetadataSection.bytes(of: metadata) }
      let source = try ReindexSource(path, replacedAt: place, isItself: output == nil || output == path) { share in
        progress?(ReindexSource.shareOfProof * share)
      }
      let bytes =
        if let metadata { try MetadataSection.bytes(of: source.withRule(metadata)) } else { try source.metadata() }
      let sections = SectionRequest(networks: networks, keyLengths: keyLengths, reverseIndex: reverseIndex)
      let form = form ?? source.form
      guard form == .family || !reverseIndex else {
        throw FuseError(
          .invalidValue, "a compact file has no place for a reverse index; leave it out, or make a file of version 2")
      }
      if form != .family { return try source.writeCompact(form, metadata: bytes, sections, rules, progress) }
      if source.isCompact { return try source.writeExpanded(metadata: bytes, sections, rules, progress) }
      return try source.write(metadata: bytes, sections, rules, progress)
    } catch {
      throw error.at(path: path)
    }
  }
}

/// A file that was found sound and is to get a new extension block.
struct ReindexSource {
  /// How much is copied between two reports of progress.
  private static let stepByteCount = 64 << 20
  /// Of the work, how much is done once the file is proved sound.
  static let shareOfProof = 0.3

  private let reader: FuseReader
  private let objectCount: Int
  /// The checksum of data and key index.
  private let checksum: UInt32
  private let place: OutputPlace
  /// What is to give way, where that is the file itself.
  private let source: FileStamp?

  private var indexEnd: Int { reader.index.end }
  var isCompact: Bool { reader.isCompact }
  /// That of the file.
  var form: FuseWriter.Form {
    guard let compact = reader.compact else { return .family }
    return compact.hasCodedKeys ? .compact : .compactFast
  }

  /// What may be wrong with a file that is reindexed: its block is made anew, of data and an index that are proved.
  /// Metadata are kept, and read with all checks when they are.
  private static let madeAnew: Set<Damage.Kind> = [
    .directory, .padding, .sectionChecksum, .hash, .order, .metadata, .network, .lengths, .reverse,
  ]

  /// Opens the file and checks all that new checksums would cover.
  ///
  /// - Parameters:
  ///   - place: where its successor is to appear.
  ///   - isItself: whether that is to be the place of the file.
  ///   - progress: called now and then with the share of the proof that is done.
  init(
    _ path: String, replacedAt place: OutputPlace, isItself: Bool, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) {
    let mapping = try FileMapping(path: path)
    reader = try FuseReader(mapping, checksums: .verified, expecting: .none)
    // Before all that takes time: names and links may lead elsewhere after it.
    self.place = place
    source = try place.source(among: [reader])
    guard source != nil || !isItself else {
      throw FuseError(
        .outputChanged, "the link here was pointed elsewhere while it was followed; nothing has changed: try again",
        path: path)
    }
    // Before the proof, so that what changes after it is found when it is copied.
    // Of a compact file, each row and each block has a checksum that is compared when it is expanded.
    checksum = reader.isCompact ? 0 : Checksum.of(Header.byteCount..<reader.index.end, in: mapping)
    try Cancellation.check()
    objectCount = try Verifier.requireSound(mapping, except: Self.madeAnew, progress: progress).objectCount
    try mapping.checkNotShrunk()
  }

  /// The bytes of the section `META`, found sound, or nil where there is none.
  func metadata() throws(FuseError) -> [UInt8]? {
    guard let section = reader.index.metadata else { return nil }
    // Also that it is a map with names.
    _ = try reader.metadata
    return try reader.metadataBytes(of: section).array()
  }

  /// Metadata that are to replace those of the file, with the rule for its keys. What is given replaces also what cannot be read. [F8]
  func withRule(_ metadata: [String: String]) -> [String: String] {
    let name = KeyNormalisation.metadataName
    guard let rule = (try? reader.metadata)?[name] else { return metadata }
    return metadata.merging([name: rule]) { given, _ in given }
  }

  /// Writes data and key index, and a new block.
  func write(
    metadata: [UInt8]?, _ sections: SectionRequest, _ rules: ReplacementRules, _ progress: ((Double) -> Void)?
  ) throws(FuseError) -> ReindexReport {
    let mapping = reader.mapping
    let bytes = mapping.bytes
    let file = try AtomicFile(replacing: place, rules)
    file.source = source
    var done = Header.byteCount
    while done < indexEnd {
      let next = min(indexEnd, done + Self.stepByteCount)
      do throws(FuseError) {
        try file.write(bytes.extracting(done..<next))
      } catch {
        // The system cannot write what is no longer there to be read.
        try mapping.checkNotShrunk()
        throw error
      }
      done = next
      progress?(Self.shareOfProof + 0.4 * Double(done) / Double(indexEnd))
    }
    try file.flush()
    try mapping.checkNotShrunk()
    guard file.checksum.value == checksum else {
      throw .corrupted("the file changed while it was copied; replace files by renaming", at: Header.byteCount)
    }
    let index = IndexReader(reader.dataEnd..<indexEnd, of: file, keyCount: reader.keyCount)
    let collector = try BlockCollector(
      reading: index,
      sections: sections.keeping(reader.index.sections, aliases: reader.networks?.section.aliases ?? []),
      limits: BlockLimits(temporaryFolder: file.folder))
    // What the header says beside the checksum stays, and readers of version 2 ignore the rest of it.
    var writer = ExtensionWriter(to: file, index: index.range, checksum: file.checksum)
    let header = try writer.write(header: reader.header, metadata: metadata, from: collector)
    let byteCount = writer.end
    progress?(0.9)
    let replaced = try file.publish(header: header.bytes, keyCount: reader.keyCount)
    progress?(1)
    return ReindexReport(
      keyCount: reader.keyCount, objectCount: objectCount, byteCountBefore: reader.byteCount, byteCount: byteCount,
      extensionByteCount: byteCount - indexEnd, networkCount: writer.networks?.networkCount,
      literalKeyCount: writer.networks?.literalKeyCount ?? 0, wasPlain: indexEnd == reader.byteCount,
      replacedKeyCount: replaced?.keyCount)
  }
}

extension ReindexSource {
  /// Writes a compact file.
  func writeCompact(
    _ form: FuseWriter.Form, metadata: [UInt8]?, _ sections: SectionRequest, _ rules: ReplacementRules,
    _ progress: ((Double) -> Void)?
  ) throws(FuseError) -> ReindexReport {
    let file = try AtomicFile(replacing: place, rules)
    file.source = source
    // What was verified is read once more, as keys and objects in place.
    let mapping =
      if let compact = reader.compact {
        try CompactExpansion.plainFile(of: reader, compact, beside: place).mapping
      } else {
        reader.mapping
      }
    let expanded = try FuseReader(mapping, checksums: .verified, expecting: .few)
    let plan = CompactPlan(
      keysAreRaw: form == .compactFast, memory: BlockLimits.usualMemory, metadata: metadata,
      sections: sections.keeping(reader.index.sections, aliases: reader.networks?.section.aliases ?? []))
    var work = try CompactWork(expanded, to: file, plan)
    let report = try work.run { progress?(Self.shareOfProof + (1 - Self.shareOfProof) * $0) }
    try reader.checkNotShrunk()
    return self.report(
      byteCount: report.byteCount, extensionByteCount: report.byteCount - report.rowsEnd, report.networks,
      replacedKeyCount: report.replacedKeyCount)
  }

  /// Writes a file of version 2 with the keys and objects of a compact one.
  func writeExpanded(
    metadata: [UInt8]?, _ sections: SectionRequest, _ rules: ReplacementRules, _ progress: ((Double) -> Void)?
  ) throws(FuseError) -> ReindexReport {
    guard let compact = reader.compact else { preconditionFailure("the file is compact") }
    let file = try AtomicFile(replacing: place, rules)
    file.source = source
    let expansion = try CompactExpansion(reader, compact)
    let assembly = try expansion.assembly(
      file, .indexed,
      sections.keeping(reader.index.sections, aliases: reader.networks?.section.aliases ?? []),
      BlockLimits(temporaryFolder: file.folder))
    try expansion.write(to: assembly) { progress?(Self.shareOfProof + 0.4 * $0) }
    let published = try assembly.publish(objectCount: objectCount, metadata: metadata) { _, _ in }
    progress?(1)
    return report(
      byteCount: published.byteCount, extensionByteCount: published.extensionByteCount, published.networks,
      replacedKeyCount: published.replacedKeyCount)
  }

  private func report(
    byteCount: Int, extensionByteCount: Int, _ networks: NetworkCounts?, replacedKeyCount: Int?
  ) -> ReindexReport {
    ReindexReport(
      keyCount: reader.keyCount, objectCount: objectCount, byteCountBefore: reader.byteCount, byteCount: byteCount,
      extensionByteCount: extensionByteCount, networkCount: networks?.networkCount,
      literalKeyCount: networks?.literalKeyCount ?? 0, wasPlain: reader.isPlain, replacedKeyCount: replacedKeyCount)
  }
}

extension OutputPlace {
  /// Of the files that readers have open, the one that stands here; see ``source(among:)``.
  package func source(among readers: [FuseReader]) throws(FuseError) -> FileStamp? {
    try source(among: readers.map { ($0.path, $0.mapping.stamp) })
  }
}
