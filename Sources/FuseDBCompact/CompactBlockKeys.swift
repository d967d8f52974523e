internal import CFuseIntrinsics
internal import FuseDBFormat

/// The keys of a block, decoded together, and what else its entries say. The block is read once: what is changed in the file later changes
/// nothing here. Whoever shares it with another does not load it again.
@safe
final class CompactBlockKeys: @unchecked Sendable {
  /// What an entry says.
  struct Entry {
    /// Where its key begins among the texts; of a long one, in the section of long keys.
    var start: UInt64
    var count: UInt32
    var isLong: Bool
    /// Where the entry stands in its block, and where it ends.
    var offset: UInt8
    var end: UInt16
    var reference: UInt64
  }

  /// An entry has two bytes at least.
  private static let mostEntries = (CompactForm.blockByteCount - CompactForm.blockHeadByteCount) / 2
  /// Of what an entry shares, and of what the bytes of a block say; and what decoding needs beyond them.
  private static let mostShared = 255
  private static let room = 8 * CompactForm.blockByteCount + FUSE_DECODE_ROOM

  private let mostCount: Int
  // SAFETY: both belong to this object until deinit. There is room for `mostCount` entries and the texts of as many, of which no more
  // than `count` entries and `textCount` bytes are read.
  private let texts: UnsafeMutablePointer<UInt8>
  private let entries: UnsafeMutablePointer<Entry>
  private(set) var count = 0
  private var textCount = 0
  /// How long the first key is that others share with; 0 if it is a long one.
  private var headCount = 0

  /// - Parameter mostCount: how many entries are read at most.
  init(mostCount: Int = CompactBlockKeys.mostEntries) {
    self.mostCount = mostCount
    // SAFETY: what is not initialized is not read; see above.
    unsafe texts = .allocate(capacity: mostCount * Self.mostShared + 2 * Self.room)
    unsafe entries = .allocate(capacity: mostCount)
  }

  // SAFETY: nothing else has the memory. Neither bytes nor entries have anything to deinitialize.
  deinit {
    unsafe texts.deallocate()
    unsafe entries.deallocate()
  }

  /// What an entry says.
  /// - Precondition: it is below `count`.
  @inline(__always)
  subscript(number: Int) -> Entry {
    precondition(number >= 0 && number < count)
    // SAFETY: so many entries are initialized.
    return unsafe entries[number]
  }

  /// The key of an entry; no bytes for a long one, which does not stand here.
  /// - Precondition: it is below `count`.
  @inline(__always)
  @_lifetime(borrow self)
  func text(_ number: Int) -> RawSpan {
    let entry = self[number]
    guard !entry.isLong else { return RawSpan() }
    // SAFETY: the texts hold the key of each such entry, for as long as this object lives.
    let bytes = unsafe UnsafeRawBufferPointer(start: texts + Int(entry.start), count: Int(entry.count))
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
  }

  /// Forgets what was read.
  func clear() { (count, textCount, headCount) = (0, 0, 0) }

  /// Reads the first entries of a checked block, as many as are wanted and there is room for.
  func load(blockAt block: Int, most: Int = .max, _ blocks: CompactBlocks, of file: RawSpan) throws(FuseError) {
    clear()
    let wanted = min(blocks.entryCount(ofBlockAt: block, in: file), most, mostCount)
    var at = block &+ CompactForm.blockHeadByteCount
    for _ in 0..<wanted {
      let entry = try CompactEntry(at: at, inBlockAt: block, width: blocks.width, of: file)
      try append(entry, at: at, inBlockAt: block, blocks, of: file)
      if count == 1, !entry.isLong { headCount = textCount }
      at = entry.end
    }
    guard count > 0 else { throw .corrupted("a block of keys has none", at: block) }
  }

  /// Reads one entry of a checked block, after the first: then it is the last here.
  func load(at offset: Int, inBlockAt block: Int, _ blocks: CompactBlocks, of file: RawSpan) throws(FuseError) {
    clear()
    let first = block &+ CompactForm.blockHeadByteCount
    let head = try CompactEntry(at: first, inBlockAt: block, width: blocks.width, of: file)
    try append(head, at: first, inBlockAt: block, blocks, of: file)
    if offset == first { return }
    if !head.isLong { headCount = textCount }
    let entry = try CompactEntry(at: offset, inBlockAt: block, width: blocks.width, of: file)
    try append(entry, at: offset, inBlockAt: block, blocks, of: file)
  }

  /// Decodes an entry's key.
  @inline(__always)
  private func append(
    _ entry: CompactEntry, at offset: Int, inBlockAt block: Int, _ blocks: CompactBlocks, of file: RawSpan
  ) throws(FuseError) {
    precondition(count < mostCount)
    var read = Entry(
      start: UInt64(textCount), count: 0, isLong: entry.isLong, offset: UInt8(truncatingIfNeeded: offset &- block),
      end: UInt16(truncatingIfNeeded: entry.end &- block), reference: entry.reference)
    if entry.isLong {
      read.start = file.loadInside(at: entry.start, as: UInt64.self)
      read.count = file.loadInside(at: entry.start &+ 8, as: UInt32.self)
    } else {
      guard entry.shared <= headCount else {
        throw .corrupted("a key shares more than there is of the first of its block", at: offset)
      }
      // SAFETY: a block's entries are of 256 bytes together, so their texts have at most eight times as many, and what each shares. Decoding and
      // copying write no more beyond them than there is room for. After a block is more of the file than is read beyond it.
      let suffix = unsafe file.withUnsafeBytes { file in
        let codes = unsafe file.baseAddress!.assumingMemoryBound(to: UInt8.self) + entry.start
        let out = unsafe texts + textCount
        unsafe fuse_copy_by16(out, texts, entry.shared)
        if blocks.isCoded {
          return unsafe fuse_decode(blocks.symbols, codes, entry.count, Int.max, out + entry.shared)
        }
        unsafe fuse_copy_by16(out + entry.shared, codes, entry.count)
        return Int64(entry.count)
      }
      guard suffix >= 0 else { throw Self.isWrong(suffix, at: entry.start) }
      read.count = UInt32(truncatingIfNeeded: entry.shared &+ Int(suffix))
      textCount &+= Int(read.count)
    }
    // SAFETY: there is room for it; see above.
    unsafe entries.advanced(by: count).initialize(to: read)
    count &+= 1
  }

  @inline(never)
  private static func isWrong(_ found: Int64, at offset: Int) -> FuseError {
    if found == Int64(FUSE_CODE_CUT) { return .corrupted("a byte is missing in a coded key", at: offset) }
    return .corrupted("a coded key has a symbol that there is not", at: offset)
  }
}
