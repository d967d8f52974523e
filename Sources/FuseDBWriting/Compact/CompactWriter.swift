internal import FuseDBCompact
package import FuseDBFormat
package import FuseDBReading
package import FuseDBSystem

/// Makes compact files. See spec/decisions/0041-compact.md.
///
/// The bytes depend on keys and objects alone, not on memory or on how the source was made.
package enum CompactWriter {
  /// Makes a compact file of an open one of version 2.
  ///
  /// The output appears under its name complete or not at all. It has the metadata of the source, its networks and its key lengths; a
  /// reverse index is left out.
  ///
  /// - Parameters:
  ///   - keysAreRaw: whether keys stand as they are, also where symbols would take fewer bytes.
  ///   - memory: in bytes, for what grows with the number of keys and of values; with less, more waits in a temporary file beside the output, and
  ///     the source is read more often. Beside it are some 50 bytes an object, 64 a part and the names of shapes.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` where the source is damaged, `inputOutput` when the output cannot be
  ///   written, `limitExceeded` when no seed suits the keys.
  /// - Complexity: O(bytes of the source), times the number of passes that the memory takes.
  package static func convert(
    _ reader: FuseReader, to output: String, keysAreRaw: Bool, memory: Int, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> CompactReport {
    guard !reader.isCompact else {
      throw FuseError(.unsupportedVersion, "the file is of format version 3 already", path: reader.path)
    }
    let place = try OutputPlace(PinnedPath(output))
    let source = try place.source(among: [reader])
    do throws(FuseError) {
      let file = try AtomicFile(replacing: place, ReplacementRules(kind: .database))
      file.source = source
      let metadata = try reader.index.metadata.map { section throws(FuseError) in
        try reader.metadataBytes(of: section).array()
      }
      let plan = CompactPlan(
        keysAreRaw: keysAreRaw, memory: memory, metadata: metadata,
        sections: SectionRequest(networks: .never).keeping(
          reader.index.sections, aliases: reader.networks?.section.aliases ?? []))
      var work = try CompactWork(reader, to: file, plan)
      return try work.run { progress?($0) }
    } catch {
      throw error.path == nil && [.corrupted, .truncated, .invalidValue].contains(error.code)
        ? error.at(path: reader.path) : error
    }
  }
}

extension CompactWriter {
  /// Writes a compact file of the keys and objects of one of version 2, without giving it its name.
  ///
  /// - Returns: its header, which is not written yet, and its length.
  package static func write(
    _ reader: FuseReader, to file: AtomicFile, _ plan: CompactPlan
  ) throws(FuseError) -> (header: [UInt8], byteCount: Int) {
    var work = try CompactWork(reader, to: file, plan)
    let made = try work.write { _ in }
    return (made.header, made.report.byteCount)
  }
}

/// The making of one file, step by step.
struct CompactWork {
  private static let seedsToTry: UInt64 = 64
  private static let headByteCount = 64
  /// However little memory there is.
  private static let leastMemory = 1 << 20

  let reader: FuseReader
  private let file: AtomicFile
  private let plan: CompactPlan
  private let memory: Int
  private var networks: NetworkCollector?
  private var lengths: KeyLengths?
  /// Whether the networks among the keys were collected.
  private var hasNetworks = false
  let spill: Spill

  private var objects: CompactObjects
  /// The number of the object of each key.
  private let numbers: SpillStream
  private var sample: SymbolSample
  private var alone: NetworkAloneTest
  /// Whether the file is one of networks alone, and how many keys stand in blocks then. [CN1]
  private var isOfNetworksAlone = false
  private var blockKeyCount = 0

  init(
    _ reader: FuseReader, to file: AtomicFile, _ plan: CompactPlan
  ) throws(FuseError) {
    self.reader = reader
    self.file = file
    self.plan = plan
    memory = max(Self.leastMemory, plan.memory)
    lengths = plan.sections.keyLengths ? KeyLengths() : nil
    if plan.sections.networks != .never {
      let limits = BlockLimits(memory: self.memory / 2, temporaryFolder: file.folder)
      networks = NetworkCollector(
        plan.sections, limits,
        BlockSizes(keyCount: reader.keyCount, memory: limits.memory, threadCount: limits.threadCount))
    }
    // Rows, numbers of objects, long keys and parts share what may stay in memory.
    spill = Spill(
      in: file.folder, memory: self.memory / 4, chunkByteCount: min(1 << 20, max(1 << 14, self.memory / 64)) & ~4095)
    objects = try CompactObjects()
    numbers = SpillStream(spill, recordByteCount: MemoryLayout<UInt32>.size)
    sample = SymbolSample(keyCount: reader.keyCount)
    alone = NetworkAloneTest(isWanted: plan.sections.networks != .never && reader.keyCount > 0)
  }

  /// Writes the file and lets it appear.
  mutating func run(_ progress: (Double) -> Void) throws(FuseError) -> CompactReport {
    var (header, report) = try write(progress)
    let replaced = try file.publish(header: header, keyCount: reader.keyCount)
    report.replacedKeyCount = replaced?.keyCount
    progress(1)
    return report
  }

  /// Writes all but the header.
  mutating func write(_ progress: (Double) -> Void) throws(FuseError) -> (header: [UInt8], report: CompactReport) {
    try numberObjects()
    progress(0.1)
    let tables = try objects.tables(reader, memory: memory / 2) { _ in }
    progress(0.3)
    let rows = try writeRows(tables)
    progress(0.5)
    let rowsEnd = file.body.position
    if isOfNetworksAlone { try collectNetworks(rows) }
    var sections = SectionWriter(to: file, after: rowsEnd, checksum: file.checksum)
    let keys = try writeKeys(&sections, rows)
    progress(0.7)
    if !isOfNetworksAlone { try writeSlots(&sections, keys) }
    progress(0.9)
    if keys.longKeys.byteCount > 0 { try sections.add(CompactForm.Section.longKeys, [], [keys.longKeys]) }
    if let coder = keys.coder { try sections.add(CompactForm.Section.symbols, coder.sectionBytes) }
    try writeTables(&sections, tables)
    let networks = try writeOptional(&sections)
    let header = try sections.finish(keyCount: reader.keyCount, objectCount: objects.count)
    // What was read of a file that shrank meanwhile is not the file's.
    try reader.checkNotShrunk()
    let report = CompactReport(
      keyCount: reader.keyCount, objectCount: objects.count, byteCount: sections.end, rowsEnd: rowsEnd,
      partCount: tables.parts.count, shapeCount: tables.shapes.count, keysAreCoded: keys.coder != nil,
      replacedKeyCount: nil, networks: networks)
    return (header, report)
  }

  /// What a file has only where it is asked for.
  private mutating func writeOptional(_ sections: inout SectionWriter) throws(FuseError) -> NetworkCounts? {
    if let metadata = plan.metadata {
      try sections.addOptional(CompactForm.Section.metadata) { stream throws(FuseError) in
        try stream.write(metadata.rawSpan)
      }
    }
    let made = try networks?.finish(lanes)
    networks = nil
    if let made {
      try sections.addOptional(CompactForm.Section.networks) { stream throws(FuseError) in
        try made.builder.write { bytes throws(FuseError) in try stream.write(bytes) }
      }
      if isOfNetworksAlone {
        try sections.add(
          CompactForm.Section.shown,
          NetworkStartSection.bytes(
            made.builder.startCounts, count: made.builder.startCount, hasLengths: alone.addressesHaveLengths))
      }
    }
    if let bytes = lengths?.bytes {
      try sections.addOptional(CompactForm.Section.lengths) { stream throws(FuseError) in
        try stream.write(bytes.rawSpan)
      }
    }
    return made?.counts
  }

  /// How wide objects are in the section of networks. [CO1] [CN3]
  private var lanes: NetworkSection.Lanes {
    let rowsEnd = file.body.position
    // Lines of longer blocks are numbered by as many bytes; each block makes two runs at most.
    if isOfNetworksAlone, rowsEnd < 1 << 24, alone.ipv6KeyCount < 1 << 22 { return .nine }
    return rowsEnd < 1 << 32 ? .eight : .seven
  }

  /// Numbers the objects in the order of their smallest keys, and takes the sample of keys.
  private mutating func numberObjects() throws(FuseError) {
    var scan = try reader.entries().keysOnly
    let mapping = reader.mapping
    let file = mapping.bytes
    while let entry = try scan.next() {
      try numbers.append(record: objects.number(ofRecordAt: entry.entry.objectOffset, reader))
      if !plan.keysAreRaw { sample.add(entry.entry.keyRange, in: file) }
      if alone.isPassed { alone.add(file.extracting(entry.entry.keyRange)) }
      lengths?.add(file.extracting(entry.entry.keyRange))
    }
    numbers.finish()
    try objects.finish()
    isOfNetworksAlone = alone.isPassed && (alone.hasBlock || plan.sections.networks == .always)
    blockKeyCount = isOfNetworksAlone ? alone.blockKeyCount : reader.keyCount
    guard isOfNetworksAlone, !plan.keysAreRaw else { return }
    // The sample is one of the keys in blocks.
    sample = SymbolSample(keyCount: blockKeyCount)
    var feed = try blockKeys()
    while let item = try feed.take() { sample.add(item.key, in: file) }
  }

  private func blockKeys() throws(FuseError) -> BlockKeyFeed {
    try BlockKeyFeed(reader, numbers, isOfNetworksAlone: isOfNetworksAlone)
  }

  /// Collects all networks, before it is known which keys stand in blocks.
  private mutating func collectNetworks(_ rows: Rows) throws(FuseError) {
    // There is no room for a row at a larger offset, and no section then. [A10]
    guard file.body.position < 1 << 40 else {
      (isOfNetworksAlone, blockKeyCount, networks) = (false, reader.keyCount, nil)
      return
    }
    hasNetworks = true
    var scan = try reader.entries().keysOnly
    let mapping = reader.mapping
    let source = mapping.bytes
    var numbers = SpillReader(self.numbers)
    while let entry = try scan.next(), let number = try numbers.next(as: UInt32.self) {
      let reference = rows.references[Int(truncatingIfNeeded: number)]
      _ = try networks?.add(
        key: source.extracting(entry.entry.keyRange), object: Self.rowOffset(of: reference, rows))
    }
  }

  private static func rowOffset(of reference: UInt64, _ rows: Rows) -> UInt64 {
    UInt64(Header.byteCount) + reference << UInt64(rows.shift)
  }

  // MARK: Rows

  /// What keys need to know of rows.
  private struct Rows {
    /// Of each object, the reference to its row.
    var references: [UInt64]
    var referenceByteCount: Int
    var shift: UInt8
  }

  private func writeRows(_ tables: CompactTables) throws(FuseError) -> Rows {
    let stream = SpillStream(spill)
    var writer = RowWriter(tables)
    var tape = ValueTape()
    var record: [UInt8] = []
    var sizes: [UInt64] = []
    try sizes.reserve(objects.count)
    for number in 0..<objects.count {
      if number & 0xFF == 0 { try Cancellation.check() }
      let object = try reader.record(at: objects.offset(of: number))
      let mapping = reader.mapping
      try tape.read(object.range, in: mapping.bytes)
      writer.write(tape, in: mapping.bytes)
      record.removeAll(keepingCapacity: true)
      record.append(varint: UInt64(writer.out.count))
      var checksum = Checksum(continuing: Checksum.of(record.rawSpan))
      checksum.update(writer.out.rawSpan)
      try stream.append(record: checksum.value.bigEndian)
      try stream.append(record.rawSpan)
      try stream.append(writer.out.rawSpan)
      sizes.append(UInt64(4 + record.count + writer.out.count))
    }
    stream.finish()
    return try layOut(stream, sizes)
  }

  /// Writes the rows at multiples of what takes the fewest bytes, of padding and of references together; the smaller one of equals.
  private func layOut(_ stream: SpillStream, _ sizes: [UInt64]) throws(FuseError) -> Rows {
    var best = (cost: UInt64.max, shift: UInt64(0), referenceByteCount: 0)
    for shift in 0..<UInt64(5) {
      var (end, last): (UInt64, UInt64) = (0, 0)
      for size in sizes {
        last = end
        end += Self.padded(size, shift)
      }
      let byteCount = max(1, (64 - (last >> shift).leadingZeroBitCount + 7) / 8)
      let cost = end + UInt64(blockKeyCount) * UInt64(byteCount)
      if cost < best.cost { best = (cost, shift, byteCount) }
    }
    let shift = best.shift
    var references = sizes
    var reader = SpillReader(stream)
    let body = file.body
    let zeros = [UInt8](repeating: 0, count: 16)
    var end: UInt64 = 0
    for number in sizes.indices {
      if number & 0xFFFF == 0 { try Cancellation.check() }
      let size = sizes[number]
      references[number] = end >> shift
      try reader.withNext(Int(size)) { bytes throws(FuseError) in try body.write(bytes) }
      let padding = Int(Self.padded(size, shift) - size)
      try body.write(zeros.rawSpan.extracting(first: padding))
      end += Self.padded(size, shift)
    }
    try file.flush()
    return Rows(references: references, referenceByteCount: best.referenceByteCount, shift: UInt8(shift))
  }

  private static func padded(_ size: UInt64, _ shift: UInt64) -> UInt64 { (size + (1 << shift) - 1) & ~0 << shift }

  // MARK: Keys

  /// What the later sections need to know of keys.
  private struct Keys {
    var blockCount: Int
    var referenceByteCount: Int
    /// Nil where keys stand as they are.
    var coder: SymbolCoder?
    var longKeys: SpillStream
    /// For the seed 0, and then for others.
    var slots: SlotSectionWriter
  }

  private mutating func writeKeys(_ sections: inout SectionWriter, _ rows: Rows) throws(FuseError) -> Keys {
    var coder: SymbolCoder?
    if !plan.keysAreRaw {
      var trainer = SymbolTrainer()
      let mapping = reader.mapping
      coder = trainer.coder(for: sample.texts, in: mapping.bytes)
    }
    let start = sections.nextStart
    var raw = KeyBlocks(coder: nil, referenceByteCount: rows.referenceByteCount)
    var (keys, stream, cost) = try writeBlocks(at: start, coder, rows, beside: &raw)
    let rawCost = raw.blockCount * CompactForm.blockByteCount + raw.longByteCount
    // Symbols only where they save bytes, their own included.
    if coder != nil, rawCost <= cost {
      try file.cut(to: start)
      (keys, stream, cost) = try writeBlocks(at: start, nil, rows, beside: &raw)
    }
    var head: [UInt8] = []
    head.append(bigEndian: UInt64(keys.blockCount))
    head.append(UInt8(rows.referenceByteCount))
    head.append(rows.shift)
    head.append(keys.coder == nil ? 0 : 1)
    head += [UInt8](repeating: 0, count: Self.headByteCount - 4 - head.count)
    head.append(bigEndian: Checksum.of(head.rawSpan))
    let headStream = try file.stream(at: start)
    try headStream.write(head.rawSpan)
    try headStream.flush()
    var checksum = headStream.checksum
    checksum.append(stream.checksum.value, byteCount: stream.byteCount)
    sections.add(CompactForm.Section.keys, byteCount: head.count + stream.byteCount, checksum)
    return keys
  }

  /// Writes all blocks, and counts those of keys as they are beside.
  ///
  /// - Returns: also what blocks, symbols and long keys take.
  private mutating func writeBlocks(
    at start: Int, _ coder: SymbolCoder?, _ rows: Rows, beside raw: inout KeyBlocks
  ) throws(FuseError) -> (Keys, FileStream, Int) {
    let stream = try file.stream(at: start + Self.headByteCount)
    let longKeys = SpillStream(spill)
    var blocks = KeyBlocks(
      coder: coder, referenceByteCount: rows.referenceByteCount, blocks: stream, longKeys: longKeys)
    // No key has a block of its own and another.
    let slots = SlotSectionWriter(
      keyCount: isOfNetworksAlone ? 0 : reader.keyCount, memory: memory / 2, folder: file.folder,
      isNarrow: reader.keyCount * CompactForm.blockByteCount < 1 << 32)
    var feed = try blockKeys()
    let mapping = reader.mapping
    let source = mapping.bytes
    let collectsNetworks = !hasNetworks
    hasNetworks = true
    while let (key, number) = try feed.take() {
      let reference = rows.references[Int(truncatingIfNeeded: number)]
      if collectsNetworks, let networks {
        let row = Self.rowOffset(of: reference, rows)
        if try !networks.add(key: source.extracting(key), object: row) { self.networks = nil }
      }
      let place = try blocks.add(key, in: source, reference: reference)
      if coder != nil { _ = try raw.add(key, in: source, reference: reference) }
      if !isOfNetworksAlone { try slots.add(hash: source.extracting(key).hash(seed: 0), place: place) }
    }
    try blocks.finish()
    if coder != nil { try raw.finish() }
    try stream.flush()
    longKeys.finish()
    let cost =
      blocks.blockCount * CompactForm.blockByteCount + blocks.longByteCount
      + (coder?.symbols.count ?? 0) * (1 + CompactForm.mostSymbolBytes)
    let keys = Keys(
      blockCount: blocks.blockCount, referenceByteCount: rows.referenceByteCount, coder: coder, longKeys: longKeys,
      slots: slots)
    return (keys, stream, cost)
  }

  // MARK: Slots

  private func writeSlots(_ sections: inout SectionWriter, _ keys: Keys) throws(FuseError) {
    let start = sections.nextStart
    for attempt in 0..<Self.seedsToTry {
      // The first seed is 0. Further ones depend on all keys, so that keys cannot be chosen against them.
      let seed = attempt == 0 ? 0 : try hashOfKeys(seed: attempt)
      if attempt > 0 { try addAll(keys, seed: seed) }
      let section = SlotSection(keyCount: reader.keyCount, blockCount: keys.blockCount, seed: seed)
      if let checksum = try keys.slots.write(section, to: file, at: start) {
        return sections.add(
          CompactForm.Section.hash, byteCount: section.sectionByteCount, Checksum(continuing: checksum))
      }
    }
    throw FuseError(.limitExceeded, "no seed suits the keys; were they chosen so that none does?")
  }

  /// The hash of all keys, one after the other.
  private func hashOfKeys(seed: UInt64) throws(FuseError) -> UInt64 {
    var hash = try RunningHash(seed: seed)
    var scan = try reader.entries().keysOnly
    let mapping = reader.mapping
    let source = mapping.bytes
    while let entry = try scan.next() { hash.update(source.extracting(entry.entry.keyRange)) }
    return hash.value
  }

  /// Hashes all keys under another seed. Their places are found as when their blocks were written.
  private func addAll(_ keys: Keys, seed: UInt64) throws(FuseError) {
    keys.slots.removeAll()
    var blocks = KeyBlocks(coder: keys.coder, referenceByteCount: keys.referenceByteCount)
    var scan = try reader.entries().keysOnly
    let mapping = reader.mapping
    let source = mapping.bytes
    while let entry = try scan.next() {
      let key = entry.entry.keyRange
      let place = try blocks.add(key, in: source, reference: 0)
      try keys.slots.add(hash: source.extracting(key).hash(seed: seed), place: place)
    }
  }
}
