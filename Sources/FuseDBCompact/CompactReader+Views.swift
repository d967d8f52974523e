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
    let mapping = mapping
    let file = mapping.bytes
    guard let offset = layout.quickOffset(ofRow: reference, in: file) else { return false }
    // SAFETY: the file stays as long as this reader, and views do not outlive the call.
    guard try unsafe RowScope.withView(ofRowAt: offset, layout.quickRows(of: file), self, body) else { return false }
    try mapping.checkNotShrunk()
    return true
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
