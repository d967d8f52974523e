internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Writes what makes one file of another. See spec/patch.md §5 to §7.
struct PatchMaker {
  let old: PatchEnd
  let new: PatchEnd
  let origins: RecordOrigins
  let body: PatchBodyWriter
  /// The new record that each old one's keys point at unless the patch says otherwise.
  private(set) var successors: RecordSuccessors
  private(set) var report: PatchReport

  init(from old: PatchEnd, to new: PatchEnd, body: PatchBodyWriter) throws(FuseError) {
    self.old = old
    self.new = new
    self.body = body
    origins = try RecordOrigins(from: old, to: new)
    successors = try RecordSuccessors(oldCount: old.recordCount)
    report = PatchReport()
  }

  /// Says how each record of the new file comes about, in their order.
  mutating func writeRecords() throws(FuseError) {
    var cursor = 0
    var record = 0
    while record < new.recordCount {
      guard origins.origins[record] != RecordOrigins.none else {
        try writeNew(record)
        record += 1
        continue
      }
      let origin = Int(origins.origins[record])
      if origin != cursor { try body.write(PatchOperation.Records.moved, Int64(origin - cursor).zigzag) }
      cursor = origin
      guard origins.areEqual[record] else {
        try writeEdited(record, origin)
        record += 1
        cursor += 1
        continue
      }
      var count = 0
      while record < new.recordCount, origins.areEqual[record], Int(origins.origins[record]) == cursor {
        successors.set(cursor..<cursor + 1, record)
        record += 1
        cursor += 1
        count += 1
      }
      try body.write(PatchOperation.Records.copied, UInt64(count))
      report.copiedObjectCount += count
    }
  }

  private mutating func writeNew(_ record: Int) throws(FuseError) {
    let new = new
    let object = new.object(record)
    try body.write(PatchOperation.Records.new, UInt64(object.byteCount))
    try body.write(object)
    report.newObjectCount += 1
  }

  private mutating func writeEdited(_ record: Int, _ origin: Int) throws(FuseError) {
    let (old, new) = (old, new)
    let object = new.object(record)
    let edits = try RecordEdit.edits(from: old.object(origin), to: object)
    try body.write(PatchOperation.Records.edited, UInt64(edits.count))
    for edit in edits {
      try body.write(edit.keptCount)
      try body.write(edit.droppedCount)
      try body.write(edit.inserted.count)
      try body.write(object.extracting(edit.inserted))
    }
    successors.setEdited(origin, record)
    report.editedObjectCount += 1
  }

  /// Says how each entry of the new file comes about, in their order.
  mutating func writeEntries() throws(FuseError) {
    var keys = try KeyPairs(from: old.reader, to: new.reader)
    // Entries that need no operation of their own yet.
    var (followed, dropped) = (0, 0)
    var written = 0
    var frontier = 0
    var added: [UInt8] = []
    while written < new.reader.keyCount, let pair = try keys.next() {
      guard let entry = pair.new else {
        try flush(.followed, &followed)
        dropped += 1
        continue
      }
      written += 1
      let record = try new.record(of: entry.entry)
      defer { frontier = max(frontier, record + 1) }
      if let oldEntry = pair.old, successors[try old.record(of: oldEntry.entry)] == record {
        try flush(.dropped, &dropped)
        followed += 1
        continue
      }
      try flush(.followed, &followed)
      try flush(.dropped, &dropped)
      let distance = Int64(record - frontier).zigzag
      if pair.old != nil {
        try body.write(PatchOperation.Entries.redirected, distance)
        report.redirectedKeyCount += 1
      } else {
        let key = try entry.key
        let shared = zip(key, added).prefix { $0 == $1 }.count
        try body.write(PatchOperation.Entries.added, UInt64(shared))
        try body.write(key.count - shared)
        try body.write(key.rawSpan.extracting(droppingFirst: shared))
        try body.write(distance)
        added = key
        report.addedKeyCount += 1
      }
    }
    try flush(.followed, &followed)
  }

  private func flush(_ kind: PatchOperation.Entries, _ count: inout Int) throws(FuseError) {
    if count > 0 { try body.write(kind, UInt64(count)) }
    count = 0
  }

  private func write(metadata: [UInt8]?) throws(FuseError) {
    try body.write(metadata == nil ? 0 : 1)
    guard let metadata else { return }
    try body.write(metadata.count)
    try body.write(metadata.rawSpan)
  }

  /// Says what follows the key index.
  mutating func write(_ block: PatchBlock.Description) throws(FuseError) {
    switch block {
    case .absent:
      try body.write(PatchOperation.Block.absent.rawValue)
    case .rebuilt(let metadata, let sections):
      if sections.isEmpty {
        try body.write(PatchOperation.Block.rebuilt.rawValue)
      } else {
        try body.write(PatchOperation.Block.rebuiltWith.rawValue)
        try body.write(sections.rawValue)
      }
      try write(metadata: metadata)
    case .literal:
      try body.write(PatchOperation.Block.literal.rawValue)
      let mapping = new.reader.mapping
      try body.write(mapping.bytes.extracting(droppingFirst: new.reader.index.end))
      report.hasBlockBytes = true
    case .compact(let plan):
      try body.write(PatchOperation.Block.compact.rawValue)
      try body.write(plan.keysAreRaw ? 1 : 0)
      var sections: OptionalSections = []
      if plan.sections.networks == .always { sections.insert(.networks) }
      if plan.sections.keyLengths { sections.insert(.lengths) }
      let aliases = plan.sections.aliases
      try body.write(sections.rawValue | (aliases.isEmpty ? 0 : PatchOperation.aliasesFollow))
      if !aliases.isEmpty { try body.write(UInt64(aliases.count)) }
      for alias in aliases {
        try body.write(UInt64(alias.address >> 64))
        try body.write(UInt64(truncatingIfNeeded: alias.address))
        try body.write(UInt64(alias.prefixLength))
      }
      try write(metadata: plan.metadata)
    }
  }
}
