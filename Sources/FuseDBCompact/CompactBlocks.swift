internal import CFuseChecksum
internal import CFuseIntrinsics
internal import FuseDBFormat

/// The section `KEYS`: blocks of 256 bytes with the keys in their order; beside it the symbols of coded keys, and the keys that
/// are too long for a block.
///
/// It is integers and an address alone, so that look-ups copy it for nothing. The address is that of the symbols, which the reader keeps.
@safe
struct CompactBlocks: Sendable {
  /// The offset of each field of the section's head.
  private enum Field {
    static let blockCount = 0
    static let width = 8
    static let shift = 9
    static let isCoded = 10
    static let checksum = 60
    static let byteCount = 64
  }
  /// A symbol: its length, and room for its bytes.
  static let symbolByteCount = 1 + CompactForm.mostSymbolBytes
  static let headByteCount = Field.byteCount

  /// Where the first block begins.
  let start: Int
  let count: Int
  /// How many bytes a reference has.
  let width: Int
  /// What a reference is shifted by to be an offset from the first row.
  let shift: UInt64
  let isCoded: Bool
  // SAFETY: who has blocks keeps their symbols; see CompactLayout. They do not change.
  nonisolated(unsafe) let symbols: UnsafePointer<fuse_symbols>
  let longKeys: Range<Int>

  /// Reads the head of the section.
  init(
    in range: Range<Int>, symbols: CompactSymbols, hasSymbols: Bool, longKeys: ExtensionDirectory.Section?,
    of file: RawSpan
  ) throws(FuseError) {
    let section = file.extracting(range)
    guard section.byteCount >= Field.byteCount else {
      throw .corrupted("the section KEYS is too short for its head", at: range.lowerBound)
    }
    guard
      Checksum.of(section.extracting(first: Field.checksum)) == section.loadInside(at: Field.checksum, as: UInt32.self)
    else { throw .corrupted("the head of KEYS differs from its checksum", at: range.lowerBound) }
    let content = section.byteCount - Field.byteCount
    let blockCount = section.loadInside(at: Field.blockCount, as: UInt64.self)
    width = Int(section.loadInside(at: Field.width, as: UInt8.self))
    shift = UInt64(section.loadInside(at: Field.shift, as: UInt8.self))
    let coded = section.loadInside(at: Field.isCoded, as: UInt8.self)
    guard content % CompactForm.blockByteCount == 0, blockCount == UInt64(content / CompactForm.blockByteCount),
      1...8 ~= width, shift <= 4, coded <= 1
    else { throw .corrupted("the fields of the head of KEYS do not fit the section", at: range.lowerBound) }
    start = range.lowerBound + Field.byteCount
    count = Int(blockCount)
    isCoded = coded == 1
    self.longKeys = longKeys?.range ?? 0..<0
    guard hasSymbols || !isCoded else {
      throw .corrupted("keys are coded and the section SYMB is missing", at: range.lowerBound)
    }
    // SAFETY: see above.
    unsafe self.symbols = UnsafePointer(symbols.table)
  }

  /// Where a block begins.
  @inline(__always)
  func offset(ofBlock number: Int) -> Int { start &+ CompactForm.blockByteCount &* number }

  /// Whether a block is what was written: its CRC-32 covers its number.
  /// - Precondition: there is such a block.
  @inline(__always)
  func isSoundBlock(_ number: Int, in file: RawSpan) -> Bool {
    let offset = offset(ofBlock: number)
    let block = file.extracting(offset..<offset &+ CompactForm.blockByteCount)
    // SAFETY: the span has the 256 bytes of a block; a place has at most 32 bits for its number.
    let checksum = unsafe block.withUnsafeBytes {
      unsafe fuse_crc32_block(UInt32(truncatingIfNeeded: number), $0.baseAddress!)
    }
    return block.loadInside(at: 0, as: UInt32.self) == checksum
  }

  /// Where a block stands, after its CRC-32 was compared.
  /// - Precondition: there is such a block.
  @inline(__always)
  func checkedBlock(_ number: Int, in file: RawSpan) throws(FuseError) -> Int {
    guard isSoundBlock(number, in: file) else { throw differs(number) }
    return offset(ofBlock: number)
  }

  @inline(never)
  func differs(_ number: Int) -> FuseError {
    .corrupted("block \(number) of the keys differs from its checksum", at: offset(ofBlock: number))
  }

  /// The ordinal of a block's first key.
  func firstOrdinal(ofBlockAt offset: Int, in file: RawSpan) -> Int {
    Int(file.loadInside(at: offset &+ 4, as: UInt32.self))
  }

  /// How many keys a block has.
  func entryCount(ofBlockAt offset: Int, in file: RawSpan) -> Int {
    Int(file.loadInside(at: offset &+ 8, as: UInt8.self))
  }
}

/// An entry of a block: where what it says stands in the file.
struct CompactEntry {
  /// How many bytes the key begins with that the first key of the block begins with: at most 255.
  let shared: Int
  /// What follows, coded, or where the whole key stands.
  let start: Int
  let count: Int
  let isLong: Bool
  let reference: UInt64
  /// Where the next entry begins.
  var end: Int { start &+ count }

  /// How many bytes say where a long key stands: offset and length.
  static let longByteCount = 12

  /// Reads the entry at an offset of the file, in a block of it. Whoever uses it compares its end with the block's before.
  ///
  /// Each byte is read once. What is read beyond the block is the file's, which ends with a footer of more bytes than an entry's head.
  @inline(__always)
  init(reading offset: Int, width: Int, of file: RawSpan) {
    let word = file.loadInside(at: offset, as: UInt64.self)
    let (second, third) = (Int(word &>> 48 & 255), Int(word &>> 40 & 255))
    let common = Int(word &>> 60)
    let size = Int(word &>> 56 & 15)
    let (isFar, isWide) = (common == 15, size == 15)
    shared = isFar ? second : common
    let wideSize = isFar ? third : second
    let full = isWide ? wideSize : size
    isLong = full == CompactForm.longMark
    count = isLong ? Self.longByteCount : full
    start = offset &+ 1 &+ (isFar ? 1 : 0) &+ (isWide ? 1 : 0) &+ width
    // The eight bytes that end with the reference's: those before it are the block's own.
    reference = file.loadInside(at: start &- 8, as: UInt64.self) & ~0 &>> UInt64(truncatingIfNeeded: 64 &- 8 &* width)
  }

  /// Reads the entry at an offset of the file, in the block that begins at another.
  @inline(__always)
  init(at offset: Int, inBlockAt block: Int, width: Int, of file: RawSpan) throws(FuseError) {
    let end = block &+ CompactForm.blockByteCount
    guard offset < end else { throw Self.cutShort(offset) }
    self.init(reading: offset, width: width, of: file)
    guard self.end <= end else { throw Self.cutShort(offset) }
  }

  @inline(never)
  private static func cutShort(_ offset: Int) -> FuseError {
    .corrupted("an entry of a block of keys does not end in it", at: offset)
  }
}
