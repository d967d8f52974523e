package import FuseDBFormat
internal import FuseDBSystem

// The steps of look-ups that wait for memory together: each asks for the cache lines of all keys before the next reads them. What they find
// is no answer yet: nothing is compared with a checksum.

extension CompactReader {
  /// Hashes a key and asks for its pilot.
  package func begin(_ key: RawSpan) -> UInt64 {
    // Of a file of networks alone no step is taken ahead.
    if layout.isOfNetworksAlone { return 0 }
    let slots = layout.slots
    let hash = key.flatHash(seed: slots.section.pilots.seed)
    mapping.prefetch(
      at: UInt64(slots.offset(ofPilotLine: slots.section.pilots.pilotPosition(of: hash).line)), lineCount: 1)
    return hash
  }

  /// Where the search for a hash ends; its slot is asked for.
  package func slotPlace(of hash: UInt64) -> (pilotLine: UInt64, line: UInt64, slot: UInt64) {
    if layout.isOfNetworksAlone { return (0, 0, 0) }
    let slots = layout.slots
    let mapping = mapping
    let probe = slots.probe(of: hash, in: mapping.bytes)
    mapping.prefetch(at: UInt64(slots.offset(ofSlotLine: probe.slotLine)), lineCount: 1)
    return (probe.pilotLine, probe.slotLine, probe.slot)
  }

  /// The reference under `key`, or nil, after the steps before; see ``reference(forKey:)``.
  package func reference(
    forKey key: RawSpan, hash: UInt64, pilotLine: UInt64, line: UInt64, slot: UInt64
  ) throws(FuseError) -> UInt64? {
    if layout.isOfNetworksAlone { return try reference(forKey: key) }
    let (slots, blocks) = (layout.slots, layout.blocks)
    let mapping = mapping
    let probe = CompactSlots.Probe(pilotLine: pilotLine, slotLine: line, slot: slot)
    let found: UInt64?
    do throws(FuseError) {
      found = try reference(forKey: key, hash: hash, probe: probe, slots, blocks, in: mapping.bytes)
    } catch { throw whatIsTrue(error) }
    try mapping.checkNotShrunk()
    return found
  }

  /// Asks for the block that a slot leads to, if its tag is that of a hash.
  package func prefetchBlock(of hash: UInt64, line: UInt64, slot: UInt64) {
    if layout.isOfNetworksAlone { return }
    let slots = layout.slots
    let mapping = mapping
    let content = slots.slot(slot, ofLine: line, in: mapping.bytes)
    guard slots.section.tag(of: content) == slots.section.tag(of: hash) else { return }
    // A block is four lines, and its checksum reads them all.
    let block = content &>> (slots.section.tagBits &+ SlotSection.offsetBits)
    mapping.prefetch(
      at: UInt64(layout.blocks.start) &+ block &* UInt64(CompactForm.blockByteCount), lineCount: 4)
  }

  /// Asks for the row that the entry of a slot refers to.
  package func prefetchRow(of hash: UInt64, line: UInt64, slot: UInt64) {
    if layout.isOfNetworksAlone { return }
    let (slots, blocks) = (layout.slots, layout.blocks)
    let mapping = mapping
    let file = mapping.bytes
    let content = slots.slot(slot, ofLine: line, in: file)
    guard slots.section.tag(of: content) == slots.section.tag(of: hash) else { return }
    let number = Int(truncatingIfNeeded: content &>> (slots.section.tagBits &+ SlotSection.offsetBits))
    let inside = Int(truncatingIfNeeded: content &>> slots.section.tagBits & 0xFF)
    guard number < blocks.count, inside >= CompactForm.blockHeadByteCount else { return }
    let block = blocks.offset(ofBlock: number)
    guard let entry = try? CompactEntry(at: block &+ inside, inBlockAt: block, width: blocks.width, of: file) else {
      return
    }
    mapping.prefetch(at: rowOffset(ofReference: entry.reference), lineCount: 2)
  }
}
