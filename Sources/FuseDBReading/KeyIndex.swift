package import FuseDBCompact
package import FuseDBFormat
package import FuseDBSystem
internal import FuseDBValues

/// What leads into a file's key index: tables of the file, where it has an extension block, otherwise an index in memory.
@usableFromInline package struct KeyIndex: Sendable {
  /// Finds one key, in place.
  @usableFromInline let table: HashSectionTable?
  /// The same in memory, where the file has no table; nil too where few look-ups are expected.
  let memory: MemoryIndex?
  /// Finds the first key that is not smaller than another.
  package let order: KeyOrder
  /// Where the key index ends.
  package let end: Int
  /// The section with the file's metadata.
  package let metadata: ExtensionDirectory.Section?
  /// The section of networks.
  package let networks: ExtensionDirectory.Section?
  /// Which keys share an object; nil where the file does not say.
  let reverse: ReverseTable?
  /// Which lengths keys may have.
  let lengths: KeyLengthTable
  private let lengthMemory: KeyLengthMemory
  /// Which sections there are that not every block has.
  package let sections: OptionalSections

  /// Opens the index of a file whose header was checked. See spec/extension.md §8 and spec/format.md §7.
  package init(
    of mapping: FileMapping, header: Header, checksums: FuseReader.Checksums,
    expecting lookups: FuseReader.ExpectedLookups
  ) throws(FuseError) {
    let file = mapping.bytes
    guard ExtensionFooter.isPresent(in: file) else {
      let pass = try Self.readAll(of: mapping, header: header, until: file.byteCount, checksums: checksums, lookups)
      self.init(
        table: nil, memory: pass.hash, order: .memory(pass.samples), end: file.byteCount, .unknown, nil,
        ExtensionDirectory()
      )
      return
    }
    let (footer, directory) = try Self.block(of: file, header: header)
    let end = Int(footer.indexEnd)
    let reverse = try directory.reverse.map { section throws(FuseError) in try ReverseTable(in: section.range) }
    let lengths = try directory.lengths.map { section throws(FuseError) in
      KeyLengthMemory(
        try KeyLengths(
          parsing: file.extracting(section.range), checksum: section.checksum, at: section.range.lowerBound))
    }
    if let hash = directory.hash, let order = directory.order {
      self.init(
        table: try HashSectionTable(in: hash.range, of: mapping, index: Int(header.indexOffset)..<end), memory: nil,
        order: .section(order.range), end: end, lengths ?? .unknown, reverse, directory)
    } else {
      let pass = try Self.readAll(of: mapping, header: header, until: end, checksums: checksums, lookups)
      self.init(
        table: nil, memory: pass.hash, order: .memory(pass.samples), end: end, lengths ?? .unknown, reverse, directory)
    }
  }

  /// That of a compact file, whose blocks of keys and slots are read elsewhere.
  package init(of compact: CompactReader) throws(FuseError) {
    let mapping = compact.mapping
    let file = mapping.bytes
    var directory = ExtensionDirectory()
    directory.metadata = compact.section(CompactForm.Section.metadata)
    directory.networks = compact.section(CompactForm.Section.networks)
    directory.lengths = compact.section(CompactForm.Section.lengths)
    let lengths = try directory.lengths.map { section throws(FuseError) in
      KeyLengthMemory(
        try KeyLengths(
          parsing: file.extracting(section.range), checksum: section.checksum, at: section.range.lowerBound))
    }
    self.init(
      table: nil, memory: nil, order: .memory([]), end: 0, lengths ?? .unknown, nil, directory)
  }

  /// Nothing of a file's own: that of a set.
  static let none = KeyIndex(
    table: nil, memory: nil, order: .memory([]), end: 0, .unknown, nil, ExtensionDirectory())

  private init(
    table: HashSectionTable?, memory: MemoryIndex?, order: KeyOrder, end: Int, _ lengths: KeyLengthMemory,
    _ reverse: ReverseTable?, _ directory: ExtensionDirectory
  ) {
    self.table = table
    self.memory = memory
    self.order = order
    self.end = end
    self.lengths = KeyLengthTable(in: lengths)
    lengthMemory = lengths
    self.reverse = reverse
    metadata = directory.metadata
    networks = directory.networks
    sections = directory.optionalSections
  }

  /// Footer and directory, and what they say about the header. [X3] [X4] [X6] [X7] [X12]
  static func block(of file: RawSpan, header: Header) throws(FuseError) -> (ExtensionFooter, ExtensionDirectory) {
    let footer = try ExtensionFooter(parsing: file, header: header)
    try footer.checkHeader(of: file)
    let directory = try ExtensionDirectory(parsing: file, footer: footer)
    let rows = StrideRow.count(keyCount: Int(header.keyCount))
    if let order = directory.order, order.range.count != rows * StrideRow.byteCount {
      throw .corrupted(
        "the order section has \(counted(order.range.count, "byte")) and must have \(rows * StrideRow.byteCount) for \(counted(header.keyCount, "key"))",
        at: order.range.lowerBound)
    }
    return (footer, directory)
  }

  /// Reads a plain file, or one that lacks a section, from the first byte to the last. [O2] [O3] [O5]
  private static func readAll(
    of mapping: FileMapping, header: Header, until end: Int, checksums: FuseReader.Checksums,
    _ lookups: FuseReader.ExpectedLookups
  ) throws(FuseError) -> IndexPass {
    if case .none = lookups { return .unread }
    mapping.willReadInOrder(from: checksums == .verified ? 0 : Int(header.indexOffset))
    defer { mapping.didReadInOrder() }
    guard checksums == .verified else {
      return try IndexPass(of: mapping, header: header, until: end, expecting: lookups)
    }
    let checksum = BackgroundWork(isWorthThread: end > 1 << 20) {
      Checksum.of(Header.byteCount..<mapping.byteCount, in: mapping)
    }
    let pass = Result { () throws(FuseError) in
      try IndexPass(of: mapping, header: header, until: end, expecting: lookups)
    }
    let found = checksum.wait()
    try Cancellation.check()
    // First, because it makes every other finding likely.
    guard found == header.checksum else {
      throw .corrupted(
        """
        the file's checksum is \(found.hexadecimal) and its header says \(header.checksum.hexadecimal); \
        'fusedb verify' lists the damage
        """, at: Header.Field.checksum)
    }
    return try pass.get()
  }
}

/// Where every 32nd entry of the key index begins: where ordered scans start.
package enum KeyOrder: Sendable {
  /// Found by a pass over the index, which checked it.
  case memory([UInt64])
  /// The section `ORDR` in a file, with a checksum for each stride.
  case section(Range<Int>)

  /// How many entries a stride has.
  package static let stride = StrideRow.entryCount

  /// How many strides there are.
  var strideCount: Int {
    switch self {
    case .memory(let offsets): offsets.count
    case .section(let range): range.count / StrideRow.byteCount
    }
  }

  /// Where a stride begins. A section may say anything.
  /// - Precondition: `stride` is below `strideCount`.
  @inline(__always)
  package func offset(ofStride stride: Int, in file: RawSpan) -> Int {
    switch self {
    case .memory(let offsets): Int(offsets[stride])
    case .section(let range):
      Int(clamping: file.loadInside(at: range.lowerBound + stride * StrideRow.byteCount, as: UInt64.self))
    }
  }

  /// The checksum that a stride must have, or nil where none is known.
  /// - Precondition: `stride` is below `strideCount`.
  func checksum(ofStride stride: Int, in file: RawSpan) -> UInt32? {
    guard case .section(let range) = self else { return nil }
    return file.loadInside(at: range.lowerBound + stride * StrideRow.byteCount + 8, as: UInt32.self)
  }
}
