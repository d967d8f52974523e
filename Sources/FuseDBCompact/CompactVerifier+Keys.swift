internal import FuseDBFormat
internal import FuseDBSystem

extension CompactVerifier {
  /// Each block: checksum, ordinal, entries, zeros; keys that rise, each found by its slot, with a reference to a row.
  mutating func checkKeys() throws(FuseError) {
    let mapping = mapping
    let file = mapping.bytes
    let blocks = layout.blocks
    var (key, before): ([UInt8], [UInt8]) = ([], [])
    let found = CompactBlockKeys()
    // Where the next long key must begin.
    var longEnd = blocks.longKeys.lowerBound
    for number in 0..<blocks.count {
      if number & 0xFFF == 0 {
        try Cancellation.check()
        progress(0.6 + 0.3 * Double(number) / Double(blocks.count))
      }
      do throws(FuseError) {
        let block = try blocks.checkedBlock(number, in: file)
        if blocks.firstOrdinal(ofBlockAt: block, in: file) != keyCount {
          report("a block of keys has another ordinal than keys come before it", at: block + 4)
        }
        try found.load(blockAt: block, blocks, of: file)
        var end = block + CompactForm.blockHeadByteCount
        for place in 0..<found.count {
          let entry = found[place]
          let offset = Int(entry.offset)
          let at = block + offset
          end = block + Int(entry.end)
          if entry.isLong {
            let bytes = try blocks.longKey(entry, in: file)
            if bytes.lowerBound - 4 != longEnd {
              report("a long key does not begin where the one before it ends", at: at)
            }
            longEnd = bytes.upperBound
            key = file.extracting(bytes).array()
          } else {
            key = found.text(place).array()
          }
          if keyCount > 0, before.rawSpan.compare(key.rawSpan) >= 0 {
            report("a key does not come after the one before it", at: at)
          }
          keyCount += 1
          swap(&before, &key)
          if let shown = layout.shown {
            checkNetwork(before, among: shown, entryAt: at)
          } else {
            checkSlot(of: before, at: CompactForm.blockByteCount * number + offset, entryAt: at)
          }
          checkReference(entry.reference, entryAt: at)
        }
        let blockEnd = block + CompactForm.blockByteCount
        if let offset = firstByte(in: end..<blockEnd) {
          report("a byte after the last entry of a block is not zero", at: offset)
        }
      } catch { report(error) }
    }
    if longEnd != blocks.longKeys.upperBound { report("bytes follow the last long key", at: longEnd) }
    if let shown = layout.shown { try checkShown(shown) }
    if keyCount != layout.keyCount {
      report("the header counts \(counted(layout.keyCount, "key")) and there are \(keyCount)", at: 8, .count)
    }
  }

  /// The slot of a key holds its place and its tag.
  private func checkSlot(of key: [UInt8], at place: Int, entryAt offset: Int) {
    let mapping = mapping
    let file = mapping.bytes
    let slots = layout.slots
    let hash = key.rawSpan.hash(seed: slots.section.pilots.seed)
    let probe = slots.probe(of: hash, in: file)
    if slots.slot(probe.slot, ofLine: probe.slotLine, in: file)
      != slots.section.content(place: UInt64(place), hash: hash)
    {
      report("the slot of a key does not lead to it", at: offset)
    }
  }

  mutating func checkReference(_ reference: UInt64, entryAt offset: Int) {
    guard let number = Int(exactly: reference), starts.contains(number) else {
      report("a key refers to a place where no row begins", at: offset)
      return
    }
    used.insert(number)
  }

  /// The checks of all lines, and that as many slots are taken as there are keys: each key has found its own, so none is left for
  /// anything else.
  mutating func checkSlots() {
    let mapping = mapping
    let file = mapping.bytes
    let slots = layout.slots
    for line in 0..<slots.section.pilots.pilotLineCount where !slots.isSoundPilotLine(line, in: file) {
      report("a line of pilots differs from its check", at: slots.offset(ofPilotLine: line))
    }
    var taken = 0
    for line in 0..<slots.section.pilots.slotLineCount {
      if !slots.isSoundSlotLine(line, in: file) {
        report("a line of slots differs from its check", at: slots.offset(ofSlotLine: line))
      }
      for slot in 0..<slots.section.slotsPerLine where slots.slot(slot, ofLine: line, in: file) != slots.section.free {
        taken += 1
      }
    }
    if taken != keyCount {
      report("\(counted(taken, "slot")) are taken and there are \(counted(keyCount, "key"))", at: slots.slots)
    }
  }

  /// Each row is some key's.
  func checkReferences() {
    for number in starts.subtracting(used) {
      report("no key refers to a row", at: Header.byteCount + number << Int(layout.blocks.shift))
    }
  }
}
