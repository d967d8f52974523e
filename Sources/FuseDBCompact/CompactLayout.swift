internal import FuseDBFormat

/// Where everything stands in a file of the compact form, as far as opening looks. See spec/decisions/0041-compact.md.
///
/// All places are offsets in the file, and were compared with its length. Whoever reads there compares them again: a mapped
/// file can be overwritten at any time.
///
/// It is integers and an address alone, and copied for nothing: what it needs kept is ``CompactSymbols``.
struct CompactLayout: Sendable {
  let keyCount: Int
  let objectCount: Int
  /// Where the rows end, which begin after the header.
  let rowsEnd: Int
  let blocks: CompactBlocks
  let slots: CompactSlots
  let shapes: CompactItems
  let parts: CompactItems
  /// In a file of networks alone, the keys that stand in no block; it has no slots.
  let shown: ShownBlocks?
  let isOfNetworksAlone: Bool

  /// How many keys stand in blocks.
  var blockKeyCount: Int { keyCount &- (shown?.count ?? 0) }

  /// Reads header, footer, directory and the heads of sections, and the symbols: at most 2.3 kB. [X3] [X4] [X6] [X7]
  ///
  /// Whoever uses the layout keeps the symbols.
  static func open(_ file: RawSpan) throws(FuseError) -> (
    layout: CompactLayout, directory: CompactDirectory, symbols: CompactSymbols
  ) {
    let header = try Self.header(of: file)
    let footer = try Self.footer(of: file, header: header)
    let directory = try CompactDirectory(parsing: file, footer: footer)
    let section = directory[CompactForm.Section.symbols]
    let symbols: CompactSymbols
    if let section { symbols = try CompactSymbols(section, of: file) } else { symbols = CompactSymbols() }
    let layout = try CompactLayout(header, directory, symbols, hasSymbols: section != nil, of: file)
    return (layout, directory, symbols)
  }

  private init(
    _ header: Header, _ directory: CompactDirectory, _ symbols: CompactSymbols, hasSymbols: Bool, of file: RawSpan
  ) throws(FuseError) {
    keyCount = Int(header.keyCount)
    objectCount = Int(header.objectCount)
    rowsEnd = Int(header.indexOffset)
    let keys = try directory.section(CompactForm.Section.keys)
    let shapes = try directory.section(CompactForm.Section.shapes)
    let parts = try directory.section(CompactForm.Section.parts)
    blocks = try CompactBlocks(
      in: keys.range, symbols: symbols, hasSymbols: hasSymbols, longKeys: directory[CompactForm.Section.longKeys],
      of: file)
    shown = try Self.shown(directory, keyCount: keyCount, of: file)
    isOfNetworksAlone = shown != nil
    slots =
      isOfNetworksAlone
      ? CompactSlots()
      : try CompactSlots(
        in: try directory.section(CompactForm.Section.hash).range, blockCount: blocks.count, of: file)
    self.shapes = try CompactItems(in: shapes.range, mostByteCount: CompactForm.mostShapeBytes, of: file)
    self.parts = try CompactItems(in: parts.range, mostByteCount: Self.mostPartBytes, of: file)
  }

  /// What a file of networks alone has in the place of slots. [CN5]
  private static func shown(
    _ directory: CompactDirectory, keyCount: Int, of file: RawSpan
  ) throws(FuseError) -> ShownBlocks? {
    guard let counts = directory[CompactForm.Section.shown] else { return nil }
    let networks = try directory.section(CompactForm.Section.networks)
    let start = counts.range.lowerBound
    guard directory[CompactForm.Section.hash] == nil else {
      throw .corrupted("there are a section HASH and a section SHOW, of which a file has one", at: start)
    }
    let shown = try ShownBlocks(networks: networks.range, counts: counts.range, of: file)
    guard shown.count <= keyCount else {
      throw .corrupted("the section SHOW counts more keys than the header", at: start)
    }
    return shown
  }

  /// What a part can take: a byte of its value takes five at most, and its length three.
  private static let mostPartBytes = 5 * CompactForm.partByteCounts.upperBound + 3

  /// The header of a file of version 3. [H1] [H2] [H5] [H6]
  static func header(of file: RawSpan) throws(FuseError) -> Header {
    let header = try Header(parsing: file, version: CompactForm.version)
    try header.check(fileByteCount: file.byteCount)
    return header
  }

  /// The footer, and what it says of the header. [X3] [X4]
  static func footer(of file: RawSpan, header: Header) throws(FuseError) -> ExtensionFooter {
    guard ExtensionFooter.isPresent(in: file) else {
      throw .truncated(
        "the file does not end with a footer; it was cut short: copy or build it again", at: file.byteCount)
    }
    let footer = try ExtensionFooter(parsing: file, header: header)
    try footer.checkHeader(of: file)
    guard footer.indexEnd == header.indexOffset else {
      throw .corrupted(
        "the rows end at \(header.indexOffset) by the header and at \(footer.indexEnd) by the footer",
        at: file.byteCount - ExtensionFooter.byteCount)
    }
    return footer
  }
}

/// The sections of a file of the compact form, in their order.
struct CompactDirectory: Sendable {
  /// Where each field of an entry stands.
  private enum Field {
    static let kind = 0
    static let flags = 4
    static let offset = 8
    static let length = 16
    static let checksum = 24
  }

  static let entryByteCount = 32
  private static let required: UInt32 = 1
  private static let known = [
    CompactForm.Section.keys, CompactForm.Section.hash, CompactForm.Section.longKeys, CompactForm.Section.symbols,
    CompactForm.Section.shapes, CompactForm.Section.parts, CompactForm.Section.metadata, CompactForm.Section.lengths,
    CompactForm.Section.networks, CompactForm.Section.shown,
  ]

  /// Where the directory begins.
  let offset: Int
  /// At most 256, also of unknown kinds.
  private(set) var sections: [(kind: [UInt8], section: ExtensionDirectory.Section)] = []

  /// Reads the directory and checks it. [X4] [X6] [X7]
  init(parsing file: RawSpan, footer: ExtensionFooter) throws(FuseError) {
    try ExtensionDirectory.checkChecksum(of: file, footer)
    offset = Int(footer.directoryOffset)
    var end = footer.indexEnd
    // The footer was checked to begin where the last entry ends.
    for start in stride(
      from: offset, to: file.byteCount - ExtensionFooter.byteCount, by: Self.entryByteCount)
    {
      let entry = file.extracting(start..<start + Self.entryByteCount)
      let kind = entry.extracting(Field.kind..<Field.kind + 4).array()
      let begin = entry.loadInside(at: Field.offset, as: UInt64.self)
      let length = entry.loadInside(at: Field.length, as: UInt64.self)
      guard begin >= end, begin <= footer.directoryOffset, length <= footer.directoryOffset - begin else {
        throw .corrupted("a section does not lie between the one before it and the directory", at: start)
      }
      end = begin + length
      let isKnown = Self.known.contains(kind)
      guard isKnown || entry.loadInside(at: Field.flags, as: UInt32.self) & Self.required == 0 else {
        throw FuseError(
          .unsupportedVersion, "the file needs a section of a kind that this library does not know; use a newer one",
          offset: UInt64(start))
      }
      guard !isKnown || self[kind] == nil else {
        throw .corrupted("a section is of a kind that stands twice", at: start)
      }
      let checksum = entry.loadInside(at: Field.checksum, as: UInt32.self)
      sections.append((kind, ExtensionDirectory.Section(range: Int(begin)..<Int(end), checksum: checksum)))
    }
  }

  /// The section of a kind, if there is one.
  subscript(kind: [UInt8]) -> ExtensionDirectory.Section? { sections.first { $0.kind == kind }?.section }

  /// The section of a kind that each file has.
  func section(_ kind: [UInt8]) throws(FuseError) -> ExtensionDirectory.Section {
    guard let section = self[kind] else {
      throw .corrupted("the section \(String(decoding: kind, as: UTF8.self)) is missing", at: offset)
    }
    return section
  }
}
