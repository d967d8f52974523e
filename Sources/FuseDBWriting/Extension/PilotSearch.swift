internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// How many pilots there are, and how many are tried at once, first and at last.
private let pilotCount = 1 << 16
private let triesAtOnce = (first: 16, last: 256)

/// Finds the pilots of one part after the other, and puts their keys into slots. See spec/extension.md §5, X11.
///
/// Most pilots fail, each at one of the keys; which one cannot be guessed, and a wrong guess costs a processor more than
/// the try. So pilots are tried many at once, key by key: those that lead a key to a free slot stay candidates, written
/// one after the other without a branch.
@safe
struct PilotSearch<Table: SlotTable> {
  private let section: Table
  // SAFETY: a number for each line of slots of a part, with a bit for each slot that is taken.
  private let taken: ZeroedMemory
  // SAFETY: has room for the pilots that are tried at once.
  private let candidates: ZeroedMemory
  /// The buckets of a part that have keys, the largest first, otherwise in their order.
  private var bySize: [Int] = []
  /// The slots of a bucket.
  private var slots = [HashSection.SlotPosition](
    repeating: .init(line: 0, slot: 0), count: Table.mostKeysInBucket)

  init(_ section: Table) throws(FuseError) {
    self.section = section
    taken = try ZeroedMemory(
      byteCount: section.linesPerPart * MemoryLayout<Table.TakenSlots>.size, inLargePages: false)
    candidates = try ZeroedMemory(byteCount: triesAtOnce.last * MemoryLayout<UInt64>.size, inLargePages: false)
  }

  /// Places all keys of a part. Returns false when the seed does not suit them. The lines lack their checks afterwards.
  ///
  /// - Parameters:
  ///   - records: those of the keys, bucket by bucket.
  ///   - starts: where each bucket's records begin, and where the last one's end; a bucket has at most 255.
  ///   - pilots: the part's lines of pilots.
  ///   - lines: the part's lines of slots.
  @unsafe
  mutating func place(
    _ records: UnsafePointer<HashRecord>, _ starts: Span<UInt32>, pilots: UnsafeMutableRawPointer, pilotLineCount: Int,
    slots lines: UnsafeMutableRawPointer
  ) -> Bool {
    let bucketCount = starts.count - 1
    guard Int(starts[bucketCount] - starts[0]) <= section.linesPerPart * section.slotCountPerLine else { return false }
    unsafe clear(pilots: pilots, pilotLineCount, slots: lines)
    sortBySize(starts)
    for bucket in bySize {
      let keys = Int(starts[bucket])..<Int(starts[bucket + 1])
      let records = unsafe UnsafeBufferPointer(start: records + keys.lowerBound, count: keys.count)
      guard let pilot = unsafe firstPilot(for: records) else { return false }
      let (line, position) = bucket.quotientAndRemainder(dividingBy: HashSection.pilotsPerLine)
      // SAFETY: the bucket's line is one of the part's, and so are the slots' lines by the rule.
      unsafe HashLine.set(pilot: UInt16(pilot), position: position, of: pilots + line * HashSection.lineByteCount)
      for number in records.indices {
        let record = unsafe records[number]
        let position = section.slotPositionInPart(of: record.hash, pilot: pilot)
        let line = Int(truncatingIfNeeded: position.line)
        let taken = unsafe taken.start.assumingMemoryBound(to: Table.TakenSlots.self)
        unsafe taken[line] |= 1 &<< Table.TakenSlots(truncatingIfNeeded: position.slot)
        unsafe section.set(record, slot: position.slot, of: lines + line * HashSection.lineByteCount)
      }
    }
    return true
  }

  private mutating func sortBySize(_ starts: Span<UInt32>) {
    // Where the buckets of each size begin, counted from the largest.
    var positions = [Int](repeating: 0, count: Table.mostKeysInBucket + 1)
    for bucket in 0..<starts.count - 1 { positions[Int(starts[bucket + 1] - starts[bucket])] += 1 }
    var position = 0
    for size in positions.indices.reversed() {
      position += positions[size]
      positions[size] = position - positions[size]
    }
    let emptyBegin = positions[0]
    bySize.removeAll(keepingCapacity: true)
    bySize.append(contentsOf: repeatElement(0, count: starts.count - 1))
    for bucket in 0..<starts.count - 1 {
      let size = Int(starts[bucket + 1] - starts[bucket])
      bySize[positions[size]] = bucket
      positions[size] += 1
    }
    bySize.removeSubrange(emptyBegin...)
  }

  /// The smallest pilot that leads all keys of a bucket to free and different slots.
  @unsafe
  private mutating func firstPilot(for records: UnsafeBufferPointer<HashRecord>) -> UInt64? {
    let section = section
    // SAFETY: what is tried at once fits, and candidates only become fewer. The rule gives lines of the part.
    let candidates = unsafe candidates.start.assumingMemoryBound(to: UInt64.self)
    let taken = unsafe taken.start.assumingMemoryBound(to: Table.TakenSlots.self)
    var begin = 0
    var step = triesAtOnce.first
    while begin < pilotCount {
      let count = min(step, pilotCount - begin)
      for number in 0..<count { unsafe candidates[number] = UInt64(truncatingIfNeeded: begin &+ number) }
      var left = count
      for number in records.indices {
        let record = unsafe records[number]
        var kept = 0
        for candidate in 0..<left {
          let pilot = unsafe candidates[candidate]
          let position = section.slotPositionInPart(of: record.hash, pilot: pilot)
          unsafe candidates[kept] = pilot
          let bits = unsafe UInt64(truncatingIfNeeded: taken[Int(truncatingIfNeeded: position.line)])
          kept &+= Int(truncatingIfNeeded: ~(bits &>> position.slot) & 1)
        }
        left = kept
        if left == 0 { break }
      }
      for number in 0..<left where unsafe areDifferent(records, pilot: candidates[number]) {
        return unsafe candidates[number]
      }
      begin += count
      step = min(step * 2, triesAtOnce.last)
    }
    return nil
  }

  /// Whether a pilot leads the keys to different slots.
  @unsafe
  private mutating func areDifferent(_ records: UnsafeBufferPointer<HashRecord>, pilot: UInt64) -> Bool {
    // SAFETY: the numbers are indices of the records, and a bucket has no more of them than `slots` has elements.
    for i in records.indices {
      let slot = unsafe section.slotPositionInPart(of: records[i].hash, pilot: pilot)
      for j in 0..<i where slots[j] == slot { return false }
      slots[i] = slot
    }
    return true
  }

  /// Makes all slots free and all pilots 0.
  @unsafe
  private func clear(pilots: UnsafeMutableRawPointer, _ pilotLineCount: Int, slots lines: UnsafeMutableRawPointer) {
    // SAFETY: the lines of the part, and a number of `taken` for each line of slots.
    unsafe pilots.initializeMemory(as: UInt8.self, repeating: 0, count: pilotLineCount * HashSection.lineByteCount)
    unsafe taken.start.initializeMemory(
      as: UInt8.self, repeating: 0, count: section.linesPerPart * MemoryLayout<Table.TakenSlots>.size)
    unsafe section.clear(lines, lineCount: section.linesPerPart)
  }
}
