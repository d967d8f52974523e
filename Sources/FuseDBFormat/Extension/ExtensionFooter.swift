/// The last 48 bytes of a file with an extension block. See spec/extension.md §3.
@usableFromInline package struct ExtensionFooter: Equatable, Sendable {
  @inlinable package static var byteCount: Int { 48 }
  static let version: UInt16 = 1
  static let mostSections: UInt32 = 256
  /// "FSDBEXT" and a line feed.
  static let magic: UInt64 = 0x4653_4442_4558_540A

  /// Where each field stands, from the start of the footer.
  package enum Field {
    static let indexEnd = 0
    package static let directoryOffset = 8
    static let sectionCount = 16
    static let directoryChecksum = 20
    package static let headerChecksum = 24
    static let version = 28
    static let footerChecksum = 32
    static let balance = 36
    static let magic = 40
  }

  /// Where the key index ends and the block begins.
  package var indexEnd: UInt64
  package var directoryOffset: UInt64
  var sectionCount: UInt32
  var directoryChecksum: UInt32
  package var headerChecksum: UInt32

  package init(
    indexEnd: UInt64, directoryOffset: UInt64, sectionCount: UInt32, directoryChecksum: UInt32, headerChecksum: UInt32
  ) {
    self.indexEnd = indexEnd
    self.directoryOffset = directoryOffset
    self.sectionCount = sectionCount
    self.directoryChecksum = directoryChecksum
    self.headerChecksum = headerChecksum
  }

  /// Whether the file has an extension block. [X2]
  package static func isPresent(in file: RawSpan) -> Bool {
    file.load(at: file.byteCount - 8, as: UInt64.self) == magic
  }

  /// Reads the footer of a file that has one, and checks what it says of itself. [X3]
  package init(parsing file: RawSpan, header: Header) throws(FuseError) {
    let start = file.byteCount - Self.byteCount
    guard start >= Header.byteCount else {
      throw .corrupted("the file ends like one with an extension block and is too short for its footer", at: 0)
    }
    let footer = file.extracting(droppingFirst: start)
    let checksum = Checksum.of(footer.extracting(first: Field.footerChecksum))
    let stored = footer.loadInside(at: Field.footerChecksum, as: UInt32.self)
    guard checksum == stored else {
      throw .corrupted(
        "the footer's checksum is \(checksum.hexadecimal) and it says \(stored.hexadecimal); copy or build the file again",
        at: start)
    }
    let version = footer.loadInside(at: Field.version, as: UInt16.self)
    guard version == Self.version else {
      throw FuseError(
        .unsupportedVersion,
        "the file's extension block is of version \(version), and this library reads version \(Self.version)",
        offset: UInt64(start + Field.version))
    }
    indexEnd = footer.loadInside(at: Field.indexEnd, as: UInt64.self)
    directoryOffset = footer.loadInside(at: Field.directoryOffset, as: UInt64.self)
    sectionCount = footer.loadInside(at: Field.sectionCount, as: UInt32.self)
    directoryChecksum = footer.loadInside(at: Field.directoryChecksum, as: UInt32.self)
    headerChecksum = footer.loadInside(at: Field.headerChecksum, as: UInt32.self)
    guard header.indexOffset <= indexEnd, indexEnd <= directoryOffset, directoryOffset <= UInt64(start),
      sectionCount <= Self.mostSections,
      start - Int(directoryOffset) == Int(sectionCount) * ExtensionDirectory.entryByteCount
    else { throw .corrupted("the footer's offsets do not fit the file", at: start) }
  }

  /// The 48 bytes.
  ///
  /// - Parameter checksum: the CRC-32 of all bytes between the header and this footer, which it leaves unchanged. [X5]
  package func bytes(following checksum: UInt32) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(Self.byteCount)
    out.append(bigEndian: indexEnd)
    out.append(bigEndian: directoryOffset)
    out.append(bigEndian: sectionCount)
    out.append(bigEndian: directoryChecksum)
    out.append(bigEndian: headerChecksum)
    out.append(bigEndian: Self.version)
    out.append(bigEndian: UInt16(0))
    out.append(bigEndian: Checksum.of(out.rawSpan))
    var end: [UInt8] = []
    end.append(bigEndian: Self.magic)
    var before = Checksum(continuing: checksum)
    before.update(out.rawSpan)
    out += Checksum.balance(from: before.value, to: checksum, before: end)
    return out + end
  }

  /// Throws unless the header of a file is the one that the footer was written for. [X4]
  package func checkHeader(of file: RawSpan) throws(FuseError) {
    let checksum = Checksum.of(file.extracting(first: Header.byteCount))
    guard checksum == headerChecksum else {
      throw .corrupted(
        "the header's checksum is \(checksum.hexadecimal) and the footer says \(headerChecksum.hexadecimal)",
        at: file.byteCount - Self.byteCount + Field.headerChecksum)
    }
  }
}
