package import FuseDBFormat
internal import FuseDBSystem

extension CompactReader {
  /// How many keys are on their way at once.
  private static let keysAtOnce = 32

  /// The references under many keys, in their order; nil where the file has no such key. They wait for memory together.
  ///
  /// Each step asks for the cache lines of all keys of a group before the next step reads them: pilot, slot, block, and row, which is there
  /// then when its object is asked for.
  ///
  /// - Parameters:
  ///   - keys: where each key stands in `bytes`.
  ///   - found: gets the references, in the place of what is there.
  /// - Throws: as ``reference(forKey:)``.
  package func references(
    forKeys keys: [Range<Int>], of bytes: RawSpan, into found: inout [UInt64?]
  ) throws(FuseError) {
    found.removeAll(keepingCapacity: true)
    found.reserveCapacity(keys.count)
    guard !layout.isOfNetworksAlone else {
      for key in keys { found.append(try reference(forKey: bytes.extracting(key))) }
      return
    }
    let mapping = mapping
    do throws(FuseError) {
      var start = 0
      while start < keys.count {
        let count = min(Self.keysAtOnce, keys.count - start)
        try appendReferences(forKeys: keys[start..<start + count], of: bytes, in: mapping, to: &found)
        start += count
      }
    } catch { throw whatIsTrue(error) }
    try mapping.checkNotShrunk()
  }

  /// The same for as many as go at once.
  private func appendReferences(
    forKeys keys: ArraySlice<Range<Int>>, of bytes: RawSpan, in mapping: FileMapping, to found: inout [UInt64?]
  ) throws(FuseError) {
    let (slots, blocks) = (layout.slots, layout.blocks)
    let file = mapping.bytes
    var hashes = InlineArray<32, UInt64>(repeating: 0)
    var probes = InlineArray<32, CompactSlots.Probe>(repeating: CompactSlots.Probe(pilotLine: 0, slotLine: 0, slot: 0))
    for (number, key) in keys.enumerated() {
      let hash = bytes.extracting(key).flatHash(seed: slots.section.pilots.seed)
      hashes[number] = hash
      mapping.prefetch(
        at: UInt64(slots.offset(ofPilotLine: slots.section.pilots.pilotPosition(of: hash).line)), lineCount: 1)
    }
    for number in 0..<keys.count {
      let probe = slots.probe(of: hashes[number], in: file)
      probes[number] = probe
      mapping.prefetch(at: UInt64(slots.offset(ofSlotLine: probe.slotLine)), lineCount: 1)
    }
    for number in 0..<keys.count {
      let slot = slots.slot(probes[number].slot, ofLine: probes[number].slotLine, in: file)
      guard slots.section.tag(of: slot) == slots.section.tag(of: hashes[number]) else { continue }
      // A block is four lines, and its checksum reads them all.
      let block = slot &>> (slots.section.tagBits &+ SlotSection.offsetBits)
      mapping.prefetch(at: UInt64(blocks.start) &+ block &* UInt64(CompactForm.blockByteCount), lineCount: 4)
    }
    for (number, key) in keys.enumerated() {
      let reference = try self.reference(
        forKey: bytes.extracting(key), hash: hashes[number], probe: probes[number], slots, blocks, in: file)
      found.append(reference)
      guard let reference else { continue }
      mapping.prefetch(at: UInt64(Header.byteCount) &+ reference &<< blocks.shift, lineCount: 2)
    }
  }
}
