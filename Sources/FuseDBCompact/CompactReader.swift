package import FuseDBFormat
package import FuseDBSystem
package import FuseDBValues

/// A file of the compact form, version 3, opened for look-ups and scans: immutable, without locks, shared by any number of
/// threads. See spec/decisions/0041-compact.md.
///
/// It is opened in constant time, and takes no memory that grows with the file. Each byte that leads to an answer is compared with
/// its checksum when it is used.
@safe
package final class CompactReader: Sendable {
  package let mapping: FileMapping
  let layout: CompactLayout
  /// What the layout has the address of.
  private let symbols: CompactSymbols
  let directory: CompactDirectory

  /// The path that the file was opened under.
  package var path: String { mapping.path }
  package var byteCount: Int { mapping.byteCount }
  package var keyCount: Int { layout.keyCount }
  package var objectCount: Int { layout.objectCount }

  /// Opens what is mapped.
  ///
  /// - Throws: ``FuseError`` with code `notADatabase`, `unsupportedVersion`, `corrupted` or `truncated`.
  /// - Complexity: O(1).
  package init(_ mapping: FileMapping) throws(FuseError) {
    do {
      let opened = try CompactLayout.open(mapping.bytes)
      layout = opened.layout
      symbols = opened.symbols
      directory = opened.directory
    } catch {
      // What was read while the file shrank says nothing about the file.
      try mapping.checkNotShrunk()
      throw error.at(path: mapping.path)
    }
    try mapping.checkNotShrunk()
    self.mapping = mapping
  }

  /// Opens the file at `path`.
  package convenience init(path: String, access: FuseAccess = .mapped) throws(FuseError) {
    try self.init(try FileMapping(path: path, access: access))
  }

  /// Opens a copy of the bytes of a file.
  package convenience init(bytes: RawSpan) throws(FuseError) {
    try self.init(try FileMapping(bytes: bytes, isLocked: false))
  }

  /// The reference under `key`, or nil when the file has no such key.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where what leads to the answer is not what was written, `truncated` where the
  ///   file shrank.
  /// - Complexity: O(1): a pilot, a slot and a block, without allocation where the key is there.
  package func reference(forKey key: RawSpan) throws(FuseError) -> UInt64? {
    if layout.isOfNetworksAlone, let shown = layout.shown { return try reference(forNetwork: key, among: shown) }
    // The two apart: all of the layout would be copied for each look-up.
    let (slots, blocks) = (layout.slots, layout.blocks)
    let mapping = mapping
    let file = mapping.bytes
    let hash = key.hash(seed: slots.section.pilots.seed)
    let found: UInt64?
    do throws(FuseError) {
      found = try reference(
        forKey: key, hash: hash, probe: slots.probe(of: hash, in: file), slots, blocks, in: file)
    } catch { throw whatIsTrue(error) }
    try mapping.checkNotShrunk()
    return found
  }

  /// Puts the MessagePack of an object into a buffer, in the place of what is there.
  ///
  /// - Parameter inSteps: whether the quick way is left out, for tests. Both give the same.
  /// - Throws: as ``reference(forKey:)``.
  package func expand(_ reference: UInt64, inSteps: Bool = false, into out: inout [UInt8]) throws(FuseError) {
    let mapping = mapping
    out.removeAll(keepingCapacity: true)
    do { try layout.expand(reference, of: mapping.bytes, inSteps: inSteps, into: &out) } catch {
      throw whatIsTrue(error)
    }
    try mapping.checkNotShrunk()
  }

  /// Appends the MessagePack of what stands at a path in an object to a buffer. Nothing else of the object is expanded.
  ///
  /// - Parameter inSteps: as for ``expand(_:inSteps:into:)``.
  /// - Returns: whether the path leads anywhere, as by ``FuseView/subscript(path:)``.
  /// - Throws: as ``reference(forKey:)``.
  package func field(
    _ path: FusePath, ofReference reference: UInt64, inSteps: Bool = false, into out: inout [UInt8]
  ) throws(FuseError) -> Bool {
    let mapping = mapping
    let isFound: Bool
    do {
      isFound = try layout.field(path, of: reference, in: mapping.bytes, inSteps: inSteps, into: &out)
    } catch { throw whatIsTrue(error) }
    try mapping.checkNotShrunk()
    return isFound
  }

  /// An error that reading threw, or that the file shrank meanwhile.
  @inline(never)
  func whatIsTrue(_ error: FuseError) -> FuseError {
    do { try mapping.checkNotShrunk() } catch { return error }
    return error.at(path: mapping.path)
  }
}

extension CompactReader {
  /// The reference under `key`, or nil, where the probe of the key's hash is known. What is seldom is found anew in one place: nothing is put into
  /// memory for it here.
  @inline(__always)
  func reference(
    forKey key: RawSpan, hash: UInt64, probe: CompactSlots.Probe, _ slots: CompactSlots, _ blocks: CompactBlocks,
    in file: RawSpan
  ) throws(FuseError) -> UInt64? {
    let slot = slots.slot(probe.slot, ofLine: probe.slotLine, in: file)
    if slots.section.tag(of: slot) == slots.section.tag(of: hash), slot != slots.section.free {
      let number = Int(truncatingIfNeeded: slot &>> (slots.section.tagBits &+ SlotSection.offsetBits))
      let inside = Int(truncatingIfNeeded: slot &>> slots.section.tagBits & 0xFF)
      guard number < blocks.count, inside >= CompactForm.blockHeadByteCount else { return try otherwise(key, hash) }
      let block = blocks.offset(ofBlock: number)
      // The key is compared while the block's lines are on their way, which its checksum reads.
      let (match, reference) = blocks.match(key, at: block &+ inside, inBlockAt: block, of: file)
      guard blocks.isSoundBlock(number, in: file), match == .same else { return try otherwise(key, hash) }
      return reference
    }
    // Absent, if the lines that say so are what was written. [X16]
    guard slots.isSound(probe, in: file) else { return try otherwise(key, hash) }
    return nil
  }

  /// The same with all that can be: a slot of another key, whose place is checked, a long key, and what is damaged. [X16] [X17]
  @inline(never)
  private func otherwise(_ key: RawSpan, _ hash: UInt64) throws(FuseError) -> UInt64? {
    let (slots, blocks) = (layout.slots, layout.blocks)
    let mapping = mapping
    let file = mapping.bytes
    let probe = slots.probe(of: hash, in: file)
    let slot = slots.slot(probe.slot, ofLine: probe.slotLine, in: file)
    guard slots.section.tag(of: slot) == slots.section.tag(of: hash), slot != slots.section.free else {
      try slots.check(probe, in: file)
      return nil
    }
    let number = Int(truncatingIfNeeded: slot &>> (slots.section.tagBits &+ SlotSection.offsetBits))
    let inside = Int(truncatingIfNeeded: slot &>> slots.section.tagBits & 0xFF)
    let line = slots.offset(ofSlotLine: probe.slotLine)
    guard number < blocks.count, inside >= CompactForm.blockHeadByteCount else {
      throw .corrupted("a slot holds a place where no key stands", at: line)
    }
    let block = try blocks.checkedBlock(number, in: file)
    if let reference = try blocks.reference(ofKey: key, at: block &+ inside, inBlockAt: block, of: file) {
      return reference
    }
    try slots.check(probe, in: file)
    let seed = slots.section.pilots.seed
    let other = try blocks.hash(ofKeyAt: block &+ inside, inBlockAt: block, seed: seed, of: file)
    let own = slots.probe(of: other, in: file)
    guard own.slotLine == probe.slotLine, own.slot == probe.slot,
      slots.section.tag(of: other) == slots.section.tag(of: slot)
    else { throw .corrupted("a slot leads to a key that has another slot", at: line) }
    return nil
  }
}
