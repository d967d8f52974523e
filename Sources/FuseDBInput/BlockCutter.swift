package import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
package import FuseDBValues
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
    /// After a record of a JSON document, of which the path leads to an array of records.
    case element(FusePath?)
  }

  /// After the longest record, and before it: a byte order mark, a line end of two bytes, and a byte that shows that it
  /// goes on.
  private static let margin = 8
  /// The smallest block; a byte order mark fits.
  static let fewestBytes = 4
  static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
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
  /// For JSON: what stands around the records, the number of the next one, from 1, and the column of the next byte.
  private var document: JSONDocument?
  private var nextRecord = 1
  private var nextColumn = 1
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
    if case .element(let path) = boundary { document = JSONDocument(path) }
  }

  /// Where the record after the last block begins, for messages.
  var place: String {
    switch boundary {
    case .value: FuseInput.Format.msgpack.position(in: file.name, nextLine)
    case .element where document?.place == .records: "\(file.name):\(nextLine): record \(nextRecord)"
    default: FuseInput.Format.ndjson.position(in: file.name, nextLine)
    }
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
      if document != nil, try !passOver(&start, end, block) {
        if isAtEnd { return false }
        (start, end) = (0, 0)
        continue
      }
      if document != nil, start > 0 {
        // So that a record has all of the room.
        let left = Array(block.bytes[start..<end])
        block.bytes.replaceSubrange(0..<left.count, with: left)
        (start, end) = (0, left.count)
      }
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
    case .lineFeed: limit.tooLongLine.located(at: place)
    case .row: limit.tooLongRow.located(at: place)
    case .value: limit.tooLongValue.located(at: place)
    case .element: limit.tooLongElement.located(at: place)
    }
  }

  /// Passes over what stands before or after the records of a document from `start` on. Returns false where that is all.
  private mutating func passOver(_ start: inout Int, _ end: Int, _ block: InputBlock) throws(FuseError) -> Bool {
    let bytes = block.bytes
    let first = start
    do throws(JSONFlawSearch.Stop) {
      defer { count(bytes.rawSpan.extracting(first..<start)) }
      try document!.skip(bytes.rawSpan, &start, upTo: end)
      if document!.place == .records { return true }
      guard isAtEnd, let flaw = document!.flawAtEnd else { return false }
      throw .init(reason: "\(flaw); copy the input again if it is cut short")
    } catch {
      throw FuseError(.invalidValue, "\(error.reason)").located(at: place)
    }
  }

  /// Counts lines and columns of what is done with.
  private mutating func count(_ bytes: RawSpan) {
    nextOffset += bytes.byteCount
    let lineFeedCount = bytes.count(of: Self.lineFeed)
    nextLine += lineFeedCount
    nextColumn = bytes.columnAfter(nextColumn, lineFeedCount: lineFeedCount)
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
    case .element: return try cutElements(range, block)
    }
    guard let end = isAtEnd ? range.upperBound : found else { return false }
    block.range = range.lowerBound..<end
    block.offset = nextOffset
    nextOffset += block.range.count
    if case .value = boundary {} else { nextLine += bytes.extracting(block.range).count(of: Self.lineFeed) }
    try keep(end..<range.upperBound, of: array)
    return true
  }

  /// Keeps what was read after the last record that is whole.
  private mutating func keep(_ range: Range<Int>, of bytes: [UInt8]) throws(FuseError) {
    // What a long record left is not kept.
    rest.removeAll(keepingCapacity: rest.capacity <= 2 * range.count)
    try rest.reserve(range.count)
    rest.append(contentsOf: bytes[range])
  }

  /// Makes the whole records of a JSON document in `range` the block's. Returns false when there is no whole one.
  private mutating func cutElements(_ range: Range<Int>, _ block: InputBlock) throws(FuseError) -> Bool {
    let array = block.bytes
    let bytes = array.rawSpan
    let isList = document!.isList
    var (end, count, isClosed) = (range.lowerBound, 0, false)
    while end < range.upperBound, !isClosed {
      let found = JSONParser.elementEnd(bytes, end..<range.upperBound, isList: isList)
      switch found.stop {
      case .more:
        guard isAtEnd, !isList else { break }
        end = range.upperBound
        count += 1
        continue
      case .comma: end = found.offset + 1
      case .value: end = found.offset
      case .close:
        // A comma stands before the bracket where nothing does, for an empty array ends where it begins.
        guard bytes.extracting(end..<found.offset).hasText || count > 0 else {
          self.count(bytes.extracting(end..<found.offset))
          throw FuseError(.invalidValue, "a value is missing at column \(nextColumn), after the last ','; correct it")
            .located(at: place)
        }
        isClosed = bytes.extracting(end..<found.offset).hasText
        if isClosed { end = found.offset }
      }
      guard found.stop != .more, found.stop != .close || isClosed else { break }
      count += 1
    }
    if isClosed { document!.endRecords() }
    guard count > 0 else {
      block.range = 0..<0
      guard isAtEnd, isList, let flaw = document!.flawAtEnd else { return isAtEnd }
      self.count(bytes.extracting(range.lowerBound..<range.upperBound - bytes.extracting(range).textByteCount))
      throw FuseError(.invalidValue, "\(flaw); copy the input again if it is cut short").located(at: place)
    }
    block.range = range.lowerBound..<end
    block.isList = isList
    block.firstRecord = nextRecord
    block.firstLine = nextLine
    block.firstColumn = nextColumn
    block.offset = nextOffset
    nextRecord += count
    self.count(bytes.extracting(block.range))
    try keep(end..<range.upperBound, of: array)
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
