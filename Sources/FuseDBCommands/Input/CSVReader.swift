internal import FuseDB

/// Reads rows of cells by RFC 4180, in place. See spec/json.md, "CSV and TSV".
final class CSVReader {
  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  private let buffer: InputBuffer
  private let separator: UInt8
  private let takesQuotes: Bool
  private let commentPrefix: [UInt8]

  /// Where the cells of the row stand in ``bytes``, quotes taken off.
  private(set) var cells: [Range<Int>] = []
  /// The line on which the row begins, from 1.
  private(set) var line = 1
  private var nextLine = 1
  /// The numbers of the cells with doubled quotes in them.
  private var doubledCells: [Int] = []

  /// - Parameters:
  ///   - separator: what stands between cells.
  ///   - takesQuotes: whether a cell may stand in quotes; otherwise a quote is like any character.
  ///   - commentPrefix: what the lines begin with that are passed over, whatever else they hold; empty when all are rows.
  init(_ buffer: InputBuffer, separator: UInt8, takesQuotes: Bool = true, commentPrefix: [UInt8] = []) {
    self.buffer = buffer
    self.separator = separator
    self.takesQuotes = takesQuotes
    self.commentPrefix = commentPrefix
  }

  /// The bytes that ``cells`` are in, with the JSON parser's padding behind them.
  var bytes: [UInt8] { buffer.bytes }

  /// Reads the next row that is neither an empty line nor a comment. Returns false after the last.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when a quoted cell does not end, or does not end where a cell does, and when a cell is not UTF-8;
  ///   ``line`` says where.
  func next() throws(FuseError) -> Bool {
    while true {
      line = nextLine
      while buffer.start == buffer.end {
        // More than once, where a byte order mark was all there was.
        guard try buffer.fill() else { return false }
      }
      // A row that does not end in the buffer is read again when there is more of it; the buffer doubles, so that this adds up to little.
      guard let row = try scan() else {
        _ = try buffer.fill()
        continue
      }
      nextLine += row.lineFeedCount
      buffer.use(upTo: row.end)
      if row.isPassedOver { continue }
      // Before bytes are moved: what a cell leaves behind itself then is no part of it.
      try checkText()
      for cell in doubledCells { cells[cell] = buffer.undouble(Self.quote, in: cells[cell]) }
      return true
    }
  }

  private struct Row {
    var end: Int
    var lineFeedCount: Int
    var isPassedOver: Bool
  }

  /// The comment at the buffer's start; nil when more bytes are needed to know where it ends.
  private func scanComment() -> Row? {
    let place = buffer.lineFeed(from: buffer.start)
    guard let end = place.map({ $0 + 1 }) ?? (buffer.isAtEnd ? buffer.end : nil) else { return nil }
    return Row(end: end, lineFeedCount: 1, isPassedOver: true)
  }

  /// Whether a comment begins at the buffer's start; nil when more bytes are needed to know. [T14]
  private func beginsComment() -> Bool? {
    guard !commentPrefix.isEmpty else { return false }
    let known = min(commentPrefix.count, buffer.end - buffer.start)
    guard buffer.bytes[buffer.start..<buffer.start + known].elementsEqual(commentPrefix[..<known]) else { return false }
    return known == commentPrefix.count ? true : buffer.isAtEnd ? false : nil
  }

  /// Finds the cells of the row at the buffer's start; nil when more bytes are needed to know.
  private func scan() throws(FuseError) -> Row? {
    guard let isComment = beginsComment() else { return nil }
    if isComment { return scanComment() }
    // Taken out for the while: every use of a class's property is a checked access.
    var cells: [Range<Int>] = []
    swap(&cells, &self.cells)
    defer { swap(&cells, &self.cells) }
    cells.removeAll(keepingCapacity: true)
    doubledCells.removeAll(keepingCapacity: true)
    let (separator, takesQuotes) = (separator, takesQuotes)
    let array = buffer.bytes
    let bytes = array.span
    let end = buffer.end
    let isLast = buffer.isAtEnd
    var place = buffer.start
    var lineFeedCount = 0
    while true {
      if takesQuotes, place < end, bytes[place] == Self.quote {
        place += 1
        let start = place
        while true {
          while place < end, bytes[place] != Self.quote {
            if bytes[place] == Self.lineFeed { lineFeedCount += 1 }
            place += 1
          }
          guard place < end else { return try unfinished(isLast) }
          guard place + 1 < end, bytes[place + 1] == Self.quote else { break }
          if doubledCells.last != cells.count { doubledCells.append(cells.count) }
          place += 2
        }
        cells.append(start..<place)
        place += 1
        // A carriage return needs the byte behind it, and a quote the byte behind it to be the last one.
        if place + 1 >= end, !isLast { return nil }
        if place == end { return Row(end: end, lineFeedCount: lineFeedCount, isPassedOver: false) }
        if bytes[place] == Self.carriageReturn {
          if place + 1 == end { return Row(end: end, lineFeedCount: lineFeedCount, isPassedOver: false) }
          if bytes[place + 1] == Self.lineFeed { place += 1 }
        }
        guard bytes[place] == separator || bytes[place] == Self.lineFeed else { throw strayText(behind: cells.count) }
      } else {
        let start = place
        while place < end, bytes[place] != separator, bytes[place] != Self.lineFeed { place += 1 }
        guard place < end || isLast else { return nil }
        let endsRow = place == end || bytes[place] == Self.lineFeed
        let endsInReturn = endsRow && place > start && bytes[place - 1] == Self.carriageReturn
        cells.append(start..<(endsInReturn ? place - 1 : place))
        let isEmptyLine = endsRow && cells.count == 1 && cells[0].isEmpty
        if place == end { return Row(end: end, lineFeedCount: lineFeedCount, isPassedOver: isEmptyLine) }
        if isEmptyLine { return Row(end: place + 1, lineFeedCount: lineFeedCount + 1, isPassedOver: true) }
      }
      place += 1
      if bytes[place - 1] == Self.lineFeed {
        return Row(end: place, lineFeedCount: lineFeedCount + 1, isPassedOver: false)
      }
    }
  }

  /// Cells become text of JSON sooner or later, and that is UTF-8.
  private func checkText() throws(FuseError) {
    guard let first = cells.first, let last = cells.last else { return }
    let bytes = buffer.bytes
    // What stands between cells is ASCII, so all of the row may be looked at as one.
    guard !bytes.rawSpan.extracting(first.lowerBound..<last.upperBound).isUTF8 else { return }
    let number = cells.firstIndex { !bytes.rawSpan.extracting($0).isUTF8 } ?? 0
    throw FuseError(
      .invalidValue,
      "cell \(number + 1) is not UTF-8: \(quoted(bytes.rawSpan.extracting(cells[number]))); convert the input first")
  }

  private func unfinished(_ isLast: Bool) throws(FuseError) -> Row? {
    guard isLast else { return nil }
    throw FuseError(
      .invalidValue,
      """
      the row begins here, and a cell in quotes in it does not end; close the quote, or read quotes as they are with --no-quotes
      """)
  }

  private func strayText(behind cell: Int) -> FuseError {
    FuseError(
      .invalidValue,
      """
      in the row that begins here, text follows the closing quote of cell \(cell); write a quote inside of a cell as two, \
      or read quotes as they are with --no-quotes
      """)
  }
}
