internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

extension Patcher {
  /// Where the entries of the new file stand, and what the next one needs to know. See spec/patch.md §6.
  private struct Progress {
    var finder: EntryFinder
    /// The next entry of the file before, and how many it has.
    var next = 0
    let oldCount: Int
    var writtenCount = 0
    /// One more than the highest record that an entry points at so far,
    var frontier = 0
    /// and the same of the old file's entries.
    var oldFrontier = 0
    /// How long the key index becomes with all entries that are left of the file before; of a file that is written, is so far.
    var byteCount: Int
    /// How much of that was added.
    var addedByteCount = 0
    /// The last entry of the file before that was written, and the last key that was added.
    var kept: Int?
    var added: [UInt8] = []
    /// Which of the two came last.
    var isAfterAdded = false
  }

  /// Makes the key index of the new file. [U12] [U13] [U14]
  mutating func writeEntries() throws(FuseError) {
    var progress = Progress(
      finder: EntryFinder(in: material.old.reader), oldCount: previous.keys.count,
      byteCount: file == nil ? previous.indexByteCount : 0)
    let keyCount = Int(head.newHeader.keyCount)
    while progress.writtenCount < keyCount {
      let (kind, argument) = try body.operation(PatchOperation.Entries.self)
      let oldLeft = progress.oldCount - progress.next
      switch kind {
      case .followed:
        let left = min(oldLeft, keyCount - progress.writtenCount)
        let count = try body.count(argument, upTo: left, of: "keys to keep")
        guard count > 0 else { throw body.bad("no key is to be kept") }
        try follow(count, &progress)
      case .dropped:
        let count = try body.count(argument, upTo: oldLeft, of: "keys to drop")
        guard count > 0 else { throw body.bad("no key is to be dropped") }
        try drop(count, &progress)
      case .redirected:
        guard oldLeft > 0 else { throw body.bad("the old file has no more keys") }
        let record = try record(argument, progress)
        try checkOrder(ofEntry: progress.next, &progress)
        try write(entry: progress.next, record, &progress)
        progress.next += 1
      case .added:
        let shared = try body.count(argument, upTo: progress.added.count, of: "bytes shared with the key added before")
        let count = try body.count(upTo: FormatLimits.keyByteCount - shared, of: "bytes of a key")
        var key = Array(progress.added.prefix(shared))
        try body.bytes(count) { part in key += part.array() }
        let target = try record(try body.number(), progress)
        guard try isAscending(key.rawSpan, &progress) else { throw body.bad("an added key is out of order") }
        progress.added = key
        progress.isAfterAdded = true
        try write(added: key, target, &progress)
      }
    }
    if file == nil {
      try drop(progress.oldCount - progress.next, &progress)
      guard progress.byteCount <= indexRoom else { throw tooManyKeys }
    }
    indexByteCount = progress.byteCount
  }

  /// How long the key index may be.
  private var indexRoom: Int { head.newByteCount - Int(head.newHeader.indexOffset) }

  private var tooManyKeys: FuseError {
    body.bad("the keys do not fit into \(counted(head.newByteCount, "byte")), which the new file has")
  }

  /// Keeps entries of the file before, which point at the successors of their records.
  private mutating func follow(_ count: Int, _ progress: inout Progress) throws(FuseError) {
    let entries = progress.next..<progress.next + count
    try checkOrder(ofEntry: entries.lowerBound, &progress)
    if file == nil {
      try targets.makeRoom(for: count)
      try keys.makeRoom(for: count)
    }
    if let old = previous.targets, case .listed(let origins) = previous.keys {
      if file == nil {
        for entry in entries {
          guard let record = successors[Int(old[entry])] else { throw objectHasGone }
          note(origins[entry], record, &progress)
        }
      } else {
        try write(entries, origins, old, &progress)
      }
    } else {
      try writeOld(entries, from: entries.lowerBound, &progress)
    }
    progress.next = entries.upperBound
    progress.kept = entries.upperBound - 1
    progress.isAfterAdded = false
  }

  /// Writes entries of a file in between: those that stand one after the other in the old file together.
  private mutating func write(
    _ entries: Range<Int>, _ origins: [UInt32], _ old: [UInt32], _ progress: inout Progress
  ) throws(FuseError) {
    var next = entries.lowerBound
    while next < entries.upperBound {
      let begin = next
      let origin = Int(origins[begin])
      next += 1
      guard material.isOld(key: origin) else {
        guard let record = successors[Int(old[begin])] else { throw objectHasGone }
        let key = try storedKey(origin)
        try write(key.rawSpan, record, &progress)
        continue
      }
      while next < entries.upperBound, Int(origins[next]) == origin + next - begin,
        material.isOld(key: Int(origins[next]))
      {
        next += 1
      }
      try writeOld(begin..<next, from: origin, &progress)
    }
  }

  /// Writes entries that stand one after the other in the old file, or notes them.
  ///
  /// - Parameters:
  ///   - entries: of the file before.
  ///   - origin: the first of them in the old file.
  private mutating func writeOld(
    _ entries: Range<Int>, from origin: Int, _ progress: inout Progress
  ) throws(FuseError) {
    let (old, targets, stream) = (material.old, previous.targets, file?.body)
    let mapping = old.reader.mapping
    let index = mapping.bytes.extracting(first: old.reader.index.end)
    var offset = try progress.finder.offset(of: origin)
    for number in entries {
      guard let entry = IndexEntry(at: offset, in: index) else { throw old.reader.changed(at: offset) }
      offset = entry.end
      let target: Int
      if let targets {
        target = Int(targets[number])
      } else {
        target = try old.record(of: entry, likely: progress.oldFrontier)
        progress.oldFrontier = max(progress.oldFrontier, target + 1)
      }
      guard let record = successors[target] else { throw objectHasGone }
      guard let stream else {
        note(UInt32(origin + number - entries.lowerBound), record, &progress)
        continue
      }
      let byteCount = IndexEntry.overhead + entry.keyByteCount
      guard byteCount <= indexRoom - progress.byteCount else { throw tooManyKeys }
      try stream.write(entry: index.extracting(entry.keyRange), object: starts[record])
      progress.byteCount += byteCount
      progress.writtenCount += 1
      progress.frontier = max(progress.frontier, record + 1)
    }
    progress.finder.move(to: origin + entries.count, at: offset)
  }

  private var objectHasGone: FuseError { body.bad("a key is to be kept whose object has gone") }

  /// Leaves entries of the file before out.
  private func drop(_ count: Int, _ progress: inout Progress) throws(FuseError) {
    let entries = progress.next..<progress.next + count
    progress.next = entries.upperBound
    // Of a file that is written, the length shows.
    guard file == nil else { return }
    for entry in entries {
      let origin = previous.keys[entry]
      progress.byteCount -= IndexEntry.overhead
      if material.isOld(key: origin) {
        progress.byteCount -= try progress.finder.entry(origin).keyByteCount
      } else {
        progress.byteCount -= material.keys.byteCount(of: origin - material.old.reader.keyCount)
      }
    }
  }

  /// The record at a distance from the frontier.
  private func record(_ distance: UInt64, _ progress: Progress) throws(FuseError) -> Int {
    let (record, isOverflow) = Int64(progress.frontier).addingReportingOverflow(Int64(zigzag: distance))
    guard !isOverflow, record >= 0, record < recordCount else {
      throw body.bad("a key is to point at record \(record), and the new file has \(recordCount)")
    }
    return Int(record)
  }

  /// Throws unless an entry of the file before comes after the last one; those of that file are in order among themselves.
  private func checkOrder(ofEntry number: Int, _ progress: inout Progress) throws(FuseError) {
    guard progress.isAfterAdded else { return }
    let origin = previous.keys[number]
    let isAscending: Bool
    if material.isOld(key: origin) {
      let range = try progress.finder.entry(origin).keyRange
      let mapping = material.old.reader.mapping
      isAscending = progress.added.rawSpan.compare(mapping.bytes.extracting(range)) < 0
    } else {
      let key = try storedKey(origin)
      isAscending = progress.added.rawSpan.compare(key.rawSpan) < 0
    }
    guard isAscending else { throw body.bad("an added key is out of order") }
  }

  /// Whether a key comes after the last one.
  private func isAscending(_ key: RawSpan, _ progress: inout Progress) throws(FuseError) -> Bool {
    if progress.isAfterAdded { return progress.added.rawSpan.compare(key) < 0 }
    guard let kept = progress.kept else { return true }
    let origin = previous.keys[kept]
    guard material.isOld(key: origin) else {
      let last = try storedKey(origin)
      return last.rawSpan.compare(key) < 0
    }
    let range = try progress.finder.entry(origin).keyRange
    let mapping = material.old.reader.mapping
    return mapping.bytes.extracting(range).compare(key) < 0
  }

  /// A key that an earlier patch of the chain brought.
  private func storedKey(_ origin: Int) throws(FuseError) -> [UInt8] {
    var key: [UInt8] = []
    try material.keys.read(origin - material.old.reader.keyCount, into: &key)
    return key
  }

  /// Writes an entry of the file before, which comes after the last one, or notes it.
  private mutating func write(entry number: Int, _ record: Int, _ progress: inout Progress) throws(FuseError) {
    let origin = previous.keys[number]
    if file == nil {
      try keys.makeRoom(for: 1)
      try targets.makeRoom(for: 1)
      note(UInt32(origin), record, &progress)
    } else if material.isOld(key: origin) {
      let range = try progress.finder.entry(origin).keyRange
      let mapping = material.old.reader.mapping
      try write(mapping.bytes.extracting(range), record, &progress)
    } else {
      let key = try storedKey(origin)
      try write(key.rawSpan, record, &progress)
    }
    progress.kept = number
    progress.isAfterAdded = false
  }

  private mutating func write(added key: [UInt8], _ record: Int, _ progress: inout Progress) throws(FuseError) {
    guard file == nil else { return try write(key.rawSpan, record, &progress) }
    // What the file before had and the new one lacks may still be counted; it has that length at least.
    progress.addedByteCount += IndexEntry.overhead + key.count
    guard progress.addedByteCount <= indexRoom else { throw tooManyKeys }
    progress.byteCount += IndexEntry.overhead + key.count
    try keys.makeRoom(for: 1)
    try targets.makeRoom(for: 1)
    note(try material.add(key: key.rawSpan), record, &progress)
  }

  /// Notes where an entry of a file in between comes from; there is room for it.
  @inline(__always)
  private mutating func note(_ origin: UInt32, _ record: Int, _ progress: inout Progress) {
    keys.append(origin)
    targets.append(UInt32(record))
    progress.writtenCount += 1
    progress.frontier = max(progress.frontier, record + 1)
  }

  /// Writes an entry to the file.
  private mutating func write(_ key: RawSpan, _ record: Int, _ progress: inout Progress) throws(FuseError) {
    let byteCount = IndexEntry.overhead + key.byteCount
    guard byteCount <= indexRoom - progress.byteCount else { throw tooManyKeys }
    try file?.body.write(entry: key, object: starts[record])
    progress.byteCount += byteCount
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

  /// Makes what follows the key index, and compares the file with what the patch says of it. [U15] [U16] [U17]
  private func metadata() throws(FuseError) -> [UInt8]? {
    guard try body.count(upTo: 1, of: "sections of metadata") == 1 else { return nil }
    var bytes: [UInt8] = []
    let count = try body.count(upTo: MetadataSection.mostBytes, of: "bytes of metadata")
    try body.bytes(count) { part in bytes += part.array() }
    return bytes
  }

  /// The aliases of networks that a compact file is to have. [A14] [U25]
  private func aliases() throws(FuseError) -> [NetworkSection.Alias] {
    let count = try body.count(upTo: NetworkSection.mostAliases, of: "aliases")
    var aliases: [NetworkSection.Alias] = []
    for _ in 0..<count {
      let high = try body.number()
      let low = try body.number()
      let length = try body.count(upTo: 96, of: "bits of an alias")
      guard length > 0 else { throw body.bad("an alias is to have no bits") }
      aliases.append(
        NetworkSection.Alias(address: UInt128(high) << 64 | UInt128(low), prefixLength: UInt8(length)))
    }
    return aliases
  }

  mutating func writeBlock() throws(FuseError) {
    let index = Int(head.newHeader.indexOffset)..<Int(head.newHeader.indexOffset) + indexByteCount
    guard let block = PatchOperation.Block(rawValue: try body.number()) else {
      throw body.bad("there is no such block")
    }
    var made: (header: Header, byteCount: Int)?
    switch block {
    case .absent:
      try body.finish()
    case .rebuilt, .rebuiltWith:
      let sections = block == .rebuilt ? [] : try namedSections()
      let metadata = try metadata()
      try body.finish()
      guard let file else { return }
      made = try PatchBlock.rebuild(
        in: file, index: index, header: head.newHeader, metadata: metadata, sections: sections)
    case .compact:
      guard head.ends?.new.isCompact ?? false else {
        throw body.bad("a compact file is to be made, and the head says another")
      }
      let isRaw = try body.count(upTo: 1, of: "kinds of keys") == 1
      let number = try body.number()
      let bits = OptionalSections(rawValue: number & ~PatchOperation.aliasesFollow)
      guard bits.subtracting([.networks, .lengths]).isEmpty else {
        throw body.bad("a compact file is to have sections that none has")
      }
      var sections = SectionRequest(exactly: bits)
      if number & PatchOperation.aliasesFollow != 0 { sections.aliases = try aliases() }
      let metadata = try metadata()
      try body.finish()
      compactPlan = CompactPlan(keysAreRaw: isRaw, metadata: metadata, sections: sections)
    case .literal:
      let file = file
      try body.bytes(head.newByteCount - index.upperBound) { part throws(FuseError) in try file?.write(part) }
      try body.finish()
    }
    guard let file else {
      // The block of a file in between is not made. A plain one ends with its index. [U22]
      guard ![.absent, .compact].contains(block) || index.upperBound == head.newByteCount else {
        throw body.bad(
          "the new file has \(counted(index.upperBound, "byte")), and must have \(head.newByteCount)")
      }
      return
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
