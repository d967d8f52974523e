internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// A file that is merged.
///
/// The first of them stay open, so that what was opened is what is read, whatever becomes of the path. Of more files than
/// a process may have open, each is opened again when it is read, and has to be the same still.
struct MergeInput: Sendable {
  /// How many files stay open, and how many of the others are kept open while they are needed: a part of what the process
  /// may have, for it has others, and those of one merge are not all.
  static let mostOpen = max(4, min(128, InputDescriptor.mostOpen / 16))

  private let pinnedPath: PinnedPath
  /// What was opened first.
  let stamp: FileStamp
  /// The file that is read: that one, or what was expanded of it.
  private let contentStamp: FileStamp
  /// The sections that not every block has, and with them the aliases of networks.
  let sections: (OptionalSections, aliases: [NetworkSection.Alias])
  /// The rule by which its keys were written, as its metadata name it; nil where they name none. [F8]
  let rule: String?
  private let dataEnd: Int
  private let kept: (file: MergeFile, records: MergeRecords)?

  /// - Parameters:
  ///   - staysOpen: whether it is opened once for all.
  ///   - folder: where a compact file is expanded, into a file without a name.
  init(_ path: String, staysOpen: Bool, folder: String) throws(FuseError) {
    pinnedPath = PinnedPath(path)
    let descriptor = try InputDescriptor(pinnedPath)
    stamp = try descriptor.stamp()
    var opened = try Self.open(descriptor)
    let reader = opened.file.reader
    sections = (reader.index.sections, reader.networks?.section.aliases ?? [])
    do throws(FuseError) {
      rule = try reader.metadata[KeyNormalisation.metadataName]
    } catch {
      throw error.at(path: path)
    }
    if let expanded = try CompactExpansion.input(of: reader, in: folder) {
      opened = try Self.open(expanded)
      contentStamp = try expanded.stamp()
      kept = opened
    } else {
      contentStamp = stamp
      kept = staysOpen ? opened : nil
    }
    dataEnd = opened.records.dataEnd
  }

  /// As it was given.
  var path: String { pinnedPath.given }

  private static func open(
    _ descriptor: InputDescriptor
  ) throws(FuseError) -> (file: MergeFile, records: MergeRecords) {
    let file = try MergeFile(try descriptor.mapping())
    return (file, MergeRecords(file: descriptor, dataEnd: file.reader.dataEnd))
  }

  /// The open file, for as long as the result lives.
  func open() throws(FuseError) -> (file: MergeFile, records: MergeRecords) {
    if let kept { return kept }
    return try Self.open(try descriptor())
  }

  /// The records of a file that stays open.
  var keptRecords: MergeRecords? { kept?.records }

  /// The same, where records alone are read.
  func openRecords() throws(FuseError) -> MergeRecords {
    if let kept { return kept.records }
    return MergeRecords(file: try descriptor(), dataEnd: dataEnd)
  }

  /// Throws unless the file is still what was opened first.
  func checkUnchanged(_ file: InputDescriptor) throws(FuseError) {
    guard try file.stamp() == contentStamp else {
      throw FuseError(
        .truncated, "the file was replaced or changed while it was merged; replace files by renaming and merge again",
        offset: 0, path: path)
    }
  }

  private func descriptor() throws(FuseError) -> InputDescriptor {
    let descriptor = try InputDescriptor(pinnedPath)
    try checkUnchanged(descriptor)
    return descriptor
  }
}

/// An open file whose keys are merged or taken away.
///
/// Opening it reads next to nothing, also of a plain file: a merge goes through all of it anyway, and checks it then.
struct MergeFile: Sendable {
  /// How much of a plain file is read between two times that its pages are let go.
  private static let stepByteCount = 4 << 20

  let reader: FuseReader
  /// Of what was opened first, which may be a file that this was expanded from.
  let stamp: FileStamp?
  /// Whether each stride of the index has a checksum, and a search for a key a position to begin at.
  let isIndexed: Bool

  /// - Parameter folder: where a compact file is expanded, into a file without a name.
  init(_ path: String, folder: String) throws(FuseError) {
    let file = try MergeFile(FileMapping(path: path))
    let expanded = try CompactExpansion.input(of: file.reader, in: folder)
    self = if let expanded { try MergeFile(expanded.mapping(), stamp: file.stamp) } else { file }
  }

  init(_ mapping: FileMapping, stamp: FileStamp? = nil) throws(FuseError) {
    reader = try FuseReader(mapping, checksums: .verified, expecting: .none)
    self.stamp = stamp ?? mapping.stamp
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
      try Cancellation.check()
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

/// What was read of a file ahead of its records, which mostly follow each other.
struct RecordWindow {
  private static let byteCount = 1 << 16
  /// How far after what was read last a record may begin, to be taken for the next one.
  private static let nearby = 4096

  private var bytes: [UInt8] = []
  private var start = 0
  private var end: Int { start + bytes.count }

  /// Appends `count` bytes of a file, those from `offset` on, to `target`; fewer where the file ends before.
  ///
  /// - Parameter limit: where the records end; nothing is read ahead beyond it.
  mutating func append(
    _ count: Int, at offset: Int, before limit: Int, of file: InputDescriptor, to target: inout [UInt8]
  ) throws(FuseError) {
    if offset < start || offset + count > end {
      let isNext = offset >= start && offset - end <= Self.nearby
      bytes.removeAll(keepingCapacity: true)
      start = offset
      // A record somewhere else is read alone: the next one may be anywhere.
      try file.append(isNext ? max(count, min(Self.byteCount, limit - offset)) : count, at: offset, to: &bytes)
    }
    let range = offset - start..<min(offset - start + count, bytes.count)
    target.append(contentsOf: bytes[range])
  }
}
