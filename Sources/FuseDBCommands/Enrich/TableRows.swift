internal import FuseDB
internal import FuseDBInput

/// Goes through the rows of a block, in place: cells stay as they are, with their quotes.
struct TableRows {
  /// What is wrong with a row.
  enum Flaw {
    case textAfterQuote(cell: Int)
    case openQuote

    var reason: String {
      switch self {
      case .textAfterQuote(let cell):
        "text follows the closing quote of cell \(cell); write a quote inside of a cell as two, or read quotes as they are with --no-quotes"
      case .openQuote: "a cell in quotes does not end; close the quote, or read quotes as they are with --no-quotes"
      }
    }
  }

  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")

  private let table: EnrichPlan.Table
  private let takesQuotes: Bool
  private let blockEnd: Int
  private var scan: SeparatorScan
  private var nextNumber: Int

  /// Where the row begins, and where the next one does.
  private(set) var start: Int
  private(set) var next: Int
  /// Where its line end stands.
  private(set) var end = 0
  /// The number of the line on which it begins.
  private(set) var number = 0
  /// Where its cells stand; none for a comment or an empty line.
  private(set) var cells: [Range<Int>] = []
  private(set) var flaw: Flaw?

  /// - Parameter start: where the first row begins.
  init(_ block: InputBlock, _ bytes: RawSpan, from start: Int, _ table: EnrichPlan.Table) {
    self.table = table
    // A byte order mark is before a quote.
    takesQuotes = table.takesQuotes && block.hasQuotes
    self.start = start
    next = start
    nextNumber = block.firstLine
    blockEnd = block.range.upperBound
    scan = SeparatorScan(bytes, start..<block.range.upperBound, separator: table.separator)
  }

  /// The number of the line on which the next row begins.
  var nextLine: Int { nextNumber }

  /// Goes to the next row; false after the last.
  mutating func advance(_ bytes: RawSpan) -> Bool {
    guard next < blockEnd else { return false }
    start = next
    number = nextNumber
    nextNumber += 1
    flaw = nil
    cells.removeAll(keepingCapacity: true)
    if !table.commentPrefix.isEmpty,
      bytes.extracting(start..<blockEnd).array(table.commentPrefix.count) == table.commentPrefix
    {
      endAtLineFeed(from: start, bytes)
      return true
    }
    var offset = start
    while true {
      var stop: Int
      if takesQuotes, offset < blockEnd, Self.byte(bytes, offset) == Self.quote {
        guard let closing = closingQuote(after: offset, bytes) else {
          flaw = .openQuote
          endAtLineFeed(from: blockEnd, bytes)
          return true
        }
        nextNumber += bytes.extracting(offset..<closing).count(of: Self.lineFeed)
        stop = closing + 1
        let hasReturn = stop < blockEnd && Self.byte(bytes, stop) == UInt8(ascii: "\r")
        let isReturnLast = hasReturn && (stop + 1 == blockEnd || Self.byte(bytes, stop + 1) == Self.lineFeed)
        let afterReturn = isReturnLast ? stop + 1 : stop
        guard
          afterReturn == blockEnd || Self.byte(bytes, afterReturn) == Self.lineFeed
            || Self.byte(bytes, afterReturn) == table.separator
        else {
          flaw = .textAfterQuote(cell: cells.count + 1)
          endAtLineFeed(from: stop, bytes)
          return true
        }
        scan.skip(to: afterReturn, bytes)
        // To this separator or line end.
        _ = scan.next(bytes)
        cells.append(offset..<stop)
        stop = afterReturn
      } else {
        stop = scan.next(bytes)
        let isLast = stop == blockEnd || Self.byte(bytes, stop) == Self.lineFeed
        let hasReturn = isLast && stop > offset && Self.byte(bytes, stop - 1) == UInt8(ascii: "\r")
        cells.append(offset..<(hasReturn ? stop - 1 : stop))
      }
      if stop == blockEnd || Self.byte(bytes, stop) == Self.lineFeed {
        end = cells[cells.count - 1].upperBound
        next = min(stop + 1, blockEnd)
        // An empty line is no row.
        if cells.count == 1, end == start { cells.removeAll(keepingCapacity: true) }
        return true
      }
      offset = stop + 1
    }
  }

  private mutating func endAtLineFeed(from offset: Int, _ bytes: RawSpan) {
    let lineFeed = bytes.firstIndex(of: Self.lineFeed, in: offset..<blockEnd)
    end = lineFeed ?? blockEnd
    next = lineFeed.map { $0 + 1 } ?? blockEnd
    scan.skip(to: next, bytes)
  }

  private func closingQuote(after opening: Int, _ bytes: RawSpan) -> Int? {
    var from = opening + 1
    while let quote = bytes.firstIndex(of: Self.quote, in: from..<blockEnd) {
      guard quote + 1 < blockEnd, Self.byte(bytes, quote + 1) == Self.quote else { return quote }
      from = quote + 2
    }
    return nil
  }

  /// What a cell says.
  func text(_ cell: Range<Int>, _ bytes: RawSpan) -> [UInt8] {
    let cell = bytes.extracting(cell).array()
    guard takesQuotes, cell.first == Self.quote, cell.count >= 2 else { return cell }
    var text: [UInt8] = []
    var isDoubled = false
    for byte in cell[1..<cell.count - 1] {
      if byte == Self.quote, !isDoubled {
        isDoubled = true
        continue
      }
      isDoubled = false
      text.append(byte)
    }
    return text
  }

  @inline(__always)
  private static func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 { bytes.loadInside(at: offset, as: UInt8.self) }
}

extension RawSpan {
  /// The first `count` bytes, or as many as there are.
  fileprivate func array(_ count: Int) -> [UInt8] { extracting(first: Swift.min(count, byteCount)).array() }
}
