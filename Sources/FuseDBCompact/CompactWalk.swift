package import FuseDBFormat
internal import FuseDBSystem

/// A place among the keys of a compact file, in their order: it is set by a key, an ordinal or an end, and moved both ways.
///
/// The key is handed out from a buffer. Each block is compared with its checksum when a key of it is read, and so is each that proves
/// where the place is.
package struct CompactWalk: Sendable {
  private let reader: CompactReader
  /// The key at the place, once one was found.
  package private(set) var key: [UInt8] = []
  /// The reference to its object.
  package private(set) var reference: UInt64 = 0

  /// The block that was read last; -1 for none.
  private var block = -1
  /// Its first key, empty where that is a long one.
  private var head: [UInt8] = []
  private var firstOrdinal = 0
  /// Where its entries begin in it, at most 255.
  private var offsets: [UInt8] = []
  /// Which of them the place is.
  private var place = 0

  package init(_ reader: CompactReader) { self.reader = reader }

  /// How many keys come before the place.
  package var ordinal: Int { firstOrdinal + place }

  // MARK: Setting

  /// Goes to the first key that is not below `key`.
  ///
  /// - Returns: whether there is one; the place is nowhere otherwise.
  /// - Complexity: O(log keys).
  package mutating func seek(notBelow wanted: RawSpan) throws(FuseError) -> Bool {
    do throws(FuseError) {
      // The last block whose first key is not above the wanted one.
      var (low, high) = (0, reader.layout.blocks.count)
      while low < high {
        let middle = (low + high) / 2
        try load(middle)
        try read(0)
        if key.rawSpan.compare(wanted) <= 0 { low = middle + 1 } else { high = middle }
      }
      guard reader.layout.blocks.count > 0 else { return try nowhere() }
      try load(max(0, low - 1))
      for number in 0..<offsets.count {
        try read(number)
        if key.rawSpan.compare(wanted) >= 0 { return try here() }
      }
      return try moveToNextBlock()
    } catch { throw reader.whatIsTrue(error) }
  }

  /// Goes to the last key that is not above `key`; or that is below it.
  ///
  /// - Returns: whether there is one.
  /// - Complexity: O(log keys).
  package mutating func seek(notAbove wanted: RawSpan, orEqual: Bool = true) throws(FuseError) -> Bool {
    guard try seek(notBelow: wanted) else { return try seekLast() }
    if orEqual, key.rawSpan.equals(wanted) { return true }
    return try previous()
  }

  /// Goes to the last key that begins with a prefix, or the last before where such keys would stand.
  ///
  /// - Returns: whether there is one.
  /// - Complexity: O(log keys).
  package mutating func seek(lastBeginningWith prefix: [UInt8]) throws(FuseError) -> Bool {
    // The smallest text after all that begin so: without the bytes at its end that cannot grow, the last one grown by one.
    var after = prefix
    while after.last == 0xFF { after.removeLast() }
    guard let last = after.last else { return try seekLast() }
    after[after.count - 1] = last + 1
    return try seek(notAbove: after.rawSpan, orEqual: false)
  }

  /// Goes to the key that so many come before.
  ///
  /// - Returns: whether there is one.
  /// - Complexity: O(log keys).
  package mutating func seek(ordinal: Int) throws(FuseError) -> Bool {
    guard ordinal >= 0, ordinal < reader.keyCount else { return false }
    do throws(FuseError) {
      var (low, high) = (0, reader.layout.blocks.count)
      while low < high {
        let middle = (low + high) / 2
        try load(middle)
        if firstOrdinal <= ordinal { low = middle + 1 } else { high = middle }
      }
      guard low > 0 else { throw ordinalsDoNotFit() }
      try load(low - 1)
      guard ordinal - firstOrdinal < offsets.count else { throw ordinalsDoNotFit() }
      try read(ordinal - firstOrdinal)
      return try here()
    } catch { throw reader.whatIsTrue(error) }
  }

  /// Goes to the first key.
  package mutating func seekFirst() throws(FuseError) -> Bool { try seek(ordinal: 0) }

  /// Goes to the last key.
  package mutating func seekLast() throws(FuseError) -> Bool { try seek(ordinal: reader.keyCount - 1) }

  // MARK: Moving

  /// Goes to the next key; where there is none, the place is nowhere.
  package mutating func next() throws(FuseError) -> Bool {
    do throws(FuseError) {
      guard place + 1 < offsets.count else { return try moveToNextBlock() }
      try read(place + 1)
      return try here()
    } catch { throw reader.whatIsTrue(error) }
  }

  /// Goes to the key before; where there is none, the place is nowhere.
  package mutating func previous() throws(FuseError) -> Bool {
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
      guard firstOrdinal + offsets.count == before else { throw ordinalsDoNotFit() }
      try read(offsets.count - 1)
      return try here()
    } catch { throw reader.whatIsTrue(error) }
  }

  private mutating func moveToNextBlock() throws(FuseError) -> Bool {
    // A block's number says where it stands, its ordinals that none is missing.
    let after = firstOrdinal + offsets.count
    guard block + 1 < reader.layout.blocks.count else {
      guard after == reader.keyCount else { throw ordinalsDoNotFit() }
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

  /// Reads where the entries of a block begin, and its first key.
  private mutating func load(_ number: Int) throws(FuseError) {
    guard number != block else { return }
    let blocks = reader.layout.blocks
    let mapping = reader.mapping
    let file = mapping.bytes
    block = -1
    let start = try blocks.checkedBlock(number, in: file)
    try blocks.readOffsets(ofBlockAt: start, of: file, into: &offsets)
    firstOrdinal = blocks.firstOrdinal(ofBlockAt: start, in: file)
    try blocks.decodeHead(ofBlockAt: start, of: file, into: &head)
    block = number
  }

  /// Reads the key of an entry of the block.
  private mutating func read(_ number: Int) throws(FuseError) {
    let blocks = reader.layout.blocks
    let mapping = reader.mapping
    let file = mapping.bytes
    let start = blocks.offset(ofBlock: block)
    let at = start + Int(offsets[number])
    let entry = try CompactEntry(at: at, inBlockAt: start, width: blocks.width, of: file)
    if number == 0, !entry.isLong {
      key.removeAll(keepingCapacity: true)
      key.append(contentsOf: head)
    } else {
      try blocks.decode(entry, at: at, sharing: head, of: file, into: &key)
    }
    reference = entry.reference
    place = number
  }

  @inline(never)
  private func ordinalsDoNotFit() -> FuseError {
    .corrupted(
      "the ordinals of the keys' blocks do not fit each other, or the number of keys",
      at: reader.layout.blocks.offset(ofBlock: max(0, block)))
  }
}

extension CompactBlocks {
  /// Puts down where the entries of a checked block begin in it, at least one.
  func readOffsets(ofBlockAt block: Int, of file: RawSpan, into offsets: inout [UInt8]) throws(FuseError) {
    offsets.removeAll(keepingCapacity: true)
    var at = block + CompactForm.blockHeadByteCount
    for _ in 0..<entryCount(ofBlockAt: block, in: file) {
      let entry = try CompactEntry(at: at, inBlockAt: block, width: width, of: file)
      offsets.append(UInt8(truncatingIfNeeded: at - block))
      at = entry.end
    }
    guard !offsets.isEmpty else { throw .corrupted("a block of keys has none", at: block) }
  }
}
