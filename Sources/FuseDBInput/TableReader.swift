internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Reads records that are rows of cells under named columns. See spec/json.md, "Records" and "CSV and TSV".
final class TableReader {
  private let sink: RecordSink
  private let rows: CSVReader

  init(_ sink: RecordSink, options: TableOptions) {
    self.sink = sink
    rows = CSVReader(takesQuotes: options.takesQuotes, commentPrefix: options.commentPrefix, limit: sink.limit)
  }

  /// Reads all records of `block`.
  ///
  /// - Throws: ``FuseError``; the sink adds the position.
  func read(_ block: InputBlock) throws(FuseError) {
    guard let columns = block.columns else { preconditionFailure("rows need columns") }
    do throws(FuseError) {
      try rows.takeRows(off: block, mostCells: columns.names.count) { bytes, cells, line throws(FuseError) in
        try add(bytes, cells, columns, line: line)
        return true
      }
    } catch {
      sink.line = rows.line
      throw error
    }
  }

  private func add(
    _ bytes: RawSpan, _ cells: Span<Range<Int>>, _ columns: TableColumns, line: Int
  ) throws(FuseError) {
    guard cells.count == columns.names.count else {
      let count = cells.count > columns.names.count ? rows.cellCount : cells.count
      throw FuseError(
        .invalidValue,
        """
        the row has \(Humans.count(count, "cell")) and there are \(Humans.count(columns.names.count, "column"))\
        \(count == 1 ? FuseInput.Format.otherSeparator(in: bytes.extracting(cells[0]).array(), than: columns.separator, sink.limit.names) : "")
        """)
    }
    let packer = sink.packer
    let packedNames = columns.packedNames
    packer.packMap(count: columns.kept.count)
    for column in columns.kept {
      packer.append(column.packedName, of: packedNames.rawSpan)
      let cell = cells[column.number]
      if column.type == .string {
        packer.pack(string: cell, of: bytes)
      } else if cell.isEmpty {
        packer.packNull()
      } else {
        try pack(cell, of: bytes, column, columns)
      }
    }
    sink.line = line
    try sink.addPacked()
    var hasKey = false
    for column in columns.keys where !cells[column.number].isEmpty {
      hasKey = true
      try sink.addKey(bytes.extracting(cells[column.number]))
    }
    if let range = columns.range {
      hasKey = true
      try sink.addRange(
        from: bytes.extracting(cells[range.first]), to: bytes.extracting(cells[range.last]), range.names)
    }
    guard hasKey else {
      throw FuseError(.invalidValue, "the row gives no key: the cell of \(columns.keyNames) is empty")
    }
  }

  private func pack(
    _ cell: Range<Int>, of bytes: RawSpan, _ column: TableColumns.Column, _ columns: TableColumns
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
      try sink.parse(bytes, cell) { node throws(FuseError) in try packer.pack(node, depth: 1) }
    } catch {
      throw FuseError(error.code, "column \(name()): \(quoted(text)): \(error.message)")
    }
  }
}
