internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBSystem

/// Puts keys that come in their order into blocks. See spec/decisions/0041-compact.md.
struct KeyBlocks {
  /// What the ordinal, the number of entries and the entries follow while a block is filled: its CRC-32, or the number that this covers.
  private static let numberByteCount = 8
  private static let checksumByteCount = 4
  /// What stands for a long key: where it is, and how many bytes it has.
  private static let longByteCount = 8 + 4

  /// Nil where keys stand as they are.
  private let coder: SymbolCoder?
  private let referenceByteCount: Int
  /// Nil where only the sizes are wanted.
  private let blocks: FileStream?
  private let longKeys: SpillStream?

  /// The number of the block, then the block from after its checksum on.
  private var block = [UInt8](repeating: 0, count: numberByteCount + CompactForm.blockByteCount - checksumByteCount)
  /// How many bytes of the block are filled.
  private var filled = CompactForm.blockHeadByteCount
  private var entryCount = 0
  private var keyCount = 0
  /// The first key of the block; nil where it is a long one.
  private var head: Range<Int>?
  private var coded = [UInt8](repeating: 0, count: CompactForm.mostSuffixBytes + 1)

  /// How many blocks there are,
  private(set) var blockCount = 0
  /// and how many bytes the section of long keys has.
  private(set) var longByteCount = 0

  init(
    coder: SymbolCoder?, referenceByteCount: Int, blocks: FileStream? = nil, longKeys: SpillStream? = nil
  ) {
    self.coder = coder
    self.referenceByteCount = referenceByteCount
    self.blocks = blocks
    self.longKeys = longKeys
  }

  /// Adds the next key.
  ///
  /// - Returns: its place: 256 times its block, and where its entry begins there.
  @inline(__always)
  mutating func add(_ key: Range<Int>, in file: RawSpan, reference: UInt64) throws(FuseError) -> UInt64 {
    if let place = try put(key, in: file, reference: reference) { return place }
    try endBlock()
    // Every entry fits into a block of its own.
    return try put(key, in: file, reference: reference)!
  }

  /// Nil where the block has no room.
  @inline(__always)
  private mutating func put(_ key: Range<Int>, in file: RawSpan, reference: UInt64) throws(FuseError) -> UInt64? {
    guard entryCount < 255 else { return nil }
    var common = 0
    if entryCount > 0, let head {
      let start = file.extracting(head.lowerBound..<min(head.upperBound, head.lowerBound &+ 255))
      common = start.sharedByteCount(with: file.extracting(key))
    }
    let rest = key.lowerBound &+ common..<key.upperBound
    var suffixByteCount: Int?
    if let coder {
      suffixByteCount = coder.code(rest, of: file, into: &coded, atMost: CompactForm.mostSuffixBytes)
    } else if rest.count <= CompactForm.mostSuffixBytes {
      suffixByteCount = rest.count
    }
    let isLong = suffixByteCount == nil
    if isLong { common = 0 }
    let size = suffixByteCount ?? CompactForm.longMark
    let byteCount =
      1 &+ (common >= 15 ? 1 : 0) &+ (size >= 15 ? 1 : 0) &+ referenceByteCount
      &+ (suffixByteCount ?? Self.longByteCount)
    guard filled &+ byteCount <= CompactForm.blockByteCount else { return nil }
    if entryCount == 0 { head = isLong ? nil : key }
    let place = UInt64(truncatingIfNeeded: blockCount &* CompactForm.blockByteCount &+ filled)
    if blocks != nil {
      fill(key, rest, in: file, common: common, size: size, reference: reference)
      if isLong { try writeLong(key, in: file) }
    }
    if isLong { longByteCount += Self.checksumByteCount + key.count }
    filled &+= byteCount
    entryCount &+= 1
    keyCount &+= 1
    return place
  }

  @inline(__always)
  private mutating func fill(
    _ key: Range<Int>, _ rest: Range<Int>, in file: RawSpan, common: Int, size: Int, reference: UInt64
  ) {
    var at = Self.numberByteCount &- Self.checksumByteCount &+ filled
    block[at] = UInt8(truncatingIfNeeded: min(common, 15) &<< 4 | min(size, 15))
    at &+= 1
    if common >= 15 {
      block[at] = UInt8(truncatingIfNeeded: common)
      at &+= 1
    }
    if size >= 15 {
      block[at] = UInt8(truncatingIfNeeded: size)
      at &+= 1
    }
    at = put(reference, byteCount: referenceByteCount, at: at)
    if size == CompactForm.longMark {
      at = put(UInt64(longByteCount), byteCount: 8, at: at)
      _ = put(UInt64(key.count), byteCount: 4, at: at)
    } else if coder == nil {
      for place in 0..<size { block[at &+ place] = file.loadInside(at: rest.lowerBound &+ place, as: UInt8.self) }
    } else {
      for place in 0..<size { block[at &+ place] = coded[place] }
    }
  }

  @inline(__always)
  private mutating func put(_ number: UInt64, byteCount: Int, at start: Int) -> Int {
    for place in 0..<byteCount {
      block[start &+ place] = UInt8(truncatingIfNeeded: number &>> UInt64(8 &* (byteCount &- 1 &- place)))
    }
    return start &+ byteCount
  }

  private func writeLong(_ key: Range<Int>, in file: RawSpan) throws(FuseError) {
    let bytes = file.extracting(key)
    var checksum: [UInt8] = []
    checksum.append(bigEndian: Checksum.of(bytes))
    try longKeys?.append(checksum.rawSpan)
    try longKeys?.append(bytes)
  }

  @inline(never)
  private mutating func endBlock() throws(FuseError) {
    if let blocks {
      let start = Self.numberByteCount
      let end = start - Self.checksumByteCount + filled
      for place in end..<block.count { block[place] = 0 }
      _ = put(UInt64(blockCount), byteCount: 8, at: 0)
      _ = put(UInt64(keyCount - entryCount), byteCount: 4, at: start)
      block[start + 4] = UInt8(entryCount)
      // The checksum then stands where the second half of the number did: right before what it covers.
      _ = put(UInt64(Checksum.of(block.rawSpan)), byteCount: 4, at: start - Self.checksumByteCount)
      try blocks.write(block.rawSpan.extracting(droppingFirst: start - Self.checksumByteCount))
    }
    blockCount += 1
    filled = CompactForm.blockHeadByteCount
    entryCount = 0
    head = nil
  }

  /// Ends the last block.
  mutating func finish() throws(FuseError) { if entryCount > 0 { try endBlock() } }
}
