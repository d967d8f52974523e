package import CFuseRows
package import FuseDBFormat
internal import FuseDBSystem
package import FuseDBValues

// Views of objects in place.

extension CompactReader: RowReading {
  /// Calls `body` with a view of the object of a reference, which goes through the row in place; false where that is not the way, and the
  /// object is to be expanded.
  ///
  /// - Throws: as ``reference(forKey:)``, also for what a view has come across; and what `body` throws.
  package func withView(ofReference reference: UInt64, _ body: (FuseView) throws -> Void) throws -> Bool {
    // One that is out of range leads out of the rows.
    guard reference <= UInt64(layout.rowsEnd) >> layout.blocks.shift else { return false }
    return try withView(ofRowAt: rowOffset(ofReference: reference), body)
  }

  /// The same of the object whose row begins at an offset.
  package func withView(ofRowAt offset: UInt64, _ body: (FuseView) throws -> Void) throws -> Bool {
    let mapping = mapping
    let file = mapping.bytes
    guard let offset = layout.quickOffset(ofRowAt: offset, in: file) else { return false }
    // SAFETY: the file stays as long as this reader, and views do not outlive the call.
    guard try unsafe RowScope.withView(ofRowAt: offset, layout.quickRows(of: file), self, body) else { return false }
    try mapping.checkNotShrunk()
    return true
  }

  // SAFETY: whoever gets it deallocates it.
  /// The MessagePack of the object whose row begins at an offset, in memory of its own.
  ///
  /// - Throws: as ``reference(forKey:)``.
  @unsafe
  package func expandedCopy(rowAt offset: UInt64) throws(FuseError) -> UnsafeMutableRawBufferPointer {
    if let copy = unsafe quickCopy(rowAt: offset) {
      do throws(FuseError) { try mapping.checkNotShrunk() } catch {
        unsafe copy.deallocate()
        throw error
      }
      return unsafe copy
    }
    var object: [UInt8] = []
    try expand(rowAt: offset, into: &object)
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: object.count, alignment: 16)
    unsafe object.withUnsafeBytes { unsafe copy.copyMemory(from: $0) }
    return unsafe copy
  }

  /// What came of expanding a row into memory.
  package enum Expansion {
    case done(Int)
    /// There is too little room.
    case full
    /// ``expand(rowAt:into:)`` says what is wrong, or does it.
    case other
  }

  /// With less room nothing is tried.
  package static var leastRoom: Int { Int(fuse_rows_slack) + 160 }

  // SAFETY: the file is there until this function ends, and there are enough bytes after rows and tables; what is written is as much as there is room for.
  /// Puts the MessagePack of a row into memory, of which `room` bytes, ``leastRoom`` at least, are the caller's. Whether the file shrank is not asked.
  @unsafe
  package func expand(rowAt offset: UInt64, to out: UnsafeMutableRawPointer, room: Int) -> Expansion {
    let mapping = mapping
    let file = mapping.bytes
    guard let offset = layout.quickOffset(ofRowAt: offset, in: file) else { return .other }
    var rows = unsafe layout.quickRows(of: file)
    var value = unsafe fuse_row_value(at: rows.file, end: rows.file, depth: 0, isWhole: true, isInPart: false)
    guard unsafe fuse_row_find(&rows, offset, &value) == fuse_row_done else { return .other }
    let count = unsafe Int(
      fuse_row_expand(&rows, &value, out.assumingMemoryBound(to: UInt8.self), room - Int(fuse_rows_slack)))
    if count > 0 { return .done(count) }
    return count == fuse_row_full ? .full : .other
  }

  // SAFETY: what is written is as much as there is room for.
  @unsafe
  private func quickCopy(rowAt offset: UInt64) -> UnsafeMutableRawBufferPointer? {
    var room = 1 << 10
    while true {
      let out = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
      let outcome = unsafe expand(rowAt: offset, to: out, room: room)
      if case .done(let count) = outcome { return unsafe UnsafeMutableRawBufferPointer(start: out, count: count) }
      unsafe out.deallocate()
      guard case .full = outcome, room < FormatLimits.objectByteCount else { return nil }
      room = min(4 * room, FormatLimits.objectByteCount)
    }
  }

  package func expand(_ value: fuse_row_value, into out: inout [UInt8]) throws(FuseError) {
    let mapping = mapping
    let file = mapping.bytes
    // SAFETY: addresses are compared alone; the cursor checks that they lie in the file.
    let start = unsafe file.withUnsafeBytes { UInt(bitPattern: $0.baseAddress!) }
    let range = unsafe Int(UInt(bitPattern: value.at) - start)..<Int(UInt(bitPattern: value.end) - start)
    do throws(FuseError) {
      var cursor = CompactCursor(file, range)
      let depth = unsafe Int(value.depth)
      try layout.expand(&cursor, depth: depth, isPart: false, limit: FormatLimits.objectByteCount, into: &out)
    } catch { throw whatIsTrue(error) }
    try mapping.checkNotShrunk()
  }
}
