/// A file that is merged, or whose keys are taken away.
///
/// Opening it reads next to nothing, also of a plain file: a merge goes through all of it anyway, and checks it then.
struct MergeInput: Sendable {
  /// How much of a plain file is read between two times that its pages are let go.
  private static let stepByteCount = 4 << 20

  /// What of a record is read at once, unless it is longer.
  private static let firstByteCount = 256

  let reader: FuseReader
  private let file: InputDescriptor
  /// Whether each stride of the index has a checksum, and a search for a key a place to begin.
  let isIndexed: Bool

  init(_ path: String) throws(FuseError) {
    file = try InputDescriptor(path: path)
    reader = try FuseReader(try file.mapping(), checksums: .verified, expecting: .none)
    isIndexed = if case .section = reader.index.order { true } else { false }
    dropPages()
  }

  var path: String { reader.path }

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

  /// Appends the object whose record begins at `offset` to `bytes`, its checksum compared.
  func append(
    objectAt offset: UInt64, to bytes: inout [UInt8], _ window: inout RecordWindow
  ) throws(FuseError) {
    let start = bytes.count
    let room = reader.dataEnd - Header.byteCount - ObjectRecord.overhead
    guard room >= 0, offset >= Header.byteCount, offset - UInt64(Header.byteCount) <= UInt64(room) else {
      throw bad("the object here runs past the end of the data section at \(reader.dataEnd)", at: offset)
    }
    let place = Int(offset)
    let limit = reader.dataEnd
    try window.append(min(Self.firstByteCount, limit - place), at: place, before: limit, of: file, to: &bytes)
    guard let length = bytes.rawSpan.load(at: start, as: UInt32.self),
      let expected = bytes.rawSpan.load(at: start + 4, as: UInt32.self)
    else { throw cut(at: place) }
    let end = place + ObjectRecord.overhead + Int(length)
    guard end <= reader.dataEnd else {
      throw bad("the object here runs past the end of the data section at \(reader.dataEnd)", at: offset)
    }
    bytes.removeSubrange(start..<start + ObjectRecord.overhead)
    let missing = start + Int(length) - bytes.count
    if missing < 0 {
      bytes.removeLast(-missing)
    } else if missing > 0 {
      try window.append(missing, at: end - missing, before: limit, of: file, to: &bytes)
    }
    guard bytes.count == start + Int(length) else { throw cut(at: place) }
    let checksum = Checksum.of(bytes.rawSpan.extracting(start...))
    guard checksum == expected else {
      throw bad(
        """
        the object's checksum is \(checksum.hexadecimal) and its record says \(expected.hexadecimal); \
        'fusedb verify' lists the damage
        """, at: offset)
    }
    // Another file may have been written into this one, and its record here be whole.
    try reader.checkNotShrunk()
  }

  private func bad(_ message: String, at offset: UInt64) -> FuseError {
    reader.unlessShrunk(.corrupted(message, at: offset))
  }

  private func cut(at offset: Int) -> FuseError {
    FuseError.truncated(
      "the file was overwritten or became shorter while it was read; replace files by renaming and merge again",
      at: offset
    ).at(path: path)
  }
}
