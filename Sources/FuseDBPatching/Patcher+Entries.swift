internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

extension Patcher {
  /// Where the entries of the new file stand, and what the next one needs to know. See spec/patch.md §6.
  private struct Progress {
    /// The old file's entries that are left.
    var oldEntries: Scan
    var writtenCount = 0
    /// One more than the highest record that an entry points at so far.
    var frontier = 0
    /// The last key of the old file that was written, and the last that was added.
    var kept: Entry?
    var added: [UInt8] = []
    /// Which of the two came last.
    var isAfterAdded = false

    init(_ old: FuseReader) throws(FuseError) { oldEntries = try old.entries() }

    /// Takes the next entry of the old file.
    mutating func next(_ body: PatchBodyReader) throws(FuseError) -> Entry {
      guard let entry = try oldEntries.next() else { throw body.bad("the old file has no more keys") }
      return entry
    }
  }

  /// Writes the key index of the new file. [U12] [U13] [U14]
  mutating func writeEntries() throws(FuseError) {
    var progress = try Progress(old.reader)
    let keyCount = Int(head.newHeader.keyCount)
    while progress.writtenCount < keyCount {
      let (kind, argument) = try body.operation(PatchOperation.Entries.self)
      switch kind {
      case .followed:
        let left = min(progress.oldEntries.count, keyCount - progress.writtenCount)
        let count = try body.count(argument, upTo: left, of: "keys to keep")
        guard count > 0 else { throw body.bad("no key is to be kept") }
        for _ in 0..<count {
          let entry = try progress.next(body)
          guard let record = successors[try old.record(of: entry)] else {
            throw body.bad("a key is to be kept whose object has gone")
          }
          try write(entry, record, &progress)
        }
      case .dropped:
        let count = try body.count(argument, upTo: progress.oldEntries.count, of: "keys to drop")
        guard count > 0 else { throw body.bad("no key is to be dropped") }
        try progress.oldEntries.skip(count)
      case .redirected:
        try write(try progress.next(body), try record(argument, progress), &progress)
      case .added:
        let shared = try body.count(argument, upTo: progress.added.count, of: "bytes shared with the key added before")
        let count = try body.count(upTo: FormatLimits.keyByteCount - shared, of: "bytes of a key")
        var key = Array(progress.added.prefix(shared))
        try body.bytes(count) { part in key += part.array() }
        let target = try record(try body.number(), progress)
        guard try isAscending(key.rawSpan, progress) else { throw body.bad("an added key is out of order") }
        progress.added = key
        progress.isAfterAdded = true
        try write(key.rawSpan, target, &progress)
      }
    }
  }

  /// The record at a distance from the frontier.
  private func record(_ distance: UInt64, _ progress: Progress) throws(FuseError) -> Int {
    let (record, isOverflow) = Int64(progress.frontier).addingReportingOverflow(Int64(zigzag: distance))
    guard !isOverflow, record >= 0, record < starts.count else {
      throw body.bad("a key is to point at record \(record), and the new file has \(starts.count)")
    }
    return Int(record)
  }

  private func write(_ entry: Entry, _ record: Int, _ progress: inout Progress) throws(FuseError) {
    let key = try entry.keyBytes
    // The old file's keys are in order among themselves.
    if progress.isAfterAdded {
      guard try isAscending(key, progress) else { throw body.bad("an added key is out of order") }
    }
    progress.kept = entry
    progress.isAfterAdded = false
    try write(key, record, &progress)
  }

  private func isAscending(_ key: RawSpan, _ progress: Progress) throws(FuseError) -> Bool {
    if progress.isAfterAdded { return progress.added.rawSpan.compare(key) < 0 }
    guard let kept = progress.kept else { return true }
    return try kept.keyBytes.compare(key) < 0
  }

  private func write(_ key: RawSpan, _ record: Int, _ progress: inout Progress) throws(FuseError) {
    guard UInt64(IndexEntry.overhead + key.byteCount) <= UInt64(head.newByteCount) - file.byteCount else {
      throw body.bad("the keys do not fit into \(counted(head.newByteCount, "byte")), which the new file has")
    }
    try file.body.write(entry: key, object: starts[record])
    progress.writtenCount += 1
    progress.frontier = max(progress.frontier, record + 1)
  }

  /// Which sections the block has that not every one has.
  private func namedSections() throws(FuseError) -> OptionalSections {
    let sections = OptionalSections(rawValue: try body.number())
    guard !sections.isEmpty else { throw body.bad("no further sections are named") }
    guard OptionalSections.all.isSuperset(of: sections) else {
      throw body.bad("the new file has sections that this library does not know; use a newer one")
    }
    return sections
  }

  /// Writes what follows the key index, and compares the file with what the patch says of it. [U15] [U16] [U17]
  mutating func writeBlock() throws(FuseError) {
    let index = Int(head.newHeader.indexOffset)..<Int(file.byteCount)
    guard let block = PatchOperation.Block(rawValue: try body.number()) else {
      throw body.bad("there is no such block")
    }
    var made: (header: Header, byteCount: Int)?
    switch block {
    case .absent:
      try body.finish()
    case .rebuilt, .rebuiltWith:
      let sections = block == .rebuilt ? [] : try namedSections()
      var metadata: [UInt8]?
      if try body.count(upTo: 1, of: "sections of metadata") == 1 {
        var bytes: [UInt8] = []
        let count = try body.count(upTo: MetadataSection.mostBytes, of: "bytes of metadata")
        try body.bytes(count) { part in bytes += part.array() }
        metadata = bytes
      }
      try body.finish()
      made = try PatchBlock.rebuild(
        in: file, index: index, header: head.newHeader, metadata: metadata, sections: sections)
    case .literal:
      try body.bytes(head.newByteCount - index.upperBound) { part throws(FuseError) in try file.write(part) }
      try body.finish()
    }
    try file.flush()
    // Of a rebuilt block the writer knows both.
    let byteCount = made?.byteCount ?? Int(file.byteCount)
    let checksum = made?.header.checksum ?? file.checksum.value
    guard byteCount == head.newByteCount, checksum == head.newHeader.checksum else {
      throw body.bad(
        """
        the new file has \(counted(byteCount, "byte")) with checksum \(checksum.hexadecimal), and must have \
        \(head.newByteCount) with \(head.newHeader.checksum.hexadecimal)
        """)
    }
  }
}
