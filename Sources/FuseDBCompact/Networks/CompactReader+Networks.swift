internal import FuseDBFormat
internal import FuseDBSystem

// Keys of a file of networks alone. See spec/compact.md §15.

extension CompactReader {
  /// The reference to the row that begins at an offset.
  func reference(ofRowAt offset: UInt64) -> UInt64 { (offset &- UInt64(Header.byteCount)) &>> layout.blocks.shift }

  /// Throws unless a reference can say that a row begins there.
  func check(rowOffset offset: UInt64) throws(FuseError) {
    guard offset >= UInt64(Header.byteCount), offset < UInt64(layout.rowsEnd),
      rowOffset(ofReference: reference(ofRowAt: offset)) == offset
    else { throw .corrupted("a run of networks refers to a place where no row begins", at: offset) }
  }

  /// The reference under a key, or nil, in a file of networks alone: by the run at its first address, or from the blocks of keys. [CN6]
  @inline(never)
  func reference(forNetwork key: RawSpan, among shown: ShownBlocks) throws(FuseError) -> UInt64? {
    // No other text is a key.
    guard let spelling = NetworkSpelling(key), spelling.flaws.isEmpty else { return nil }
    let mapping = mapping
    let found: UInt64?
    do throws(FuseError) {
      found = try reference(of: spelling, key, among: shown, in: mapping.bytes)
    } catch { throw whatIsTrue(error) }
    try mapping.checkNotShrunk()
    return found
  }

  private func reference(
    of spelling: NetworkSpelling, _ key: RawSpan, among shown: ShownBlocks, in file: RawSpan
  ) throws(FuseError) -> UInt64? {
    let network = spelling.network
    if network.family == .ipv4 {
      let answer = try shown.answer(at: UInt32(truncatingIfNeeded: network.address.bits), in: file)
      if Int(answer.length) == network.prefixLength {
        guard network.prefixLength < 32 || spelling.isAddress != shown.hasLengths else { return nil }
        try check(rowOffset: answer.object)
        return reference(ofRowAt: answer.object)
      }
      // What is not shown has a longer block at its first address.
      guard answer.length <= 32, Int(answer.length) > network.prefixLength else { return nil }
    }
    var walk = CompactBlockWalk(self)
    guard try walk.seek(notBelow: key), walk.keyBytes.equals(key) else { return nil }
    return walk.reference
  }
}
