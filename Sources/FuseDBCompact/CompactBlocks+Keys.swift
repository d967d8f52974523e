internal import FuseDBFormat

// Keys of a block: compared with another key in place, or decoded.

extension CompactBlocks {
  /// The reference of the entry at an offset of a checked block, if its key is `key`; nil where it is another.
  @inline(__always)
  func reference(at offset: Int, inBlockAt block: Int, if key: RawSpan, of file: RawSpan) throws(FuseError) -> UInt64? {
    let entry = try CompactEntry(at: offset, inBlockAt: block, width: width, of: file)
    if entry.isLong { return try isLongKey(key, at: entry.suffix.lowerBound, in: file) ? entry.reference : nil }
    guard entry.shared <= key.byteCount else { return nil }
    if entry.shared > 0 {
      guard try isShared(entry, at: offset, inBlockAt: block, with: key, of: file) else { return nil }
    }
    let end = try matched(entry.suffix, with: key, from: entry.shared, to: key.byteCount, isWhole: true, of: file)
    return end == key.byteCount ? entry.reference : nil
  }

  /// Whether what an entry shares with the first key of its block begins `key`.
  @inline(__always)
  private func isShared(
    _ entry: CompactEntry, at offset: Int, inBlockAt block: Int, with key: RawSpan, of file: RawSpan
  ) throws(FuseError) -> Bool {
    let first = block &+ CompactForm.blockHeadByteCount
    let head = try CompactEntry(at: first, inBlockAt: block, width: width, of: file)
    // The first key shares with none, and none shares with a long one.
    guard offset != first, !head.isLong else { throw Self.sharesWithNone(offset) }
    let end = try matched(head.suffix, with: key, from: 0, to: entry.shared, isWhole: false, of: file)
    if end < 0 { return false }
    guard end == entry.shared else { throw Self.sharesWithNone(offset) }
    return true
  }

  /// How far the bytes of `key` from `start` to `end` are what a suffix says: `end` where they all are, less where the suffix has
  /// fewer, -1 where they differ.
  ///
  /// - Parameter isWhole: whether the suffix must not have more.
  @inline(__always)
  private func matched(
    _ suffix: Range<Int>, with key: RawSpan, from start: Int, to end: Int, isWhole: Bool, of file: RawSpan
  ) throws(FuseError) -> Int {
    guard isCoded else {
      let count = isWhole ? suffix.count : min(suffix.count, end &- start)
      guard count <= end &- start else { return -1 }
      let isEqual = file.extracting(suffix.lowerBound..<suffix.lowerBound &+ count)
        .equals(key.extracting(start..<start &+ count))
      return isEqual ? start &+ count : -1
    }
    var at = suffix.lowerBound
    var place = start
    while at < suffix.upperBound {
      // What follows a shared part is not asked for.
      if place == end { return isWhole ? -1 : end }
      let code = file.loadInside(at: at, as: UInt8.self)
      at &+= 1
      if code == CompactForm.escape {
        guard at < suffix.upperBound else { throw Self.noByte(at) }
        guard file.loadInside(at: at, as: UInt8.self) == key.loadInside(at: place, as: UInt8.self) else { return -1 }
        at &+= 1
        place &+= 1
        continue
      }
      guard Int(code) < symbolCount else { throw Self.noSymbol(at) }
      let symbol = symbols &+ Self.symbolByteCount &* Int(code)
      var count = Int(min(file.loadInside(at: symbol, as: UInt8.self), 8))
      if count > end &- place {
        if isWhole { return -1 }
        count = end &- place
      }
      let text = file.loadInside(at: symbol &+ 1, as: UInt64.self)
      guard let bytes = key.load(at: place, as: UInt64.self) else {
        // The last few bytes of a key, one by one.
        for i in 0..<count
        where key.loadInside(at: place &+ i, as: UInt8.self) != UInt8(truncatingIfNeeded: text >> UInt64(56 &- 8 &* i))
        {
          return -1
        }
        place &+= count
        continue
      }
      guard (bytes ^ text) >> UInt64(64 &- 8 &* count) == 0 else { return -1 }
      place &+= count
    }
    return place
  }

  // MARK: Long keys

  /// Where the bytes of a long key stand, after their CRC-32 was compared.
  func longKey(at offset: Int, in file: RawSpan) throws(FuseError) -> Range<Int> {
    let place = file.loadInside(at: offset, as: UInt64.self)
    let count = Int(file.loadInside(at: offset &+ 8, as: UInt32.self))
    guard count <= FormatLimits.keyByteCount, count &+ 4 <= longKeys.count,
      place <= UInt64(longKeys.count &- count &- 4)
    else { throw .corrupted("a long key does not lie in its section", at: offset) }
    let start = longKeys.lowerBound &+ Int(place) &+ 4
    let bytes = start..<start &+ count
    guard file.loadInside(at: start &- 4, as: UInt32.self) == Checksum.of(file.extracting(bytes)) else {
      throw .corrupted("a long key differs from its checksum", at: start - 4)
    }
    return bytes
  }

  @inline(never)
  private func isLongKey(_ key: RawSpan, at offset: Int, in file: RawSpan) throws(FuseError) -> Bool {
    let bytes = try longKey(at: offset, in: file)
    return file.extracting(bytes).equals(key)
  }

  // MARK: Decoding

  /// Appends what a suffix says.
  func decode(_ suffix: Range<Int>, of file: RawSpan, into key: inout [UInt8]) throws(FuseError) {
    guard isCoded else { return key.append(file.extracting(suffix)) }
    var at = suffix.lowerBound
    while at < suffix.upperBound {
      let code = file.loadInside(at: at, as: UInt8.self)
      at &+= 1
      if code == CompactForm.escape {
        guard at < suffix.upperBound else { throw Self.noByte(at) }
        key.append(file.loadInside(at: at, as: UInt8.self))
        at &+= 1
        continue
      }
      guard Int(code) < symbolCount else { throw Self.noSymbol(at) }
      let symbol = symbols &+ Self.symbolByteCount &* Int(code)
      let count = Int(min(file.loadInside(at: symbol, as: UInt8.self), 8))
      key.append(file.extracting(symbol &+ 1..<symbol &+ 1 &+ count))
    }
  }

  /// Puts the key of an entry into a buffer: `head` is the first key of the block, empty if it is long.
  func decode(
    _ entry: CompactEntry, at offset: Int, sharing head: [UInt8], of file: RawSpan, into key: inout [UInt8]
  ) throws(FuseError) {
    key.removeAll(keepingCapacity: true)
    if entry.isLong {
      let bytes = try longKey(at: entry.suffix.lowerBound, in: file)
      return key.append(file.extracting(bytes))
    }
    guard entry.shared <= head.count else { throw Self.sharesWithNone(offset) }
    key.append(head.rawSpan.extracting(first: entry.shared))
    try decode(entry.suffix, of: file, into: &key)
  }

  /// Puts the first key of a block into a buffer, for others to share with; nothing if it is long.
  func decodeHead(ofBlockAt block: Int, of file: RawSpan, into head: inout [UInt8]) throws(FuseError) {
    head.removeAll(keepingCapacity: true)
    guard entryCount(ofBlockAt: block, in: file) > 0 else { return }
    let first = block &+ CompactForm.blockHeadByteCount
    let entry = try CompactEntry(at: first, inBlockAt: block, width: width, of: file)
    if entry.isLong { return }
    guard entry.shared == 0 else { throw Self.sharesWithNone(first) }
    try decode(entry.suffix, of: file, into: &head)
  }

  /// The key of any entry, into a buffer.
  func decode(at offset: Int, inBlockAt block: Int, of file: RawSpan, into key: inout [UInt8]) throws(FuseError) {
    var head: [UInt8] = []
    let entry = try CompactEntry(at: offset, inBlockAt: block, width: width, of: file)
    if entry.shared > 0, offset != block &+ CompactForm.blockHeadByteCount {
      try decodeHead(ofBlockAt: block, of: file, into: &head)
    }
    try decode(entry, at: offset, sharing: head, of: file, into: &key)
  }

  // MARK: Errors

  @inline(never)
  private static func sharesWithNone(_ offset: Int) -> FuseError {
    .corrupted("a key shares more than there is of the first of its block", at: offset)
  }

  @inline(never)
  private static func noByte(_ offset: Int) -> FuseError { .corrupted("a byte is missing in a coded key", at: offset) }

  @inline(never)
  private static func noSymbol(_ offset: Int) -> FuseError {
    .corrupted("a coded key has a symbol that there is not", at: offset - 1)
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
