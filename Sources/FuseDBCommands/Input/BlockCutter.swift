internal import FuseDB

/// Reads an input and cuts it into blocks of whole records.
struct BlockCutter {
  /// Where a record may end.
  enum Boundary {
    /// At any line feed.
    case lineFeed
    /// At a line feed that is not in a cell in quotes.
    case row(separator: UInt8)
  }

  /// A line or row that is longer than the largest object and 64 thousand of the longest keys cannot be of use.
  private static let mostBytes = 1 << 33
  /// The smallest block; a byte order mark fits.
  static let fewestBytes = 4
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
  private static let lineFeed = UInt8(ascii: "\n")
  private static let quote = UInt8(ascii: "\"")

  private let file: InputFile
  private let boundary: Boundary
  private let dropsByteOrderMark: Bool
  private var isFresh = true
  private var isAtEnd = false
  /// The number of the line behind the last block, from 1.
  private(set) var nextLine = 1
  /// What was read behind the last record that is whole.
  private var rest: [UInt8] = []

  /// - Parameter dropsByteOrderMark: whether a byte order mark at the start says nothing.
  init(_ file: InputFile, _ boundary: Boundary, dropsByteOrderMark: Bool = true) {
    self.file = file
    self.boundary = boundary
    self.dropsByteOrderMark = dropsByteOrderMark
  }

  /// Fills `block` with the next records. Returns false when there are no more.
  ///
  /// - Throws: ``FuseError`` as ``InputFile/read(into:_:)`` does, and with code `limitExceeded` when a record has no end.
  mutating func next(_ block: InputBlock) throws(FuseError) -> Bool {
    while block.room < rest.count { block.grow() }
    block.bytes.replaceSubrange(0..<rest.count, with: rest)
    var start = 0
    var end = rest.count
    while true {
      if !isAtEnd {
        end += try file.read(into: &block.bytes, end..<block.room)
        isAtEnd = end < block.room
      }
      if isFresh, dropsByteOrderMark, block.bytes[0..<end].starts(with: Self.byteOrderMark) {
        start = Self.byteOrderMark.count
      }
      isFresh = false
      if cut(start..<end, block) { return !block.range.isEmpty }
      guard block.room < Self.mostBytes else {
        throw FuseError(.limitExceeded, "a line or row is longer than \(Self.mostBytes) bytes; is the format right?")
      }
      block.grow()
    }
  }

  /// Makes the whole records of `range` the block's, and keeps the rest. Returns false when there is no whole one.
  private mutating func cut(_ range: Range<Int>, _ block: InputBlock) -> Bool {
    let array = block.bytes
    let bytes = array.rawSpan
    let firstQuote: Int? =
      if case .row = boundary { bytes.firstIndex(of: Self.quote, in: range) } else { nil }
    guard let end = isAtEnd ? range.upperBound : lastEnd(in: range, of: bytes, firstQuote) else { return false }
    block.range = range.lowerBound..<end
    block.hasQuotes = firstQuote != nil
    block.firstLine = nextLine
    nextLine += bytes.extracting(block.range).count(of: Self.lineFeed)
    rest.removeAll(keepingCapacity: true)
    rest.append(contentsOf: array[end..<range.upperBound])
    return true
  }

  /// Behind the last record in `range` that is known to be whole.
  private func lastEnd(in range: Range<Int>, of bytes: RawSpan, _ firstQuote: Int?) -> Int? {
    guard case .row(let separator) = boundary, var quote = firstQuote else {
      return bytes.lastIndex(of: Self.lineFeed, in: range).map { $0 + 1 }
    }
    let each = Span<UInt8>(_bytes: bytes)
    var end: Int?
    // Behind the last cell in quotes, or where the range begins.
    var start = range.lowerBound
    while true {
      // A quote opens a cell only where a cell begins.
      let opens =
        quote == range.lowerBound || each[quote - 1] == separator || each[quote - 1] == Self.lineFeed
      if opens {
        if let place = bytes.lastIndex(of: Self.lineFeed, in: start..<quote) { end = place + 1 }
        guard let closing = closingQuote(behind: quote, in: range, of: bytes) else { return end }
        start = closing + 1
        quote = closing
      }
      guard let next = bytes.firstIndex(of: Self.quote, in: quote + 1..<range.upperBound) else { break }
      quote = next
    }
    return bytes.lastIndex(of: Self.lineFeed, in: start..<range.upperBound).map { $0 + 1 } ?? end
  }

  /// The next quote that is not doubled.
  private func closingQuote(behind opening: Int, in range: Range<Int>, of bytes: RawSpan) -> Int? {
    let each = Span<UInt8>(_bytes: bytes)
    var place = opening + 1
    while let quote = bytes.firstIndex(of: Self.quote, in: place..<range.upperBound) {
      guard quote + 1 < range.upperBound, each[quote + 1] == Self.quote else { return quote }
      place = quote + 2
    }
    return nil
  }
}
