internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Makes the lines of some parts of a hash section from the records of their keys. Each thread has one.
@safe
final class HashPartsMaker<Table: SlotTable> {
  private let section: Table
  private let records: HashRecords.Contents
  /// Slots of as many parts as are made at once: so many records fit.
  private let capacity: Int
  // SAFETY: both have room for `capacity` records.
  private let loaded: ZeroedMemory
  private let sorted: ZeroedMemory
  /// Where each bucket begins among the sorted records; one more than there are buckets.
  private var starts: [UInt32]
  private let readBuffer: ZeroedMemory
  private var search: PilotSearch<Table>
  // SAFETY: have room for the lines of as many parts as are made at once.
  private let pilotMemory: ZeroedMemory
  private let slotMemory: ZeroedMemory
  private var parts = 0..<0

  private var lines: Range<Int> { section.pilots.pilotLines(ofParts: parts) }

  init(_ section: Table, from records: HashRecords.Contents, _ sizes: BlockSizes) throws(FuseError) {
    self.section = section
    self.records = records
    let partCount = min(sizes.partsAtOnce, Int(section.pilots.partCount))
    let slotLineCount = partCount * section.linesPerPart
    capacity = slotLineCount * section.slotCountPerLine
    loaded = try ZeroedMemory(byteCount: capacity * HashRecord.byteCount)
    sorted = try ZeroedMemory(byteCount: capacity * HashRecord.byteCount)
    let pilotLineCount = partCount << Int(section.pilots.partShift)
    starts = try [UInt32](pilotLineCount * HashSection.pilotsPerLine + 1, of: 0)
    readBuffer = try ZeroedMemory(byteCount: sizes.chunkByteCount, inLargePages: false)
    pilotMemory = try ZeroedMemory(byteCount: pilotLineCount * HashSection.lineByteCount)
    slotMemory = try ZeroedMemory(byteCount: slotLineCount * HashSection.lineByteCount)
    search = try PilotSearch(section)
  }

  /// Makes the lines of some parts. Returns false when the seed does not suit them.
  func make(_ parts: Range<Int>) throws(FuseError) -> Bool {
    self.parts = parts
    guard try sortRecords() else { return false }
    for part in parts where !makePart(part) { return false }
    return true
  }

  /// Writes the lines of the parts that were made last.
  func write(pilotsTo pilots: FileStream, slotsTo slots: FileStream) throws(FuseError) {
    let (pilotMemory, slotMemory) = (pilotMemory, slotMemory)
    let slotLineCount = parts.count * section.linesPerPart
    // SAFETY: the memory has room for the lines of these parts.
    let pilotLines = unsafe RawSpan(
      _unsafeStart: pilotMemory.start, byteCount: lines.count * HashSection.lineByteCount)
    let slotLines = unsafe RawSpan(
      _unsafeStart: slotMemory.start, byteCount: slotLineCount * HashSection.lineByteCount)
    try pilots.write(pilotLines)
    try slots.write(slotLines)
  }

  /// Sorts the records of the parts by bucket. False when a bucket is larger than any pilot could place, or there are
  /// more keys than slots.
  private func sortRecords() throws(FuseError) -> Bool {
    let (pilots, capacity) = (section.pilots, capacity)
    let firstBucket = lines.lowerBound * HashSection.pilotsPerLine
    let bucketCount = lines.count * HashSection.pilotsPerLine
    // SAFETY: see the properties; nothing else has the memory.
    let loaded = unsafe loaded.start.assumingMemoryBound(to: HashRecord.self)
    let sorted = unsafe sorted.start.assumingMemoryBound(to: HashRecord.self)
    var starts: [UInt32] = []
    swap(&starts, &self.starts)
    defer { swap(&starts, &self.starts) }
    for bucket in 0..<bucketCount { starts[bucket] = 0 }
    var count = 0
    try records.forEach(in: pilots.hashes(ofPilotLines: lines), buffer: readBuffer) { record throws(FuseError) in
      let bucket = pilots.bucket(of: record.hash) &- firstBucket
      guard UInt(bitPattern: bucket) < UInt(bitPattern: bucketCount) else { return }
      starts[bucket] &+= 1
      // SAFETY: below the capacity.
      if count < capacity { unsafe loaded[count] = record }
      count &+= 1
    }
    guard count <= capacity else { return false }
    var end: UInt32 = 0
    for bucket in 0..<bucketCount {
      guard starts[bucket] <= Table.mostKeysInBucket else { return false }
      end += starts[bucket]
      starts[bucket] = end
    }
    starts[bucketCount] = end
    // Each bucket is filled from its end, which so moves to its start.
    for number in 0..<count {
      // SAFETY: so many records are there, and each bucket has room for its own.
      let record = unsafe loaded[number]
      let bucket = pilots.bucket(of: record.hash) &- firstBucket
      starts[bucket] &-= 1
      unsafe sorted[Int(starts[bucket])] = record
    }
    return true
  }

  /// Places the keys of one of the parts, and completes its lines.
  private func makePart(_ part: Int) -> Bool {
    let pilotLines = section.pilots.pilotLines(ofParts: part..<part + 1)
    let firstLine = pilotLines.lowerBound - lines.lowerBound
    let firstBucket = firstLine * HashSection.pilotsPerLine
    let buckets = firstBucket..<firstBucket + pilotLines.count * HashSection.pilotsPerLine
    let linesPerPart = section.linesPerPart
    // SAFETY: the lines of the part are among those that there is room for, and the records of its buckets are there.
    let pilots = unsafe pilotMemory.start + firstLine * HashSection.lineByteCount
    let slots = unsafe slotMemory.start + (part - parts.lowerBound) * linesPerPart * HashSection.lineByteCount
    let starts = starts
    let isPlaced = unsafe search.place(
      sorted.start.assumingMemoryBound(to: HashRecord.self),
      starts.span.extracting(buckets.lowerBound...buckets.upperBound), pilots: pilots,
      pilotLineCount: pilotLines.count, slots: slots)
    guard isPlaced else { return false }
    for (index, line) in pilotLines.enumerated() {
      unsafe HashLine.sealPilotLine(pilots + index * HashSection.lineByteCount, number: UInt64(line))
    }
    for line in 0..<linesPerPart {
      unsafe Table.sealSlotLine(
        slots + line * HashSection.lineByteCount, number: UInt64(part * linesPerPart + line))
    }
    return true
  }
}
