/// Finds the pilots of one part and writes its lines. See spec/extension.md §5, X11.
struct PilotSearch {
  private static let pilotCount: UInt64 = 1 << 16

  private let section: HashSection
  private let part: Int
  private let buckets: KeyBuckets
  private let memory: ZeroedMemory
  private let laneCount: Int
  /// Which slots of the part are taken, one bit each.
  private var taken: [UInt64]

  /// - Parameter memory: the section's bytes; other parts may be written at the same time.
  init(_ section: HashSection, part: Int, of buckets: KeyBuckets, in memory: ZeroedMemory) {
    self.section = section
    self.part = part
    self.buckets = buckets
    self.memory = memory
    laneCount = Int(section.lanes.rawValue)
    taken = [UInt64](repeating: 0, count: (Int(section.linesPerPart) * laneCount + 63) / 64)
  }

  /// Places all keys of the part. Returns false when the seed does not suit them.
  mutating func run(_ keys: IndexedKeys) -> Bool {
    let lines =
      part
      << Int(section.partShift)..<min(
        (part + 1) << Int(section.partShift), Int(section.pilotLineCount))
    let range = lines.lowerBound * HashSection.pilotsPerLine..<lines.upperBound * HashSection.pilotsPerLine
    let keyCount = buckets.starts[range.upperBound] - buckets.starts[range.lowerBound]
    guard keyCount <= Int(section.linesPerPart) * laneCount else { return false }
    clearSlots()
    var slots = [Int](repeating: 0, count: HashSectionBuilder.mostKeysInBucket)
    for bucket in bySize(range) {
      let keyRange = Int(buckets.starts[bucket])..<Int(buckets.starts[bucket + 1])
      guard let pilot = firstPilot(for: keyRange, slots: &slots) else { return false }
      let (line, place) = bucket.quotientAndRemainder(dividingBy: HashSection.pilotsPerLine)
      // SAFETY: the bucket is one of this part, so its line is one of the section's.
      unsafe HashLine.set(pilot: UInt16(pilot), place: place, of: pilotLine(line))
      for (key, slot) in zip(keyRange, slots) {
        taken[slot >> 6] |= 1 << UInt64(slot & 63)
        let number = Int(buckets.numbers[key])
        let content = HashLine.Slot(
          tag: HashLine.tag(of: buckets.hashes[key]), entry: keys.entries[number], object: keys.objects[number])
        // SAFETY: the rule gives lines of this part and lanes of a line.
        unsafe HashLine.set(content, lane: slot % laneCount, of: slotLine(slot / laneCount), section.lanes)
      }
    }
    for line in lines { unsafe HashLine.sealPilotLine(pilotLine(line), number: UInt64(line)) }
    for line in 0..<Int(section.linesPerPart) {
      unsafe HashLine.sealSlotLine(slotLine(line), number: UInt64(part) * section.linesPerPart + UInt64(line))
    }
    return true
  }

  /// The buckets in `range` that have keys, the largest first, otherwise in their order.
  private func bySize(_ range: Range<Int>) -> [Int] {
    var bySize = [[Int]](repeating: [], count: HashSectionBuilder.mostKeysInBucket + 1)
    for bucket in range { bySize[Int(buckets.starts[bucket + 1] - buckets.starts[bucket])].append(bucket) }
    return bySize.dropFirst().reversed().flatMap { $0 }
  }

  /// The smallest pilot that leads the keys to free and different slots, which `slots` then holds.
  private func firstPilot(for keys: Range<Int>, slots: inout [Int]) -> UInt64? {
    let section = section
    let laneCount = UInt64(laneCount)
    let hashes = buckets.hashes.span.extracting(keys)
    let taken = taken.span
    pilots: for pilot in 0..<Self.pilotCount {
      for i in 0..<hashes.count {
        // SAFETY: `i` is below the count; a bucket has at most as many keys as `slots` elements; the rule gives slots of
        // the part, and `taken` has a bit for each.
        let place = section.placeInPart(of: unsafe hashes[unchecked: i], pilot: pilot)
        let slot = Int(truncatingIfNeeded: place.line &* laneCount &+ place.lane)
        guard unsafe taken[unchecked: slot &>> 6] &>> UInt64(slot & 63) & 1 == 0 else { continue pilots }
        slots[i] = slot
      }
      for i in 0..<hashes.count {
        for j in 0..<i where slots[i] == slots[j] { continue pilots }
      }
      return pilot
    }
    return nil
  }

  private func clearSlots() {
    let free = HashLine.Slot.free(section.lanes)
    for line in 0..<Int(section.linesPerPart) {
      for lane in 0..<laneCount { unsafe HashLine.set(free, lane: lane, of: slotLine(line), section.lanes) }
    }
  }

  @unsafe
  private func pilotLine(_ line: Int) -> UnsafeMutableRawPointer {
    unsafe memory.start + HashSection.byteCount + line * HashSection.lineByteCount
  }

  @unsafe
  private func slotLine(_ line: Int) -> UnsafeMutableRawPointer {
    let before = Int(section.pilotLineCount) + part * Int(section.linesPerPart) + line
    return unsafe memory.start + HashSection.byteCount + before * HashSection.lineByteCount
  }
}
