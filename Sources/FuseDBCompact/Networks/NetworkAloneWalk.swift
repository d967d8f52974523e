internal import FuseDBFormat
internal import FuseDBSystem

/// A place among the keys of a file of networks alone: those of blocks of keys, and those that the section of networks shows, as one order.
///
/// A class, so that walks of other files have a pointer for it alone.
final class NetworkAloneWalk: @unchecked Sendable {
  private let reader: CompactReader
  private var blocks: CompactBlockWalk
  private var shown: ShownWalk
  /// Whether each of the two is at a key.
  private var hasBlock = false
  private var hasShown = false
  /// Which of them is the place.
  private var isShown = false
  /// The other is at its first key after the place; otherwise at its last before.
  private var isAscending = true
  private(set) var ordinal = 0

  init(_ reader: CompactReader, _ shown: ShownBlocks, _ blocks: CompactBlockWalk) {
    self.reader = reader
    self.blocks = blocks
    self.shown = ShownWalk(reader, shown)
  }

  private init(_ other: NetworkAloneWalk) {
    reader = other.reader
    blocks = other.blocks
    shown = other.shown
    (hasBlock, hasShown, isShown) = (other.hasBlock, other.hasShown, other.isShown)
    (isAscending, ordinal) = (other.isAscending, other.ordinal)
  }

  /// One that goes on by itself.
  func copy() -> NetworkAloneWalk { NetworkAloneWalk(self) }

  var reference: UInt64 { isShown ? reader.reference(ofRowAt: shown.row) : blocks.reference }

  var keyBytes: RawSpan {
    @_lifetime(borrow self)
    get {
      guard hasBlock || hasShown else { return RawSpan() }
      // SAFETY: this keeps both, which do not change before the place does.
      return isShown
        ? unsafe _overrideLifetime(shown.text.rawSpan, borrowing: self)
        : unsafe _overrideLifetime(blocks.keyBytes, borrowing: self)
    }
  }

  // MARK: Setting

  func seek(notBelow wanted: RawSpan) throws(FuseError) -> Bool {
    do throws(FuseError) {
      let found = try shown.seek(notBelow: wanted)
      hasShown = found.isThere
      hasBlock = try blocks.seek(notBelow: wanted)
      ordinal = found.rank + (hasBlock ? blocks.ordinal : reader.layout.blockKeyCount)
      isAscending = true
      return try settle()
    } catch { throw reader.whatIsTrue(error) }
  }

  func seek(ordinal wanted: Int) throws(FuseError) -> Bool {
    guard wanted >= 0, wanted < reader.keyCount else { return false }
    do throws(FuseError) {
      let shownCount = reader.keyCount - reader.layout.blockKeyCount
      // How many keys of blocks come before: the first of them that does not.
      var (low, high) = (max(0, wanted - shownCount), min(wanted, reader.layout.blockKeyCount))
      while low < high {
        let middle = (low + high) / 2
        guard try blocks.seek(ordinal: middle) else { throw ordinalsDoNotFit() }
        let rank = try shown.seek(notBelow: blocks.keyBytes).rank
        if middle + rank < wanted { low = middle + 1 } else { high = middle }
      }
      hasBlock = low < reader.layout.blockKeyCount
      if hasBlock, try !blocks.seek(ordinal: low) { throw ordinalsDoNotFit() }
      hasShown = wanted - low < shownCount
      if hasShown { try shown.seek(number: wanted - low) } else { try endShown() }
      (ordinal, isAscending) = (wanted, true)
      guard try settle() else { throw ordinalsDoNotFit() }
      return true
    } catch { throw reader.whatIsTrue(error) }
  }

  /// After the last that is shown.
  private func endShown() throws(FuseError) {
    guard try shown.seekLast() else { return }
    guard try !shown.next() else { throw ordinalsDoNotFit() }
  }

  func seekLast() throws(FuseError) -> Bool {
    guard reader.keyCount > 0 else { return false }
    do throws(FuseError) {
      hasShown = try shown.seekLast()
      hasBlock = try blocks.seekLast()
      (ordinal, isAscending) = (reader.keyCount - 1, false)
      guard try settle() else { throw ordinalsDoNotFit() }
      return true
    } catch { throw reader.whatIsTrue(error) }
  }

  // MARK: Moving

  func next() throws(FuseError) -> Bool {
    do throws(FuseError) {
      if !isAscending {
        // The other one is before the place.
        if isShown { hasBlock = try hasBlock ? blocks.next() : blocks.seek(ordinal: 0) }
        if !isShown { hasShown = try hasShown ? shown.next() : shown.seekFirst() }
        isAscending = true
      }
      if isShown { hasShown = try shown.next() } else { hasBlock = try blocks.next() }
      ordinal += 1
      let isThere = try settle()
      guard isThere == (ordinal < reader.keyCount) else { throw ordinalsDoNotFit() }
      return isThere
    } catch { throw reader.whatIsTrue(error) }
  }

  func previous() throws(FuseError) -> Bool {
    do throws(FuseError) {
      if isAscending {
        // The other one is after the place.
        if isShown { hasBlock = try hasBlock ? blocks.previous() : blocks.seekLast() }
        if !isShown { hasShown = try hasShown ? shown.previous() : shown.seekLast() }
        isAscending = false
      }
      if isShown { hasShown = try shown.previous() } else { hasBlock = try blocks.previous() }
      ordinal -= 1
      let isThere = try settle()
      guard isThere == (ordinal >= 0) else { throw ordinalsDoNotFit() }
      return isThere
    } catch { throw reader.whatIsTrue(error) }
  }

  /// Finds which of both is the place.
  private func settle() throws(FuseError) -> Bool {
    if hasBlock, hasShown {
      let order = shown.text.rawSpan.compare(blocks.keyBytes)
      guard order != 0 else { throw ordinalsDoNotFit() }
      isShown = (order < 0) == isAscending
    } else {
      isShown = hasShown
    }
    if hasShown, isShown { try reader.check(rowOffset: shown.row) }
    try reader.mapping.checkNotShrunk()
    return hasBlock || hasShown
  }

  @inline(never)
  private func ordinalsDoNotFit() -> FuseError {
    reader.layout.shown?.countsDoNotFit() ?? .corrupted("the file is none of networks alone", at: 0)
  }
}
