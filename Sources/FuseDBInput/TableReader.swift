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

  init(_ sink: RecordSink, options: TableOptions) {
    self.sink = sink
    self.options = options
    rows = CSVReader(
      takesQuotes: options.takesQuotes, commentPrefix: options.commentPrefix, delimiter: options.delimiter,
      limit: sink.limit)
    rows.defersTextFlaws = sink.goesOn
  }

  /// Reads all records of `block`.
  ///
  /// - Throws: ``FuseError``; the sink adds the position.
  func read(_ block: InputBlock) throws(FuseError) {
    guard let columns = block.columns else { preconditionFailure("rows need columns") }
    do throws(FuseError) {
      let mostCells = options.lastColumnIsList ? sink.limit.columnCount : columns.names.count
      try rows.takeRows(off: block, mostCells: mostCells) { bytes, cells, line throws(FuseError) in
        sink.line = line
        try sink.attempt { () throws(FuseError) in
          if let flaw = rows.textFlaw { throw flaw }
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
    if columns.isNamedByRow, cells.count == columns.names.count, bytes.extracting(cells[0]).equals(columns.names[0]),
      try isHeader(bytes, cells, columns)
    {
      return
    }
    try checkCount(bytes, cells, columns)
    let packer = sink.packer
    let packedNames = columns.packedNames
    packer.packMap(count: columns.kept.count)
    for column in columns.kept {
      packer.append(column.packedName, of: packedNames.rawSpan)
      guard !isList(column, columns) else {
        try packList(bytes, cells, column, columns)
        continue
      }
      guard column.number < cells.count, !isNull(cells[column.number], of: bytes) else {
        packer.packNull()
        continue
      }
      let cell = cells[column.number]
      if column.type == .string {
        packer.pack(string: cell, of: bytes)
      } else if cell.isEmpty {
        packer.packNull()
      } else {
        try pack(cell, of: bytes, column, columns)
      }
    }
    try sink.addPacked()
    var hasKey = false
    for column in columns.keys where column.number < cells.count {
      let last = isList(column, columns) ? cells.count : column.number + 1
      for number in column.number..<last where !cells[number].isEmpty && !isNull(cells[number], of: bytes) {
        hasKey = true
        try sink.addKey(bytes.extracting(cells[number]))
      }
    }
    if let range = columns.range {
      hasKey = true
      for (number, name) in [(range.first, range.names.first), (range.last, range.names.last)] {
        guard number < cells.count, !isNull(cells[number], of: bytes) else { throw AddressRange.missingEnd(name) }
      }
      try sink.addRange(
        from: bytes.extracting(cells[range.first]), to: bytes.extracting(cells[range.last]), range.names)
    }
    guard hasKey else {
      throw FuseError(.invalidValue, "the row gives no key: the cell of \(columns.keyNames) is empty")
    }
  }

  /// Whether a row whose first cell is the first name repeats all, and is passed over. [T18]
  private func isHeader(
    _ bytes: RawSpan, _ cells: Span<Range<Int>>, _ columns: TableColumns
  ) throws(FuseError) -> Bool {
    for (number, name) in columns.names.enumerated() where !bytes.extracting(cells[number]).equals(name) {
      return false
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

  /// Whether a cell is a word for null. [T8]
  private func isNull(_ cell: Range<Int>, of bytes: RawSpan) -> Bool {
    guard !options.nullWords.isEmpty else { return false }
    for word in options.nullWords where bytes.extracting(cell).equals(word) { return true }
    return false
  }

  /// Whether a column holds the cells that are left.
  private func isList(_ column: TableColumns.Column, _ columns: TableColumns) -> Bool {
    options.lastColumnIsList && column.number == columns.names.count - 1
  }

  /// Packs the cells from a column on as an array. [T19]
  private func packList(
    _ bytes: RawSpan, _ cells: Span<Range<Int>>, _ column: TableColumns.Column, _ columns: TableColumns
  ) throws(FuseError) {
    let packer = sink.packer
    packer.packArray(count: max(0, cells.count - column.number))
    guard column.number < cells.count else { return }
    for number in column.number..<cells.count {
      let cell = cells[number]
      if isNull(cell, of: bytes) || column.type != .string && cell.isEmpty {
        packer.packNull()
      } else if column.type == .string {
        packer.pack(string: cell, of: bytes)
      } else {
        try pack(cell, of: bytes, column, columns, depth: 2)
      }
    }
  }

  private func pack(
    _ cell: Range<Int>, of bytes: RawSpan, _ column: TableColumns.Column, _ columns: TableColumns, depth: Int = 1
  ) throws(FuseError) {
    let packer = sink.packer
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
