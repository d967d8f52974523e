internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Finds the cells of rows by RFC 4180, in place. See spec/json.md, "CSV and TSV".
final class CSVReader {
  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  private let takesQuotes: Bool
  let commentPrefix: [UInt8]
  private let delimiter: FuseInput.Delimiter?
  let limit: RecordLimit
  /// The line on which the last row begins, from 1.
  var line = 1
  /// The cells of the last row, and others after them; kept, so that their memory is.
  private var cells: [Range<Int>] = []
  /// Of how many cells of a row it is kept where they are, but for one more.
  private var mostCells = Int.max
  /// How many cells the last row had that had more.
  var cellCount = 0
  /// Whether a row that is bad, but has a known end, is handed on, with ``flaw``. [S9]
  var defersFlaws = false
  var flaw: FuseError?
  /// The numbers of the cells with doubled quotes in them.
  private var doubledCells: [Int] = []

  /// - Parameters:
  ///   - takesQuotes: whether a cell may stand in quotes; otherwise a quote is like any character.
  ///   - delimiter: what stands between cells, where the format does not say.
  ///   - commentPrefix: what the lines begin with that are passed over, whatever else they hold; empty when all are rows.
  ///   - limit: how long a row may be.
  init(
    takesQuotes: Bool, commentPrefix: [UInt8], delimiter: FuseInput.Delimiter? = nil, limit: RecordLimit = .none
  ) {
    self.limit = limit
    self.delimiter = delimiter
    self.takesQuotes = takesQuotes
    self.commentPrefix = commentPrefix
  }

  /// Takes rows off `block` and calls `body` with each that is neither an empty line nor a comment, until there are no
  /// more or `body` returns false. It gets the block's bytes, where in them the cells stand, quotes taken off, and the
  /// number of the line on which the row begins.
  ///
  /// - Parameter mostCells: of a row with more cells, `body` gets one more than these; ``cellCount`` says how many
  ///   there are.
  /// - Throws: ``FuseError`` with code `invalidValue` when a quoted cell does not end, or does not end where a cell
  ///   does, and when a cell is not UTF-8, `limitExceeded` when a row is too long; ``line`` says where. And what `body`
  ///   throws.
  func takeRows(
    off block: InputBlock, mostCells: Int = .max - 1,
    _ body: (RawSpan, Span<Range<Int>>, Int) throws(FuseError) -> Bool
  ) throws(FuseError) {
    flaw = nil
    if delimiter == .whitespace { return try takeSpacedRows(off: block, mostCells: mostCells, body) }
    // Taken out for the while: every use of a class's property is a checked access.
    var bytes: [UInt8] = []
    var cells: [Range<Int>] = []
    swap(&bytes, &block.bytes)
    swap(&cells, &self.cells)
    defer {
      swap(&bytes, &block.bytes)
      swap(&cells, &self.cells)
    }
    self.mostCells = mostCells
    let limit = limit.byteCount
    let takesQuotes = takesQuotes && block.hasQuotes
    // What stands between cells is ASCII, so all rows may be looked at as one.
    let isUTF8 = bytes.rawSpan.extracting(block.range).isLongUTF8
    let separator = block.format.separator(delimiter)
    let end = block.range.upperBound
    var start = block.range.lowerBound
    var scan = SeparatorScan(bytes.rawSpan, block.range, separator: separator)
    line = block.firstLine
    var line = line
    var goesOn = true
    while goesOn, start < end {
      self.line = line
      let rowStart = start
      // [T14]
      if !commentPrefix.isEmpty, bytes[start..<end].starts(with: commentPrefix) {
        start = bytes.rawSpan.firstIndex(of: Self.lineFeed, in: start..<end).map { $0 + 1 } ?? end
        scan.skip(to: start, bytes.rawSpan)
        try checkLength(rowStart..<start, of: bytes.rawSpan)
        line += 1
        continue
      }
      var count = 0
      var lineFeedCount = 1
      var isEmptyLine = false
      var endsRow = false
      flaw = nil
      repeat {
        let cell: Range<Int>
        if takesQuotes, start < end, bytes[start] == Self.quote {
          cell = try quotedCell(count, at: start, bytes.rawSpan, end)
          lineFeedCount += bytes.rawSpan.extracting(cell).count(of: Self.lineFeed)
          do throws(FuseError) {
            (start, endsRow) = try next(after: count, at: cell.upperBound + 1, bytes.rawSpan, end, separator)
            scan.skip(to: start, bytes.rawSpan)
          } catch {
            guard defersFlaws else { throw error }
            flaw = flaw ?? error
            // The row ends where it would if what follows the quote were text of the cell.
            scan.skip(to: cell.upperBound + 1, bytes.rawSpan)
            let stop = scan.next(bytes.rawSpan)
            endsRow = stop == end || bytes[stop] == Self.lineFeed
            start = min(stop + 1, end)
          }
        } else {
          let stop = scan.next(bytes.rawSpan)
          endsRow = stop == end || bytes[stop] == Self.lineFeed
          let endsInReturn = endsRow && stop > start && bytes[stop - 1] == Self.carriageReturn
          cell = start..<(endsInReturn ? stop - 1 : stop)
          isEmptyLine = endsRow && count == 0 && cell.isEmpty
          start = min(stop + 1, end)
        }
        if count < cells.count { cells[count] = cell } else if count <= mostCells { cells.append(cell) }
        count += 1
      } while !endsRow
      if start - rowStart > limit { try checkLength(rowStart..<start, of: bytes.rawSpan) }
      if count > mostCells {
        cellCount = count
        count = mostCells + 1
      }
      if !isEmptyLine {
        // Before bytes are moved: the bytes that are left over after it are no part of the cell.
        if !isUTF8 { try checkText(cells[..<count], of: bytes.rawSpan) }
        if takesQuotes { undouble(&bytes, &cells) }
        goesOn = try body(bytes.rawSpan, cells.span.extracting(0..<count), line)
      }
      line += lineFeedCount
    }
    block.range = start..<end
    block.firstLine = line
  }

  /// Throws when the row or comment in `range` is too long, its line end not counted.
  private func checkLength(_ range: Range<Int>, of bytes: RawSpan) throws(FuseError) {
    let each = Span<UInt8>(_bytes: bytes)
    var end = range.upperBound
    if end > range.lowerBound, each[end - 1] == Self.lineFeed { end -= 1 }
    if end > range.lowerBound, each[end - 1] == Self.carriageReturn { end -= 1 }
    guard end - range.lowerBound <= limit.byteCount else { throw limit.tooLongRow }
  }

  /// The cell after the quote at `offset`, up to the one that closes it.
  private func quotedCell(_ number: Int, at offset: Int, _ bytes: RawSpan, _ end: Int) throws(FuseError) -> Range<Int> {
    var from = offset + 1
    while let quote = bytes.firstIndex(of: Self.quote, in: from..<end) {
      guard quote + 1 < end, Span<UInt8>(_bytes: bytes)[quote + 1] == Self.quote else { return offset + 1..<quote }
      if doubledCells.last != number, number <= mostCells { doubledCells.append(number) }
      from = quote + 2
    }
    throw FuseError(
      .invalidValue,
      """
      the row begins here, and a cell in quotes in it does not end; close the quote, or read quotes as they are with \(limit.names.noQuotes)
      """)
  }

  /// Where the cell after the one whose quote closed before `offset` begins, and whether it is one of the next row.
  private func next(
    after number: Int, at offset: Int, _ bytes: RawSpan, _ end: Int, _ separator: UInt8
  ) throws(FuseError) -> (start: Int, endsRow: Bool) {
    let each = Span<UInt8>(_bytes: bytes)
    var offset = offset
    if offset < end, each[offset] == Self.carriageReturn, offset + 1 == end || each[offset + 1] == Self.lineFeed {
      offset += 1
    }
    guard offset < end else { return (end, true) }
    guard each[offset] == separator || each[offset] == Self.lineFeed else {
      throw FuseError(
        .invalidValue,
        """
        in the row that begins here, text follows the closing quote of cell \(number + 1); write a quote inside of a cell as two, \
        or read quotes as they are with \(limit.names.noQuotes)
        """)
    }
    return (offset + 1, each[offset] == Self.lineFeed)
  }

  /// Makes each pair of quotes one, in place.
  private func undouble(_ bytes: inout [UInt8], _ cells: inout [Range<Int>]) {
    for number in doubledCells {
      let cell = cells[number]
      var to = cell.lowerBound
      var from = cell.lowerBound
      while from < cell.upperBound {
        bytes[to] = bytes[from]
        from += bytes[from] == Self.quote ? 2 : 1
        to += 1
      }
      cells[number] = cell.lowerBound..<to
    }
    doubledCells.removeAll(keepingCapacity: true)
  }

  /// Cells become text of JSON sooner or later, and that is UTF-8.
  func checkText(_ cells: ArraySlice<Range<Int>>, of bytes: RawSpan) throws(FuseError) {
    guard flaw == nil, let number = cells.firstIndex(where: { !bytes.extracting($0).isUTF8 }) else { return }
    let error = FuseError(
      .invalidValue,
      "cell \(number + 1) is not UTF-8: \(quoted(bytes.extracting(cells[number]))); convert the input first")
    guard defersFlaws else { throw error }
    flaw = error
  }
}

/// Finds separators and line feeds, one after the other.
package struct SeparatorScan {
  private let separator: UInt8
  private let end: Int
  /// Where the bytes are that ``matches`` is about.
  private var start: Int
  /// A bit for each offset that was not returned.
  private var matches: UInt64

  /// - Precondition: 64 bytes can be read after the range.
  package init(_ bytes: RawSpan, _ range: Range<Int>, separator: UInt8) {
    self.separator = separator
    end = range.upperBound
    start = range.lowerBound
    matches = 0
    match(bytes)
  }

  @inline(__always)
  private mutating func match(_ bytes: RawSpan) {
    matches = bytes.matches(of: separator, or: UInt8(ascii: "\n"), at: start)
    // What follows the end may be left from an earlier block.
    if start > end &- RawSpan.matchByteCount { matches &= (1 as UInt64) << UInt64(end &- start) &- 1 }
  }

  /// The next offset, or the end of the range.
  @inline(__always)
  package mutating func next(_ bytes: RawSpan) -> Int {
    while matches == 0 {
      start &+= RawSpan.matchByteCount
      guard start < end else {
        start = end
        return end
      }
      match(bytes)
    }
    let offset = start &+ matches.trailingZeroBitCount
    matches &= matches &- 1
    return offset
  }

  /// Goes on at `offset`.
  package mutating func skip(to offset: Int, _ bytes: RawSpan) {
    start = offset
    matches = 0
    if offset < end { match(bytes) }
  }
}
