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
  private let dataEnd: Int
  private let kept: (file: MergeFile, records: MergeRecords)?

  /// - Parameter staysOpen: whether it is opened once for all.
  init(_ path: String, staysOpen: Bool) throws(FuseError) {
    pinnedPath = PinnedPath(path)
    let descriptor = try InputDescriptor(pinnedPath)
    stamp = try descriptor.stamp()
    let opened = try Self.open(descriptor)
    dataEnd = opened.records.dataEnd
    kept = staysOpen ? opened : nil
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
    guard try file.stamp() == stamp else {
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
