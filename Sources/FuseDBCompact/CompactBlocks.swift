internal import FuseDBFormat

/// The section `KEYS`: blocks of 256 bytes with the keys in their order; beside it the symbols of coded keys, and the keys that
/// are too long for a block.
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
  /// Where the symbols begin.
  let symbols: Int
  let symbolCount: Int
  let longKeys: Range<Int>

  /// Reads the head of the section, and compares the symbols' checksum.
  init(
    in range: Range<Int>, symbols: ExtensionDirectory.Section?, longKeys: ExtensionDirectory.Section?, of file: RawSpan
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
    guard isCoded else {
      (self.symbols, symbolCount) = (0, 0)
      return
    }
    guard let symbols else { throw .corrupted("keys are coded and the section SYMB is missing", at: range.lowerBound) }
    self.symbols = symbols.range.lowerBound
    symbolCount = symbols.range.count / Self.symbolByteCount
    guard symbols.range.count % Self.symbolByteCount == 0, symbolCount <= CompactForm.mostSymbols else {
      throw .corrupted("the section SYMB has no length that it can have", at: symbols.range.lowerBound)
    }
    guard Checksum.of(file.extracting(symbols.range)) == symbols.checksum else {
      throw .corrupted("the symbols differ from their checksum", at: symbols.range.lowerBound)
    }
    for at in stride(from: symbols.range.lowerBound, to: symbols.range.upperBound, by: Self.symbolByteCount) {
      guard 1...CompactForm.mostSymbolBytes ~= Int(file.loadInside(at: at, as: UInt8.self)) else {
        throw .corrupted("a symbol has no length that it can have", at: at)
      }
    }
  }

  /// Where a block begins.
  @inline(__always)
  func offset(ofBlock number: Int) -> Int { start &+ CompactForm.blockByteCount &* number }

  /// Where a block stands, after its CRC-32 was compared, which covers its number.
  /// - Precondition: there is such a block.
  @inline(__always)
  func checkedBlock(_ number: Int, in file: RawSpan) throws(FuseError) -> Int {
    let offset = offset(ofBlock: number)
    let content = file.extracting(offset &+ 4..<offset &+ CompactForm.blockByteCount)
    guard file.loadInside(at: offset, as: UInt32.self) == StrideRow.checksum(of: content, number: number) else {
      throw .corrupted("block \(number) of the keys differs from its checksum", at: offset)
    }
    return offset
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
  /// How many bytes the key begins with that the first key of the block begins with.
  let shared: Int
  /// What follows, coded, or where the whole key stands.
  let suffix: Range<Int>
  let isLong: Bool
  let reference: UInt64
  /// Where the next entry begins.
  var end: Int { suffix.upperBound }

  /// How many bytes say where a long key stands: offset and length.
  static let longByteCount = 12

  /// Reads the entry at an offset of the file, in the block that begins at another.
  @inline(__always)
  init(at offset: Int, inBlockAt block: Int, width: Int, of file: RawSpan) throws(FuseError) {
    let end = block &+ CompactForm.blockByteCount
    // A head of up to three bytes; those of an entry that is cut short are refused below.
    guard offset &+ 3 <= end else {
      // An entry of two bytes can be the last.
      guard offset &+ 2 == end, width == 1, file.loadInside(at: offset, as: UInt8.self) == 0 else {
        throw Self.cutShort(offset)
      }
      (shared, isLong, suffix) = (0, false, end..<end)
      reference = UInt64(file.loadInside(at: offset &+ 1, as: UInt8.self))
      return
    }
    let head = file.loadInside(at: offset, as: UInt8.self)
    var at = offset &+ 1
    var common = Int(head &>> 4)
    var size = Int(head & 15)
    if common == 15 {
      common = Int(file.loadInside(at: at, as: UInt8.self))
      at &+= 1
    }
    if size == 15 {
      size = Int(file.loadInside(at: at, as: UInt8.self))
      at &+= 1
    }
    at &+= width
    isLong = size == CompactForm.longMark
    if isLong { size = Self.longByteCount }
    guard at &+ size <= end else { throw Self.cutShort(offset) }
    shared = common
    // The eight bytes that end with the reference's: those before it are the block's own.
    reference = file.loadInside(at: at &- 8, as: UInt64.self) & ~0 &>> UInt64(64 &- 8 &* width)
    suffix = at..<at &+ size
  }

  @inline(never)
  private static func cutShort(_ offset: Int) -> FuseError {
    .corrupted("an entry of a block of keys does not end in it", at: offset)
  }
}
