import CXXHash

/// A section `HASH` by the letter of spec/extension.md §5.
struct ReferenceTable {
  /// The constants of the check of a line: C0 … C8.
  static let constants: [UInt64] = [
    0x7110_541D, 0x373C_4F35, 0x0362_2E8D, 0x7C45_DC55, 0x0D9C_C4B5, 0x29E5_CF87, 0x1641_4D5F, 0x62C2_099D, 0x1F72_BC49,
  ]
  static let golden: UInt64 = 0x9E37_79B9_7F4A_7C15

  struct Probe: Equatable {
    var pilotLine: Int
    var pilotPosition: Int
    var line: Int
    var slot: Int
    var tag: UInt64
  }

  struct Slot: Equatable {
    var tag: UInt64
    var entry: UInt64
    var object: UInt64
  }

  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var seed: UInt64 { bytes.number(at: 0, 8) }
  var pilotLines: Int { Int(bytes.number(at: 8, 8)) }
  var partCount: Int { Int(bytes.number(at: 16, 8)) }
  var linesPerPart: Int { Int(bytes.number(at: 24, 8)) }
  var partShift: Int { Int(bytes[32]) }
  var slotsPerLine: Int { Int(bytes[33]) }

  static func hash(_ key: [UInt8], seed: UInt64) -> UInt64 {
    // SAFETY: the library reads the array's bytes and no others.
    unsafe key.withUnsafeBytes { unsafe XXH_INLINE_XXH3_64bits_withSeed($0.baseAddress, $0.count, seed) }
  }

  private static func high(_ left: UInt64, _ right: UInt64) -> UInt64 { left.multipliedFullWidth(by: right).high }

  // MARK: The canonical section

  /// The canonical section of a plain file; nil where no seed suits it. [X10] [X11]
  init?(of plain: ReferenceFile, slotsPerLine: Int) {
    let index = [UInt8](plain.bytes[Int(plain.indexOffset)...])
    for attempt in UInt64(0)..<64 {
      let seed = attempt == 0 ? 0 : Self.hash(index, seed: attempt)
      if let table = Self(of: plain, slotsPerLine: slotsPerLine, seed: seed) {
        self = table
        return
      }
    }
    return nil
  }

  private init?(of plain: ReferenceFile, slotsPerLine: Int, seed: UInt64) {
    let entries = plain.entries
    let count = entries.count
    let parts = count <= 4960 ? 1 : (count + 4959) / 4960
    let pilotLines = count <= 4960 ? max(1, (count + 154) / 155) : 32 * parts
    let linesPerPart = max(1, (10 * count + 9 * parts * slotsPerLine - 1) / (9 * parts * slotsPerLine))
    bytes =
      ReferenceFile.big(Int(truncatingIfNeeded: seed), 8) + ReferenceFile.big(pilotLines, 8)
      + ReferenceFile.big(parts, 8)
    bytes += ReferenceFile.big(linesPerPart, 8) + [5, UInt8(slotsPerLine)] + [UInt8](repeating: 0, count: 26)
    bytes += ReferenceFile.big(Int(ReferenceFile.crc(bytes)), 4)
    bytes += [UInt8](repeating: 0, count: 64 * (pilotLines + parts * linesPerPart))

    let hashes = entries.map { Self.hash($0.key.bytes, seed: seed) }
    var buckets = [[Int]](repeating: [], count: 31 * pilotLines)
    for (number, hash) in hashes.enumerated() {
      let (line, position) = Self.pilotPosition(of: hash, pilotLines: pilotLines)
      buckets[31 * line + position].append(number)
    }
    var slotOfKey = [Int](repeating: -1, count: count)
    for part in 0..<parts {
      var isTaken = [Bool](repeating: false, count: linesPerPart * slotsPerLine)
      let range = min(part * 32, pilotLines) * 31..<min((part + 1) * 32, pilotLines) * 31
      if range.reduce(0, { $0 + buckets[$1].count }) > isTaken.count { return nil }
      let order = range.filter { !buckets[$0].isEmpty }.sorted {
        (buckets[$1].count, $0) < (buckets[$0].count, $1)
      }
      for bucket in order {
        let keys = buckets[bucket]
        // Equal hashes have equal slots, whatever the pilot.
        if keys.count > 255 || Set(keys.map { hashes[$0] }).count < keys.count { return nil }
        var found = false
        var next: UInt64 = 0
        pilots: while next < 65_536 {
          let pilot = next
          next += 1
          var chosen: [Int] = []
          for key in keys {
            let (line, slotNumber) = Self.slotPosition(
              of: hashes[key], pilot: pilot, linesPerPart: linesPerPart, slotsPerLine: slotsPerLine)
            let slot = line * slotsPerLine + slotNumber
            if isTaken[slot] || chosen.contains(slot) { continue pilots }
            chosen.append(slot)
          }
          for (key, slot) in zip(keys, chosen) {
            isTaken[slot] = true
            slotOfKey[key] = part * linesPerPart * slotsPerLine + slot
          }
          bytes.put(UInt16(pilot), at: 64 + 64 * (bucket / 31) + 2 * (bucket % 31))
          found = true
          break
        }
        if !found { return nil }
      }
    }
    for line in 0..<parts * linesPerPart {
      for slotNumber in 0..<slotsPerLine {
        set(.init(tag: 0, entry: slotsPerLine == 7 ? 0xFFFF_FFFF : 0xFF_FFFF_FFFF, object: 0), line, slotNumber)
      }
    }
    for (number, entry) in entries.enumerated() {
      let slot = Slot(tag: hashes[number] & 63, entry: UInt64(entry.offset) - plain.indexOffset, object: entry.target)
      set(slot, slotOfKey[number] / slotsPerLine, slotOfKey[number] % slotsPerLine)
    }
    for line in 0..<pilotLines { sealPilotLine(line) }
    for line in 0..<parts * linesPerPart { sealSlotLine(line) }
  }

  // MARK: From a key to its slot

  private static func pilotPosition(of hash: UInt64, pilotLines: Int) -> (line: Int, position: Int) {
    (Int(high(hash, UInt64(pilotLines))), Int(high(hash &* UInt64(pilotLines), 31)))
  }

  private static func slotPosition(of hash: UInt64, pilot: UInt64, linesPerPart: Int, slotsPerLine: Int) -> (
    line: Int, slot: Int
  ) {
    let mixed = (hash ^ pilot) &* golden
    return (Int(high(mixed, UInt64(linesPerPart))), Int(high(mixed &* UInt64(linesPerPart), UInt64(slotsPerLine))))
  }

  func probe(of key: [UInt8]) -> Probe { probe(ofHash: Self.hash(key, seed: seed)) }

  func probe(ofHash hash: UInt64) -> Probe {
    let (pilotLine, position) = Self.pilotPosition(of: hash, pilotLines: pilotLines)
    let pilot = bytes.number(at: 64 + 64 * pilotLine + 2 * position, 2)
    let (line, slotNumber) = Self.slotPosition(
      of: hash, pilot: pilot, linesPerPart: linesPerPart, slotsPerLine: slotsPerLine)
    return Probe(
      pilotLine: pilotLine, pilotPosition: position, line: (pilotLine >> partShift) * linesPerPart + line,
      slot: slotNumber,
      tag: hash & 63)
  }

  // MARK: Lines

  /// Where a line of slots begins in the section.
  func slotLine(_ line: Int) -> Int { 64 + 64 * (pilotLines + line) }

  func slot(_ probe: Probe) -> Slot { slot(probe.line, probe.slot) }

  func slot(_ line: Int, _ slotNumber: Int) -> Slot {
    let start = slotLine(line)
    let tag = bytes.number(at: start, 8) >> UInt64(6 * slotNumber) & 63
    return slotsPerLine == 7
      ? Slot(
        tag: tag, entry: bytes.number(at: start + 8 + 4 * slotNumber, 4),
        object: bytes.number(at: start + 36 + 4 * slotNumber, 4))
      : Slot(
        tag: tag, entry: bytes.number(at: start + 8 + 5 * slotNumber, 5),
        object: bytes.number(at: start + 33 + 6 * slotNumber, 6))
  }

  /// Writes a slot, and leaves the check of its line as it is.
  mutating func set(_ slot: Slot, _ line: Int, _ slotNumber: Int) {
    let start = slotLine(line)
    let word = bytes.number(at: start, 8)
    bytes.put(word & ~(63 << UInt64(6 * slotNumber)) | slot.tag << UInt64(6 * slotNumber), at: start)
    if slotsPerLine == 7 {
      bytes.put(slot.entry, byteCount: 4, at: start + 8 + 4 * slotNumber)
      bytes.put(slot.object, byteCount: 4, at: start + 36 + 4 * slotNumber)
    } else {
      bytes.put(slot.entry, byteCount: 5, at: start + 8 + 5 * slotNumber)
      bytes.put(slot.object, byteCount: 6, at: start + 33 + 6 * slotNumber)
    }
  }

  /// The sum whose upper bits are the check of a line of 64 bytes, its own bits of the check being zero.
  static func sum(_ line: [UInt8], number: Int) -> UInt64 {
    var sum = UInt64(number + 1) &* constants[8]
    for word in 0..<8 { sum &+= line.number(at: 8 * word, 8).byteSwapped &* constants[word] }
    return sum &* golden
  }

  /// A line of slots with the right check.
  static func sealed(slotLine line: [UInt8], number: Int) -> [UInt8] {
    var line = line
    line.put(line.number(at: 0, 8) & (1 << 42 - 1), at: 0)
    line.put(line.number(at: 0, 8) | (sum(line, number: number) >> 42) << 42, at: 0)
    return line
  }

  /// A line of pilots with the right check.
  static func sealed(pilotLine line: [UInt8], number: Int) -> [UInt8] {
    var line = line
    line.put(UInt16(0), at: 62)
    line.put(UInt16(sum(line, number: number) >> 48), at: 62)
    return line
  }

  mutating func sealSlotLine(_ number: Int) {
    let range = slotLine(number)..<slotLine(number) + 64
    bytes.replaceSubrange(range, with: Self.sealed(slotLine: [UInt8](bytes[range]), number: number))
  }

  mutating func sealPilotLine(_ number: Int) {
    let range = 64 + 64 * number..<128 + 64 * number
    bytes.replaceSubrange(range, with: Self.sealed(pilotLine: [UInt8](bytes[range]), number: number))
  }

  mutating func sealHeader() { bytes.put(ReferenceFile.crc(bytes[..<60]), at: 60) }
}
