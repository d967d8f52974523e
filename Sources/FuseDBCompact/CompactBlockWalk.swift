internal import FuseDBFormat
internal import FuseDBSystem

/// A place among the keys in blocks of a compact file, in their order: it is set by a key, an ordinal or an end, and moved both ways.
///
/// The key is handed out from a buffer. Each block is compared with its checksum when a key of it is read, and so is each that proves
/// where the place is.
struct CompactBlockWalk: Sendable {
  /// So many rows from the place on are on their way.
  private static let rowsAhead = 12

  private let reader: CompactReader
  /// The reference to the object of the key at the place.
  private(set) var reference: UInt64 = 0

  /// The keys of the block that was read last, or the first of them.
  private var keys = CompactBlockKeys()
  /// Which block that is; -1 for none yet, -2 where it could not be read.
  private var block = -1
  /// Whether all its keys were read.
  private var isWhole = false
  private var firstOrdinal = 0
  /// Which of its keys the place is.
  private var place = 0
  /// Where that stands in the file, if it is a long one.
  private var longKey: Range<Int>?

  init(_ reader: CompactReader) { self.reader = reader }

  /// How many keys of blocks come before the place.
  var ordinal: Int { firstOrdinal + place }

  /// The key at the place, once one was found: it is there until the place is moved.
  var keyBytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get {
      guard place < keys.count else { return RawSpan() }
      if let longKey {
        let mapping = reader.mapping
        // SAFETY: the mapping lives as long as the reader, which this keeps.
        return unsafe _overrideLifetime(mapping.bytes.extracting(longKey), borrowing: self)
      }
      // SAFETY: this keeps the texts, which do not change before the place does.
      return unsafe _overrideLifetime(keys.text(place), borrowing: self)
    }
  }

  // MARK: Setting

  /// Goes to the first key that is not below `key`.
  ///
  /// - Returns: whether there is one; the place is nowhere otherwise.
  /// - Complexity: O(log keys).
  mutating func seek(notBelow wanted: RawSpan) throws(FuseError) -> Bool {
    do throws(FuseError) {
      // The last block whose first key is not above the wanted one.
      var (low, high) = (0, reader.layout.blocks.count)
      while low < high {
        let middle = (low + high) / 2
        try load(middle, isWhole: false)
        try read(0)
        if keyBytes.compare(wanted) <= 0 { low = middle + 1 } else { high = middle }
      }
      guard reader.layout.blocks.count > 0 else { return try nowhere() }
      try load(max(0, low - 1))
      for number in 0..<keys.count {
        try read(number)
        if keyBytes.compare(wanted) >= 0 { return try here() }
      }
      return try moveToNextBlock()
    } catch { throw reader.whatIsTrue(error) }
  }

  /// Goes to the key that so many come before.
  ///
  /// - Returns: whether there is one.
  /// - Complexity: O(log keys).
  mutating func seek(ordinal: Int) throws(FuseError) -> Bool {
    guard ordinal >= 0, ordinal < reader.layout.blockKeyCount else { return false }
    do throws(FuseError) {
      var (low, high) = (0, reader.layout.blocks.count)
      while low < high {
        let middle = (low + high) / 2
        try load(middle, isWhole: false)
        if firstOrdinal <= ordinal { low = middle + 1 } else { high = middle }
      }
      guard low > 0 else { throw ordinalsDoNotFit() }
      try load(low - 1)
      guard ordinal - firstOrdinal < keys.count else { throw ordinalsDoNotFit() }
      try read(ordinal - firstOrdinal)
      return try here()
    } catch { throw reader.whatIsTrue(error) }
  }

  /// Goes to the first key.
  mutating func seekFirst() throws(FuseError) -> Bool { try seek(ordinal: 0) }

  /// Goes to the last key.
  mutating func seekLast() throws(FuseError) -> Bool { try seek(ordinal: reader.layout.blockKeyCount - 1) }

  // MARK: Moving

  /// Goes to the next key; where there is none, the place is nowhere.
  mutating func next() throws(FuseError) -> Bool {
    do throws(FuseError) {
      guard place + 1 < keys.count else { return try moveToNextBlock() }
      try read(place + 1)
      if place + Self.rowsAhead < keys.count { prefetchRow(of: place + Self.rowsAhead) }
      return try here()
    } catch { throw reader.whatIsTrue(error) }
  }

  /// Goes to the key before; where there is none, the place is nowhere.
  mutating func previous() throws(FuseError) -> Bool {
    do throws(FuseError) {
      if place > 0 {
        try read(place - 1)
        return try here()
      }
      guard block > 0 else {
        guard firstOrdinal == 0 else { throw ordinalsDoNotFit() }
        return try nowhere()
      }
      let before = firstOrdinal
      try load(block - 1)
      guard firstOrdinal + keys.count == before else { throw ordinalsDoNotFit() }
      try read(keys.count - 1)
      return try here()
    } catch { throw reader.whatIsTrue(error) }
  }

  private mutating func moveToNextBlock() throws(FuseError) -> Bool {
    guard block > -2 else { throw ordinalsDoNotFit() }
    // A block's number says where it stands, its ordinals that none is missing.
    let after = firstOrdinal + keys.count
    guard block + 1 < reader.layout.blocks.count else {
      guard after == reader.layout.blockKeyCount else { throw ordinalsDoNotFit() }
      return try nowhere()
    }
    try load(block + 1)
    guard firstOrdinal == after else { throw ordinalsDoNotFit() }
    try read(0)
    return try here()
  }

  private func here() throws(FuseError) -> Bool {
    try reader.mapping.checkNotShrunk()
    return true
  }

  private func nowhere() throws(FuseError) -> Bool {
    try reader.mapping.checkNotShrunk()
    return false
  }

  // MARK: Reading

  /// Reads the keys of a block, or the first alone.
  @inline(never)
  private mutating func load(_ number: Int, isWhole isWanted: Bool = true) throws(FuseError) {
    guard number != block || isWanted && !isWhole else { return }
    let blocks = reader.layout.blocks
    let mapping = reader.mapping
    let file = mapping.bytes
    // A copy of this still has the keys that were read.
    if !isKnownUniquelyReferenced(&keys) { keys = CompactBlockKeys() }
    keys.clear()
    (block, place, longKey) = (-2, 0, nil)
    let start = try blocks.checkedBlock(number, in: file)
    mapping.prefetch(at: UInt64(start &+ CompactForm.blockByteCount), lineCount: 4)
    try keys.load(blockAt: start, most: isWanted ? Int.max : 1, blocks, of: file)
    firstOrdinal = blocks.firstOrdinal(ofBlockAt: start, in: file)
    (block, isWhole) = (number, isWanted)
    guard isWanted else { return }
    for place in 0..<min(Self.rowsAhead, keys.count) { prefetchRow(of: place) }
  }

  /// Asks for the object of a key of the block.
  @inline(__always)
  private func prefetchRow(of place: Int) {
    let offset = UInt64(Header.byteCount) &+ keys[place].reference &<< reader.layout.blocks.shift
    reader.mapping.prefetch(at: offset, lineCount: 2)
  }

  /// Goes to a key of the block.
  @inline(__always)
  private mutating func read(_ number: Int) throws(FuseError) {
    let entry = keys[number]
    if entry.isLong || longKey != nil { longKey = try place(ofLong: entry) }
    reference = entry.reference
    place = number
  }

  @inline(never)
  private func place(ofLong entry: CompactBlockKeys.Entry) throws(FuseError) -> Range<Int>? {
    guard entry.isLong else { return nil }
    let mapping = reader.mapping
    return try reader.layout.blocks.longKey(entry, in: mapping.bytes)
  }

  @inline(never)
  private func ordinalsDoNotFit() -> FuseError {
    .corrupted(
      "the ordinals of the keys' blocks do not fit each other, or the number of keys",
      at: reader.layout.blocks.offset(ofBlock: max(0, block)))
  }
}
