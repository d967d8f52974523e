package import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Reads an input and cuts it into blocks of whole records.
package struct BlockCutter {
  /// Where a record may end.
  package enum Boundary {
    /// At any line feed.
    case lineFeed
    /// At a line feed that is not in a cell in quotes. Comments, with this prefix if it is not empty, have no cells.
    case row(separator: UInt8, commentPrefix: [UInt8])
    /// After a MessagePack value.
    case value
  }

  /// After the longest record, and before it: a byte order mark, a line end of two bytes, and a byte that shows that it
  /// goes on.
  private static let margin = 8
  /// The smallest block; a byte order mark fits.
  static let fewestBytes = 4
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")
  private static let quote = UInt8(ascii: "\"")

  private let file: InputFile
  private let boundary: Boundary
  private let dropsByteOrderMark: Bool
  private let endsLinesWithReturns: Bool
  private let limit: RecordLimit
  private let waitsForWholeBlocks: Bool
  private var isFresh = true
  private var isAtEnd = false
  /// Where in the unpacked input the next block begins.
  private var nextOffset = 0
  /// The number of the line or record after the last block, from 1.
  package private(set) var nextLine = 1
  /// What was read after the last record that is whole.
  private var rest: [UInt8] = []

  /// - Parameters:
  ///   - dropsByteOrderMark: whether a byte order mark at the start says nothing.
  ///   - endsLinesWithReturns: whether every carriage return is read as a line feed. [T15]
  ///   - limit: how long a record may be.
  ///   - waitsForWholeBlocks: whether blocks are filled; otherwise records are handed over as they come in.
  package init(
    _ file: InputFile, _ boundary: Boundary, dropsByteOrderMark: Bool = true, endsLinesWithReturns: Bool = false,
    limit: RecordLimit = .none, waitsForWholeBlocks: Bool = true
  ) {
    self.file = file
    self.boundary = boundary
    self.dropsByteOrderMark = dropsByteOrderMark
    self.endsLinesWithReturns = endsLinesWithReturns
    self.limit = limit
    self.waitsForWholeBlocks = waitsForWholeBlocks
  }

  /// Fills `block` with the next records. Returns false when there are no more.
  ///
  /// - Parameter mayGrow: called before the block becomes longer than it is; where it says no, there are no more.
  /// - Throws: ``FuseError`` as ``InputFile/read(into:_:)`` does, and with code `limitExceeded` when a record is too long.
  package mutating func next(_ block: InputBlock, mayGrow: () -> Bool = { true }) throws(FuseError) -> Bool {
    if block.room < rest.count {
      guard mayGrow() else { return false }
      try block.grow(to: rest.count)
    }
    block.bytes.replaceSubrange(0..<rest.count, with: rest)
    var start = 0
    var end = rest.count
    while true {
      if !isAtEnd {
        let start = end
        if waitsForWholeBlocks {
          end += try file.read(into: &block.bytes, end..<block.room)
          isAtEnd = end < block.room
        } else if end < block.room {
          let count = try file.readSome(into: &block.bytes, end..<block.room)
          end += count
          isAtEnd = count == 0
        }
        if endsLinesWithReturns {
          for i in start..<end where block.bytes[i] == Self.carriageReturn { block.bytes[i] = Self.lineFeed }
        }
      }
      if isFresh, dropsByteOrderMark, block.bytes[0..<end].starts(with: Self.byteOrderMark) {
        start = Self.byteOrderMark.count
      }
      isFresh = false
      if try cut(start..<end, block) { return !block.range.isEmpty }
      if !waitsForWholeBlocks, end < block.room { continue }
      // Without its line end, of which the block may have a part.
      guard end - start <= limit.byteCount + 2 else { throw tooLong() }
      guard mayGrow() else { return false }
      try block.grow(to: min(2 * block.room, limit.byteCount + Self.margin))
    }
  }

  /// The error of the record that begins after the last block.
  private func tooLong() -> FuseError {
    switch boundary {
    case .lineFeed: return limit.tooLongLine.located(at: FuseInput.Format.ndjson.position(in: file.name, nextLine))
    case .row: return limit.tooLongRow.located(at: FuseInput.Format.csv.position(in: file.name, nextLine))
    case .value: return limit.tooLongValue.located(at: FuseInput.Format.msgpack.position(in: file.name, nextLine))
    }
  }

  /// Makes the whole records of `range` the block's, and keeps the rest. Returns false when there is no whole one.
  private mutating func cut(_ range: Range<Int>, _ block: InputBlock) throws(FuseError) -> Bool {
    let array = block.bytes
    let bytes = array.rawSpan
    block.firstLine = nextLine
    block.hasQuotes = false
    var found: Int?
    switch boundary {
    case .lineFeed: found = bytes.lastIndex(of: Self.lineFeed, in: range).map { $0 + 1 }
    case .row(let separator, let commentPrefix):
      if let quote = bytes.firstIndex(of: Self.quote, in: range) {
        block.hasQuotes = true
        // All that is left is one block at the end.
        if !isAtEnd { found = lastEnd(in: range, of: bytes, quote, separator, commentPrefix) }
      } else {
        found = bytes.lastIndex(of: Self.lineFeed, in: range).map { $0 + 1 }
      }
    case .value: found = takeValues(in: range, of: bytes)
    }
    guard let end = isAtEnd ? range.upperBound : found else { return false }
    block.range = range.lowerBound..<end
    block.offset = nextOffset
    nextOffset += block.range.count
    if case .value = boundary {} else { nextLine += bytes.extracting(block.range).count(of: Self.lineFeed) }
    // What a long record left is not kept.
    rest.removeAll(keepingCapacity: rest.capacity <= 2 * (range.upperBound - end))
    try rest.reserve(range.upperBound - end)
    rest.append(contentsOf: array[end..<range.upperBound])
    return true
  }

  /// Counts the MessagePack values in `range`, and returns where the last whole one ends.
  private mutating func takeValues(in range: Range<Int>, of bytes: RawSpan) -> Int? {
    var offset = range.lowerBound
    while offset < range.upperBound {
      do throws(FuseError) {
        guard
          let byteCount = try MessagePackCursor.byteCountOfFirstValue(in: bytes.extracting(offset..<range.upperBound))
        else { break }
        offset += byteCount
        nextLine += 1
      } catch {
        // The reader of the block meets the same error, and reports where it is.
        return range.upperBound
      }
    }
    return offset > range.lowerBound ? offset : nil
  }

  /// After the last row in `range` that is known to be whole.
  private func lastEnd(
    in range: Range<Int>, of bytes: RawSpan, _ firstQuote: Int, _ separator: UInt8, _ commentPrefix: [UInt8]
  ) -> Int? {
    let each = Span<UInt8>(_bytes: bytes)
    var end: Int?
    // Where the row begins that was met last, and from where on nothing was looked at.
    var rowStart = range.lowerBound
    var start = range.lowerBound
    var next: Int? = firstQuote
    while let quote = next {
      if let lineFeed = bytes.lastIndex(of: Self.lineFeed, in: start..<quote) {
        rowStart = lineFeed + 1
        end = rowStart
      }
      if !commentPrefix.isEmpty, begins(rowStart..<range.upperBound, of: bytes, with: commentPrefix) {
        guard let lineFeed = bytes.firstIndex(of: Self.lineFeed, in: quote..<range.upperBound) else { return end }
        rowStart = lineFeed + 1
        end = rowStart
        start = rowStart
      } else if quote == range.lowerBound || each[quote - 1] == separator || each[quote - 1] == Self.lineFeed {
        // A quote opens a cell only where a cell begins.
        guard let closing = closingQuote(after: quote, in: range, of: bytes) else { return end }
        start = closing + 1
      } else {
        start = quote + 1
      }
      next = bytes.firstIndex(of: Self.quote, in: start..<range.upperBound)
    }
    return bytes.lastIndex(of: Self.lineFeed, in: start..<range.upperBound).map { $0 + 1 } ?? end
  }

  private func begins(_ range: Range<Int>, of bytes: RawSpan, with prefix: [UInt8]) -> Bool {
    range.count >= prefix.count
      && bytes.extracting(range.lowerBound..<range.lowerBound + prefix.count).equals(prefix)
  }

  /// The next quote that is not doubled.
  private func closingQuote(after opening: Int, in range: Range<Int>, of bytes: RawSpan) -> Int? {
    let each = Span<UInt8>(_bytes: bytes)
    var start = opening + 1
    while let quote = bytes.firstIndex(of: Self.quote, in: start..<range.upperBound) {
      guard quote + 1 < range.upperBound, each[quote + 1] == Self.quote else { return quote }
      start = quote + 2
    }
    return nil
  }
}
