internal import CFuseIntrinsics
internal import FuseDBFormat

// Keys of a block: compared with another key, or decoded.

extension CompactBlocks {
  /// What comparing an entry's key with another finds.
  enum Match {
    case same
    case other
    /// The key is a long one, or there is none: what is to be looked at with more care.
    case unusual
  }

  /// Whether the key of the entry at an offset of a block, after its head, is `key`, and its reference.
  ///
  /// The block need not have been compared with its checksum yet: both then wait for its bytes together. All places are compared with its end.
  @inline(__always)
  func match(_ key: RawSpan, at offset: Int, inBlockAt block: Int, of file: RawSpan) -> (Match, reference: UInt64) {
    guard isCoded else { return matchPlain(key, at: offset, inBlockAt: block, of: file) }
    var reference: UInt64 = 0
    // SAFETY: the block lies in the file, whose footer comes after it, and the offset in the block. The symbols are there as long as this is used.
    let found = unsafe file.withUnsafeBytes { file in
      unsafe key.withUnsafeBytes { key in
        let bytes = unsafe file.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let wanted = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return unsafe fuse_match_coded(
          symbols, bytes + block, offset &- block, width, wanted, key.count, &reference)
      }
    }
    if found == Int32(FUSE_KEY_SAME) { return (.same, reference) }
    return (found == Int32(FUSE_KEY_OTHER) ? .other : .unusual, reference)
  }

  /// The same of keys that stand as they are.
  @inline(__always)
  private func matchPlain(
    _ key: RawSpan, at offset: Int, inBlockAt block: Int, of file: RawSpan
  ) -> (Match, reference: UInt64) {
    let end = block &+ CompactForm.blockByteCount
    let first = block &+ CompactForm.blockHeadByteCount
    let entry = CompactEntry(reading: offset, width: width, of: file)
    let head = CompactEntry(reading: first, width: width, of: file)
    guard entry.end <= end, head.end <= end, !entry.isLong else { return (.unusual, 0) }
    // The first key shares with none, and none shares with a long one.
    guard entry.shared == 0 || offset != first && !head.isLong && entry.shared <= head.count else {
      return (.unusual, 0)
    }
    guard entry.shared &+ entry.count == key.byteCount else { return (.other, 0) }
    let (shared, rest) = (key.extracting(first: entry.shared), key.extracting(droppingFirst: entry.shared))
    guard file.extracting(head.start..<head.start &+ entry.shared).equals(shared),
      file.extracting(entry.start..<entry.end).equals(rest)
    else { return (.other, 0) }
    return (.same, entry.reference)
  }

  /// The reference of any entry in a checked block, if its key is `key`; nil where it is another.
  @inline(never)
  func reference(
    ofKey key: RawSpan, at offset: Int, inBlockAt block: Int, of file: RawSpan
  ) throws(FuseError) -> UInt64? {
    let found = CompactBlockKeys(mostCount: 2)
    try found.load(at: offset, inBlockAt: block, self, of: file)
    let entry = found[found.count - 1]
    if entry.isLong {
      let bytes = try longKey(entry, in: file)
      return file.extracting(bytes).equals(key) ? entry.reference : nil
    }
    return found.text(found.count - 1).equals(key) ? entry.reference : nil
  }

  /// The hash of an entry's key, in a checked block.
  @inline(never)
  func hash(ofKeyAt offset: Int, inBlockAt block: Int, seed: UInt64, of file: RawSpan) throws(FuseError) -> UInt64 {
    let found = CompactBlockKeys(mostCount: 2)
    try found.load(at: offset, inBlockAt: block, self, of: file)
    let last = found.count - 1
    if found[last].isLong { return file.extracting(try longKey(found[last], in: file)).hash(seed: seed) }
    return found.text(last).hash(seed: seed)
  }

  /// Where the bytes of a long key stand, after their CRC-32 was compared.
  @inline(never)
  func longKey(_ entry: CompactBlockKeys.Entry, in file: RawSpan) throws(FuseError) -> Range<Int> {
    let count = Int(entry.count)
    guard count <= FormatLimits.keyByteCount, count &+ 4 <= longKeys.count,
      entry.start <= UInt64(longKeys.count &- count &- 4)
    else { throw .corrupted("a long key does not lie in its section", at: longKeys.lowerBound) }
    let start = longKeys.lowerBound &+ Int(entry.start) &+ 4
    let bytes = start..<start &+ count
    guard file.loadInside(at: start &- 4, as: UInt32.self) == Checksum.of(file.extracting(bytes)) else {
      throw .corrupted("a long key differs from its checksum", at: start - 4)
    }
    return bytes
  }
}

extension [UInt8] {
  /// Appends a copy of the bytes.
  @inline(__always)
  mutating func append(_ bytes: RawSpan) {
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
