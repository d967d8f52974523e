internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Reads records that are rows of cells under named columns. See spec/json.md, "Records" and "CSV and TSV".
final class TableReader {
  private let sink: RecordSink
  private let rows: CSVReader
  private let options: TableOptions
  // What is asked of each row and cell.
  private let goesOn: Bool
  private let hasNullWords: Bool
  private let lastColumnIsList: Bool
  /// The columns of the last block, and a copy of them.
  private var ownColumns: (shared: TableColumns, copy: TableColumns)?

  init(_ sink: RecordSink, options: TableOptions) {
    self.sink = sink
    self.options = options
    goesOn = sink.goesOn
    hasNullWords = !options.nullWords.isEmpty
    lastColumnIsList = options.lastColumnIsList
    rows = CSVReader(
      takesQuotes: options.takesQuotes, commentPrefix: options.commentPrefix, delimiter: options.delimiter,
      limit: sink.limit)
    rows.defersFlaws = goesOn
  }

  /// Reads all records of `block`.
  ///
  /// - Throws: ``FuseError``; the sink adds the position.
  func read(_ block: InputBlock) throws(FuseError) {
    guard let shared = block.columns else { preconditionFailure("rows need columns") }
    let columns = ownColumns.flatMap { $0.shared === shared ? $0.copy : nil } ?? shared.copy()
    ownColumns = (shared, columns)
    do throws(FuseError) {
      let mostCells = options.lastColumnIsList ? sink.limit.columnCount : columns.names.count
      try rows.takeRows(off: block, mostCells: mostCells) { bytes, cells, line throws(FuseError) in
        sink.line = line
        guard goesOn else {
          try add(bytes, cells, columns)
          return true
        }
        try sink.attempt { () throws(FuseError) in
          if let flaw = rows.flaw { throw flaw }
          try add(bytes, cells, columns)
        }
        return true
      }
    } catch {
      sink.line = rows.line
      throw error
    }
  }

  private func add(
    _ bytes: RawSpan, _ cells: Span<Range<Int>>, _ columns: TableColumns
  ) throws(FuseError) {
    if columns.mayRepeatNames, let first = headerCell(cells[0], bytes), first.count == columns.firstNameByteCount,
      try isHeader(bytes, cells, first, columns)
    {
      return
    }
    try checkCount(bytes, cells, columns)
    let packer = sink.packer
    let packedNames = columns.packedNames
    packer.packMap(count: columns.kept.count)
    for column in columns.kept {
      if column.type == .string, !isList(column, columns), let cell = cell(column.number, cells, of: bytes) {
        packer.pack(column.packedName, of: packedNames.rawSpan, thenString: cell, of: bytes)
        continue
      }
      packer.append(column.packedName, of: packedNames.rawSpan)
      if isList(column, columns) {
        try packList(bytes, cells, column, columns)
      } else if let cell = cell(column.number, cells, of: bytes) {
        try pack(cell, of: bytes, column, columns)
      } else {
        packer.packNull()
      }
    }
    try sink.addPacked()
    var hasKey = false
    for column in columns.keys where try addKeys(bytes, cells, column, columns) { hasKey = true }
    if let range = columns.range {
      hasKey = true
      let first = try rangeEnd(range.first, range.names.first, cells, of: bytes)
      let last = try rangeEnd(range.last, range.names.last, cells, of: bytes)
      try sink.addRange(from: bytes.extracting(first), to: bytes.extracting(last), range.names)
    }
    guard hasKey else { throw missingKey(bytes, cells, columns) }
  }

  /// That a row gives no key, and why.
  @inline(never)
  private func missingKey(_ bytes: RawSpan, _ cells: Span<Range<Int>>, _ columns: TableColumns) -> FuseError {
    // Not by closures: the release compiler crashes on those that capture spans.
    var words: Set<String> = []
    var nullCount = 0
    for column in columns.keys where column.number < cells.count {
      let cell = cells[column.number]
      guard isNull(cell, of: bytes) else { continue }
      nullCount += 1
      words.insert(quoted(bytes.extracting(cell)))
    }
    let holdsNull = "holds \(listed(words.sorted(), "or")), a word for null"
    let reason = words.isEmpty ? "is empty" : nullCount == columns.keys.count ? holdsNull : "is empty or \(holdsNull)"
    return FuseError(.invalidValue, "the row gives no key: the cell of \(columns.keyNames) \(reason)")
  }

  /// The cell with an end of a range.
  private func rangeEnd(
    _ number: Int, _ name: [UInt8], _ cells: Span<Range<Int>>, of bytes: RawSpan
  ) throws(FuseError) -> Range<Int> {
    if let cell = cell(number, cells, of: bytes) { return cell }
    throw number < cells.count
      ? AddressRange.nullEnd(name, bytes.extracting(cells[number])) : AddressRange.missingEnd(name)
  }

  /// A cell that is there and no word for null. [T8] [T17]
  @inline(__always)
  private func cell(_ number: Int, _ cells: Span<Range<Int>>, of bytes: RawSpan) -> Range<Int>? {
    guard number < cells.count else { return nil }
    let cell = cells[number]
    return !hasNullWords || !isNull(cell, of: bytes) ? cell : nil
  }

  private func isNull(_ cell: Range<Int>, of bytes: RawSpan) -> Bool {
    let text = bytes.extracting(cell)
    for word in options.nullWords where text.equals(word) { return true }
    return false
  }

  /// Adds the keys that a column gives. Returns whether it gives one.
  private func addKeys(
    _ bytes: RawSpan, _ cells: Span<Range<Int>>, _ column: TableColumns.Column, _ columns: TableColumns
  ) throws(FuseError) -> Bool {
    var hasKey = false
    var number = column.number
    let end = isList(column, columns) ? cells.count : number + 1
    while number < end {
      if let cell = cell(number, cells, of: bytes), !cell.isEmpty {
        hasKey = true
        try sink.addKey(bytes.extracting(cell))
      }
      number += 1
    }
    return hasKey
  }

  /// The first cell of what may be a row of names: each file that was joined may begin with a byte order mark.
  @inline(__always)
  private func headerCell(_ cell: Range<Int>, _ bytes: RawSpan) -> Range<Int>? {
    let mark = BlockCutter.byteOrderMark
    guard cell.count >= mark.count, bytes.loadInside(at: cell.lowerBound, as: UInt8.self) == mark[0],
      bytes.extracting(cell.lowerBound..<cell.lowerBound + mark.count).equals(mark)
    else { return cell }
    return cell.lowerBound + mark.count..<cell.upperBound
  }

  /// Whether a row repeats the names, and is passed over. [T18]
  ///
  /// - Parameter first: its first cell, without a byte order mark.
  private func isHeader(
    _ bytes: RawSpan, _ cells: Span<Range<Int>>, _ first: Range<Int>, _ columns: TableColumns
  ) throws(FuseError) -> Bool {
    guard cells.count == columns.names.count else { return false }
    for number in 0..<cells.count {
      let cell = number == 0 ? first : cells[number]
      guard bytes.extracting(cell).equals(columns.names[number]) else { return false }
    }
    guard options.skipsRepeatedHeaders else {
      throw FuseError(
        .invalidValue,
        """
        the row repeats the names of the columns, as where files were joined; remove it, or skip such rows with \
        \(sink.limit.names.skipHeaders)
        """)
    }
    return true
  }

  /// Throws where a row has too many or too few cells. [T4] [T17]
  private func checkCount(
    _ bytes: RawSpan, _ cells: Span<Range<Int>>, _ columns: TableColumns
  ) throws(FuseError) {
    guard cells.count != columns.names.count else { return }
    let most = options.lastColumnIsList ? sink.limit.columnCount : columns.names.count
    let least = options.padsRows ? 1 : columns.names.count - (options.lastColumnIsList ? 1 : 0)
    guard cells.count < least || cells.count > most else { return }
    if options.lastColumnIsList, cells.count > most { throw sink.limit.tooMany("cells", most) }
    let count = cells.count > most ? rows.cellCount : cells.count
    var advice = ""
    if count == 1 {
      let cell = bytes.extracting(cells[0]).array()
      advice = FuseInput.Format.otherSeparator(in: cell, than: columns.separator, sink.limit.names)
    }
    if advice.isEmpty, count < least { advice = "; if rows may lack their last cells, say \(sink.limit.names.padRows)" }
    throw FuseError(
      .invalidValue,
      """
      the row has \(Humans.count(count, "cell")) and there are \(Humans.count(columns.names.count, "column"))\(advice)
      """)
  }

  /// Whether a column holds the cells that are left.
  private func isList(_ column: TableColumns.Column, _ columns: TableColumns) -> Bool {
    lastColumnIsList && column.number == columns.names.count - 1
  }

  /// Packs the cells from a column on as an array. [T19]
  private func packList(
    _ bytes: RawSpan, _ cells: Span<Range<Int>>, _ column: TableColumns.Column, _ columns: TableColumns
  ) throws(FuseError) {
    let packer = sink.packer
    packer.packArray(count: max(0, cells.count - column.number))
    guard column.number < cells.count else { return }
    for number in column.number..<cells.count {
      if let cell = cell(number, cells, of: bytes) {
        try pack(cell, of: bytes, column, columns, depth: 2)
      } else {
        packer.packNull()
      }
    }
  }

  private func pack(
    _ cell: Range<Int>, of bytes: RawSpan, _ column: TableColumns.Column, _ columns: TableColumns, depth: Int = 1
  ) throws(FuseError) {
    let packer = sink.packer
    if column.type == .string { return packer.pack(string: cell, of: bytes) }
    if cell.isEmpty { return packer.packNull() }
    let text = bytes.extracting(cell)
    let name = { quoted(columns.names[column.number]) }
    guard column.type == .json else {
      guard column.type.pack(text, to: packer) else {
        throw FuseError(
          .invalidValue,
          """
          column \(name()): \(quoted(text)) is not \(column.type.rule); correct the cell, \
          or take the column as text without \(sink.limit.names.types)
          """)
      }
      return
    }
    do throws(FuseError) {
      try sink.parse(bytes, cell) { node throws(FuseError) in try packer.pack(node, depth: depth) }
    } catch {
      throw FuseError(error.code, "column \(name()): \(quoted(text)): \(error.message)")
    }
  }
}
