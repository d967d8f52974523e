internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// What is known of the end of a file while it is verified. See spec/extension.md §10.
struct BlockOutline: Sendable {
  /// The footer, where it keeps its rules.
  var footer: ExtensionFooter?
  /// What is wrong with it, where it does not.
  var fault: FuseError?

  init() {}

  init(of file: RawSpan, header: Header) {
    guard ExtensionFooter.isPresent(in: file) else { return }
    do { footer = try ExtensionFooter(parsing: file, header: header) } catch { fault = error }
  }
}

extension Verifier {
  /// Checks the extension block, if there is one, after all else. [X19]
  ///
  /// - Parameter index: the key index as far as its entries were counted; nil where they were not.
  @_lifetime(self: copy self)
  mutating func walkBlock(_ header: Header, index: Range<Int>?) throws(FuseError) {
    let footerStart = file.byteCount - ExtensionFooter.byteCount
    if let fault = block.fault { return try add(.footer, at: max(0, footerStart), fault.message) }
    guard let footer = block.footer else { return }
    let checksum = Checksum.of(file.extracting(first: Header.byteCount))
    if checksum != footer.headerChecksum {
      try add(
        .headerChecksum, at: footerStart + ExtensionFooter.Field.headerChecksum,
        "the header has checksum \(checksum.hexadecimal) and the footer says \(footer.headerChecksum.hexadecimal)")
    }
    guard let directory = try walkDirectory(footer, footerStart: footerStart), level == .full else { return }
    try walkPadding(directory, footer)
    for section in directory.sections {
      try Cancellation.check()
      let found = self.checksum(of: section.range, share: 0)
      guard found != section.checksum else { continue }
      try add(
        .sectionChecksum, at: section.range.lowerBound,
        "the section has checksum \(found.hexadecimal) and the directory says \(section.checksum.hexadecimal)")
    }
    try walkProbes(directory, header: header, index: index)
    if let metadata = directory.metadata { try check(metadata) }
    if let networks = directory.networks { try walkNetworks(networks, index: isIndexSound ? index : nil) }
    if let lengths = directory.lengths { try check(lengths, index: index) }
    if let reverse = directory.reverse { try walkReverse(reverse, index: isIndexSound ? index : nil) }
  }

  // MARK: Directory and padding

  /// Returns the directory, or nil where it is damaged.
  @_lifetime(self: copy self)
  private mutating func walkDirectory(
    _ footer: ExtensionFooter, footerStart: Int
  ) throws(FuseError) -> ExtensionDirectory? {
    var faults: [FuseError] = []
    if footer.directoryOffset % 8 != 0 {
      faults.append(
        .corrupted(
          "the directory begins at \(footer.directoryOffset), which is no multiple of 8",
          at: footerStart + ExtensionFooter.Field.directoryOffset))
    }
    var directory = ExtensionDirectory()
    do {
      try ExtensionDirectory.checkChecksum(of: file, footer)
      faults += directory.read(file, footer)
    } catch {
      faults.append(error)
    }
    for fault in faults { try add(.directory, at: fault.offset ?? 0, fault.message) }
    return faults.isEmpty ? directory : nil
  }

  @_lifetime(self: copy self)
  private mutating func walkPadding(_ directory: ExtensionDirectory, _ footer: ExtensionFooter) throws(FuseError) {
    var end = Int(footer.indexEnd)
    let starts = directory.sections.map(\.range) + [Int(footer.directoryOffset)..<Int(footer.directoryOffset)]
    for next in starts {
      for offset in end..<next.lowerBound where file.loadInside(at: offset, as: UInt8.self) != 0 {
        try add(.padding, at: offset, "the byte between two sections is not zero")
        break
      }
      end = next.upperBound
    }
  }

  @_lifetime(self: copy self)
  private mutating func check(_ metadata: ExtensionDirectory.Section) throws(FuseError) {
    let bytes = file.extracting(metadata.range)
    // Its other damage was told already.
    guard Checksum.of(bytes) == metadata.checksum else { return }
    do throws(FuseError) {
      guard bytes.byteCount <= MetadataSection.mostBytes else {
        throw .invalidValue("it has more than \(MetadataSection.mostBytes) bytes", at: 0)
      }
      try MetadataSection.checkNames(in: bytes)
    } catch {
      try add(.metadata, at: metadata.range.lowerBound, "the metadata are no map with names: \(error.message)")
    }
  }
  /// Compares the section of key lengths with what the keys make of it. [Q10]
  ///
  /// - Parameter index: the key index as far as its entries were counted; nil where they were not.
  @_lifetime(self: copy self)
  private mutating func check(
    _ section: ExtensionDirectory.Section, index: Range<Int>?
  ) throws(FuseError) {
    let start = section.range.lowerBound
    do throws(FuseError) {
      let bytes = file.extracting(section.range)
      // A wrong checksum was told already.
      let stored = try KeyLengths(parsing: bytes, checksum: Checksum.of(bytes), at: start)
      guard let index else { return }
      var lengths = KeyLengths()
      var offset = index.lowerBound
      for number in 0..<summary.keyCount {
        if number & 0xFFFF == 0 { try Cancellation.check() }
        guard let entry = IndexEntry(at: offset, in: file.extracting(first: index.upperBound)) else { break }
        lengths.add(file.extracting(entry.keyRange))
        offset = entry.end
      }
      guard lengths != stored else { return }
      throw .corrupted("the section of key lengths is not what the keys make of it", at: start)
    } catch { try add(.lengths, at: start, error.message) }
  }
}
