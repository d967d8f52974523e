/// A file that is merged, or whose keys are taken away.
///
/// Opening it reads next to nothing, also of a plain file: a merge goes through all of it anyway, and checks it then.
struct MergeInput: Sendable {
  /// How much of a plain file is read between two times that its pages are let go.
  private static let stepByteCount = 4 << 20

  let reader: FuseReader
  /// Whether each stride of the index has a checksum, and a search for a key a place to begin.
  let isIndexed: Bool

  init(_ path: String) throws(FuseError) {
    reader = try FuseReader(path: path, expecting: .none)
    // A page of two megabytes would count as such, however little of it is read.
    reader.mapping.keepPagesSmall()
    isIndexed = if case .section = reader.index.order { true } else { false }
  }

  var keyCount: Int { reader.keyCount }
  var path: String { reader.path }

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

  /// Counts the pages of the data section that are in memory.
  func dataPages(limit: Int) -> MappedPages {
    MappedPages(Header.byteCount..<reader.dataEnd, of: reader.mapping, limit: limit)
  }
}
