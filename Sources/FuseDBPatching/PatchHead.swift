internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// The first bytes of a patch: which file it begins from and which it makes. See spec/patch.md §3.
struct PatchHead: Equatable, Sendable {
  static let version: UInt16 = 1
  /// That of a patch with a compact file at an end or at both, which says more.
  static let compactVersion: UInt16 = 2
  /// The bytes before the two headers: what is known last, when the patch is written.
  static let prologueByteCount = 40
  static let byteCount = prologueByteCount + 2 * Header.byteCount
  /// And of a patch with a compact file: header and length of each file as it is.
  private static let endByteCount = Header.byteCount + 8

  /// A file as it is: header and length.
  struct FileEnd: Equatable, Sendable {
    var header: [UInt8]
    var byteCount: UInt64

    init(header: [UInt8], byteCount: UInt64) {
      self.header = header
      self.byteCount = byteCount
    }

    init(of reader: FuseReader) {
      let mapping = reader.mapping
      header = mapping.bytes.extracting(first: Header.byteCount).array()
      byteCount = UInt64(reader.byteCount)
    }

    /// Whether it is of the compact form.
    var isCompact: Bool { header[Header.Field.version] == CompactForm.version }

    /// What its header says of all after it.
    var checksum: UInt32 { header.rawSpan.loadInside(at: Header.Field.checksum, as: UInt32.self) }

    var bytes: [UInt8] {
      var out = header
      out.append(bigEndian: byteCount)
      return out
    }
  }

  /// Where each field stands.
  enum Field {
    static let version = 6
    static let byteCount = 8
    static let oldByteCount = 16
    static let newByteCount = 24
    static let restChecksum = 32
    static let checksum = 36
    static let oldHeader = 40
    static let newHeader = 80
  }

  var oldByteCount: Int
  var newByteCount: Int
  var oldHeader: Header
  var newHeader: Header
  /// The files as they are, of which one at least is compact. The rest of the head is about what they are expanded to: data and key index of
  /// version 2, without a block.
  var ends: (old: FileEnd, new: FileEnd)?

  /// Where the body begins.
  var bodyStart: Int { ends == nil ? Self.byteCount : Self.byteCount + 2 * Self.endByteCount }
  /// The file that is made, as it is.
  var newEnd: FileEnd { ends?.new ?? FileEnd(header: newHeader.bytes, byteCount: UInt64(newByteCount)) }
  private var oldEnd: FileEnd { ends?.old ?? FileEnd(header: oldHeader.bytes, byteCount: UInt64(oldByteCount)) }

  static func == (left: Self, right: Self) -> Bool {
    left.oldByteCount == right.oldByteCount && left.newByteCount == right.newByteCount
      && left.oldHeader == right.oldHeader && left.newHeader == right.newHeader && left.oldEnd == right.oldEnd
      && left.newEnd == right.newEnd
  }

  /// The bytes of the prologue.
  ///
  /// - Parameters:
  ///   - byteCount: of the whole patch.
  ///   - restChecksum: of all that follows the prologue.
  func prologue(byteCount: UInt64, restChecksum: UInt32) -> [UInt8] {
    var out = FileKind.patchMagic
    out.append(bigEndian: ends == nil ? Self.version : Self.compactVersion)
    out.append(bigEndian: byteCount)
    out.append(bigEndian: UInt64(oldByteCount))
    out.append(bigEndian: UInt64(newByteCount))
    out.append(bigEndian: restChecksum)
    out.append(bigEndian: Checksum.of(out.rawSpan))
    return out
  }

  /// Reads and checks the head, and compares the checksums of the whole patch. [U1] [U2] [U3]
  init(parsing patch: RawSpan) throws(FuseError) {
    let magic = FileKind.patchMagic
    guard patch.extracting(first: magic.count).equals(magic.rawSpan) else {
      let advice = Self.advice(instead: FileKind(of: patch))
      throw .corrupted("the file does not begin with \"FSDPAT\"\(advice)", at: 0)
    }
    guard let version = patch.load(at: Field.version, as: UInt16.self),
      [Self.version, Self.compactVersion].contains(version)
    else {
      throw FuseError(
        .unsupportedVersion, "the patch is of another version, and this library reads versions \(Self.version) and \(Self.compactVersion)",
        offset: UInt64(Field.version))
    }
    let byteCount = Self.byteCount + (version == Self.version ? 0 : 2 * Self.endByteCount)
    guard patch.byteCount >= byteCount else {
      throw .truncated(
        "the patch has \(counted(patch.byteCount, "byte")) and its head has \(byteCount); copy or make the patch again",
        at: patch.byteCount)
    }
    try Self.checkChecksums(of: patch)
    let oldByteCount = patch.loadInside(at: Field.oldByteCount, as: UInt64.self)
    let newByteCount = patch.loadInside(at: Field.newByteCount, as: UInt64.self)
    oldHeader = try Header(parsing: patch.extracting(Field.oldHeader..<Field.newHeader))
    newHeader = try Header(parsing: patch.extracting(Field.newHeader..<Self.byteCount))
    guard let old = Int(exactly: oldByteCount), let new = Int(exactly: newByteCount) else {
      throw .corrupted("the patch names a file that is longer than any can be", at: Field.oldByteCount)
    }
    try newHeader.check(fileByteCount: new)
    self.oldByteCount = old
    self.newByteCount = new
    guard version == Self.compactVersion else { return }
    func end(_ number: Int) throws(FuseError) -> FileEnd {
      let start = Self.byteCount + number * Self.endByteCount
      let end = FileEnd(
        header: patch.extracting(start..<start + Header.byteCount).array(),
        byteCount: patch.loadInside(at: start + Header.byteCount, as: UInt64.self))
      // That a header is one is seen when it is compared with that of a file.
      guard Int(exactly: end.byteCount) != nil else {
        throw .corrupted("the patch names a file that is longer than any can be", at: start + Header.byteCount)
      }
      return end
    }
    ends = (try end(0), try end(1))
  }

  /// - Parameters:
  ///   - ends: the files as they are, where those that are compared were expanded.
  init(from old: FuseReader, to new: FuseReader, ends: (old: FileEnd, new: FileEnd)? = nil) {
    self.ends = ends
    oldByteCount = old.byteCount
    newByteCount = new.byteCount
    oldHeader = old.header
    newHeader = new.header
  }

  private static func advice(instead kind: FileKind) -> String {
    switch kind {
    case .database: ": it is a database, and PATCH comes after OLD; 'fusedb diff OLD NEW --patch PATCH' makes a patch"
    case .packed(let packer, let unpacker): ": it is packed by \(packer); unpack it first, with \(unpacker)"
    default: "; is it a patch of 'fusedb diff --patch'?"
    }
  }

  /// Every byte of a patch is covered, its length included.
  private static func checkChecksums(of patch: RawSpan) throws(FuseError) {
    let checksum = Checksum.of(patch.extracting(first: Field.checksum))
    let stored = patch.loadInside(at: Field.checksum, as: UInt32.self)
    guard checksum == stored else {
      throw .corrupted(
        """
        the checksum of the patch's head is \(checksum.hexadecimal) and it says \(stored.hexadecimal); copy or make the \
        patch again
        """, at: Field.checksum)
    }
    let byteCount = patch.loadInside(at: Field.byteCount, as: UInt64.self)
    guard byteCount == UInt64(patch.byteCount) else {
      throw .truncated(
        "the patch has \(counted(patch.byteCount, "byte")) and its head says \(byteCount); copy or make the patch again",
        at: min(byteCount, UInt64(patch.byteCount)))
    }
    let rest = Checksum.of(patch.extracting(droppingFirst: prologueByteCount))
    let storedRest = patch.loadInside(at: Field.restChecksum, as: UInt32.self)
    guard rest == storedRest else {
      throw .corrupted(
        "the patch's checksum is \(rest.hexadecimal) and its head says \(storedRest.hexadecimal); copy or make the patch again",
        at: Field.restChecksum)
    }
  }
}

extension PatchHead {
  /// Throws unless the patch was made from `old`. [U7]
  ///
  /// The header holds the file's checksum, which is compared with the bytes themselves when the records are read.
  func checkBelongs(to old: FuseReader, at place: PatchPlace) throws(FuseError) {
    let isSame =
      if let ends { FileEnd(of: old) == ends.old } else { old.byteCount == oldByteCount && old.header == oldHeader && !old.isCompact }
    guard isSame else {
      throw mismatch(
        """
        \(old.path) has \(counted(old.byteCount, "byte")) and \(counted(old.keyCount, "key")) with \
        \(old.header.checksum.hexadecimal); take the file that the patch was made from\(isMade(old) ? " (this one is what the patch makes)" : "")
        """, at: place)
    }
  }

  /// Throws unless the patch was made from the file that another one makes. [U20]
  func checkFollows(_ before: PatchHead, at place: PatchPlace) throws(FuseError) {
    guard before.newByteCount == oldByteCount, before.newHeader == oldHeader, before.newEnd == oldEnd else {
      throw mismatch(
        """
        the patch before it makes one of \(counted(before.newByteCount, "byte")) and \(counted(before.newHeader.keyCount, "key")) with \
        \(before.newHeader.checksum.hexadecimal); give the patches in the order in which they were made, without a gap
        """, at: place)
    }
  }

  private func mismatch(_ instead: String, at place: PatchPlace) -> FuseError {
    place.naming(
      FuseError(
        .patchMismatch,
        """
        the patch belongs to a file of \(counted(oldEnd.byteCount, "byte")) and \(counted(oldHeader.keyCount, "key")) with checksum \
        \(oldEnd.checksum.hexadecimal), and \(instead)
        """))
  }

  /// Throws where the new file would be longer than is allowed. [U19]
  func check(mostBytes: Int, at place: PatchPlace) throws(FuseError) {
    guard newByteCount > mostBytes else { return }
    throw place.naming(
      FuseError(
        .limitExceeded,
        """
        the patch makes a file of \(newByteCount) bytes, and \(mostBytes) are allowed; if you trust it, allow more \
        (option 'greatestByteCount', 'fusedb patch --max-size')
        """))
  }

  /// Whether the file is what the patch is to make.
  private func isMade(_ reader: FuseReader) -> Bool { FileEnd(of: reader) == newEnd }
}
