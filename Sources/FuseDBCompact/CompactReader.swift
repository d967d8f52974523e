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
    // The two apart: all of the layout would be copied for each look-up.
    let (slots, blocks) = (layout.slots, layout.blocks)
    let mapping = mapping
    let file = mapping.bytes
    let hash = key.hash(seed: slots.section.pilots.seed)
    let found: UInt64?
    do throws(FuseError) {
      found = try blocks.reference(forKey: key, hash: hash, probe: slots.probe(of: hash, in: file), slots, in: file)
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

  /// Calls `body` with the MessagePack of an object, which is put into a buffer for it.
  ///
  /// - Throws: as ``reference(forKey:)``, and what `body` throws.
  package func withBytes<Result>(
    ofReference reference: UInt64, reusing buffer: inout [UInt8], _ body: (RawSpan) throws -> Result
  ) throws -> Result {
    try expand(reference, into: &buffer)
    return try body(buffer.rawSpan)
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

extension CompactBlocks {
  /// The reference under `key`, or nil, where the probe of the key's hash is known.
  @inline(__always)
  func reference(
    forKey key: RawSpan, hash: UInt64, probe: CompactSlots.Probe, _ slots: CompactSlots, in file: RawSpan
  ) throws(FuseError) -> UInt64? {
    let slot = slots.slot(probe.slot, ofLine: probe.slotLine, in: file)
    if slots.section.tag(of: slot) == slots.section.tag(of: hash), slot != slots.section.free {
      let number = Int(truncatingIfNeeded: slot &>> (slots.section.tagBits &+ SlotSection.offsetBits))
      let inside = Int(truncatingIfNeeded: slot &>> slots.section.tagBits & 0xFF)
      guard number < count, inside >= CompactForm.blockHeadByteCount else {
        throw Self.leadsNowhere(slots.offset(ofSlotLine: probe.slotLine))
      }
      let block = self.offset(ofBlock: number)
      // The key is compared while the block's lines are on their way, which its checksum reads.
      let (match, reference) = self.match(key, at: block &+ inside, inBlockAt: block, of: file)
      guard isSoundBlock(number, in: file) else { throw differs(number) }
      if match == .same { return reference }
      return try otherwise(key, at: block &+ inside, inBlockAt: block, hash, match, slots, in: file)
    }
    // Absent, if the lines that say so are what was written. [X16]
    try slots.check(probe, in: file)
    return nil
  }

  @inline(never)
  private static func leadsNowhere(_ line: Int) -> FuseError {
    .corrupted("a slot holds a place where no key stands", at: line)
  }

  /// What is under a key whose slot leads to an entry of a checked block that has another key, or needs more care. Throws unless the slot is that of
  /// the entry's. [X17]
  ///
  /// It finds the probe anew, because passing it would have every look-up put it into memory.
  @inline(never)
  private func otherwise(
    _ key: RawSpan, at offset: Int, inBlockAt block: Int, _ hash: UInt64, _ match: Match, _ slots: CompactSlots,
    in file: RawSpan
  ) throws(FuseError) -> UInt64? {
    if match == .unusual, try isKey(key, at: offset, inBlockAt: block, of: file) {
      return CompactEntry(reading: offset, width: width, of: file).reference
    }
    let probe = slots.probe(of: hash, in: file)
    try slots.check(probe, in: file)
    let other = try self.hash(ofKeyAt: offset, inBlockAt: block, seed: slots.section.pilots.seed, of: file)
    let own = slots.probe(of: other, in: file)
    let slot = slots.slot(probe.slot, ofLine: probe.slotLine, in: file)
    guard own.slotLine == probe.slotLine, own.slot == probe.slot,
      slots.section.tag(of: other) == slots.section.tag(of: slot)
    else {
      throw .corrupted(
        "a slot leads to a key that has another slot", at: slots.offset(ofSlotLine: probe.slotLine))
    }
    return nil
  }
}
