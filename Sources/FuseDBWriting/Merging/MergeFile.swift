internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// An open file whose keys are merged or taken away.
///
/// Opening it reads next to nothing, also of a plain file: a merge goes through all of it anyway, and checks it then.
struct MergeFile: Sendable {
  /// How much of a plain file is read between two times that its pages are let go.
  private static let stepByteCount = 4 << 20

  let reader: FuseReader
  /// Whether each stride of the index has a checksum, and a search for a key a position to begin at.
  let isIndexed: Bool

  init(_ path: String) throws(FuseError) { try self.init(FileMapping(path: path)) }

  init(_ mapping: FileMapping) throws(FuseError) {
    reader = try FuseReader(mapping, checksums: .verified, expecting: .none)
    isIndexed = if case .section = reader.index.order { true } else { false }
    dropPages()
  }

  /// Lets go of all pages of the mapping: they count as memory of the process.
  func dropPages() { reader.mapping.dropPages(in: 0..<reader.byteCount) }

  /// Of a file that has no checksums but one: compares that. [O2]
  func checkWhole() throws(FuseError) {
    guard !isIndexed else { return }
    let mapping = reader.mapping
    var checksum = Checksum()
    var start = Header.byteCount
    while start < mapping.byteCount {
      let range = start..<min(mapping.byteCount, start + Self.stepByteCount)
      let file = mapping.bytes
      checksum.update(file.extracting(range))
      mapping.dropPages(in: range)
      start = range.upperBound
    }
    guard checksum.value == reader.header.checksum else {
      throw reader.unlessShrunk(
        .corrupted(
          """
          the file's checksum is \(checksum.value.hexadecimal) and its header says \
          \(reader.header.checksum.hexadecimal); 'fusedb verify' lists the damage
          """, at: Header.Field.checksum))
    }
    try mapping.checkNotShrunk()
  }
}
