internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// The first bytes of a patch: which file it begins from and which it makes. See spec/patch.md §3.
struct PatchHead: Equatable, Sendable {
  static let version: UInt16 = 1
  /// The bytes before the two headers: what is known last, when the patch is written.
  static let prologueByteCount = 40
  static let byteCount = prologueByteCount + 2 * Header.byteCount

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

  /// The bytes of the prologue.
  ///
  /// - Parameters:
  ///   - byteCount: of the whole patch.
  ///   - restChecksum: of all that follows the prologue.
  func prologue(byteCount: UInt64, restChecksum: UInt32) -> [UInt8] {
    var out = FileKind.patchMagic
    out.append(bigEndian: Self.version)
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
    guard let version = patch.load(at: Field.version, as: UInt16.self), version == Self.version else {
      throw FuseError(
        .unsupportedVersion, "the patch is of another version, and this library reads version \(Self.version)",
        offset: UInt64(Field.version))
    }
    guard patch.byteCount >= Self.byteCount else {
      throw .truncated(
        "the patch has \(counted(patch.byteCount, "byte")) and its head has \(Self.byteCount); copy or make the patch again",
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
  }

  init(from old: FuseReader, to new: FuseReader) {
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
    guard old.byteCount == oldByteCount, old.header == oldHeader else {
      throw mismatch(
        """
        \(old.path) has \(counted(old.byteCount, "byte")) and \(counted(old.keyCount, "key")) with \
        \(old.header.checksum.hexadecimal); take the file that the patch was made from\(isMade(old) ? " (this one is what the patch makes)" : "")
        """, at: place)
    }
  }

  /// Throws unless the patch was made from the file that another one makes. [U20]
  func checkFollows(_ before: PatchHead, at place: PatchPlace) throws(FuseError) {
    guard before.newByteCount == oldByteCount, before.newHeader == oldHeader else {
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
        the patch belongs to a file of \(counted(oldByteCount, "byte")) and \(counted(oldHeader.keyCount, "key")) with checksum \
        \(oldHeader.checksum.hexadecimal), and \(instead)
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
  private func isMade(_ reader: FuseReader) -> Bool { reader.byteCount == newByteCount && reader.header == newHeader }
}
