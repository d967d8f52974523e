internal import FuseDB

/// Reads records that are rows of cells under named columns. See spec/json.md, "Records" and "CSV and TSV".
final class TableReader {
  /// How tables are read.
  struct Options {
    /// The columns' names, or nil when the first row has them.
    var columns: [[UInt8]]?
    /// What the cells of a column hold, where that is not text.
    var types: [[UInt8]: FieldType] = [:]
    /// Whether a cell may stand in quotes.
    var takesQuotes = true
    /// What the lines begin with that are passed over; empty when all lines are rows.
    var commentPrefix: [UInt8] = []
  }

  private struct Column {
    var number: Int
    var name: [UInt8]
    var type: FieldType
    /// The name as it stands in objects.
    var packedName: [UInt8]
  }

  private let sink: RecordSink
  private let options: Options
  /// Which fields hold keys and which ones stay.
  private(set) var fields: FieldSelection
  private var columnCount = 0
  private var keyColumns: [Column] = []
  /// The numbers of the columns with the ends of a range.
  private var rangeColumns: (first: Int, last: Int)?
  private var keptColumns: [Column] = []

  init(_ sink: RecordSink, fields: FieldSelection, options: Options) {
    self.sink = sink
    self.fields = fields
    self.options = options
  }

  /// Reads all records of `file`.
  ///
  /// - Throws: ``FuseError`` that names the input and the line.
  func read(_ file: InputFile, separator: UInt8) throws(FuseError) {
    sink.begin(file)
    let rows = CSVReader(
      InputBuffer(file), separator: separator, takesQuotes: options.takesQuotes, commentPrefix: options.commentPrefix)
    do throws(FuseError) {
      if let columns = options.columns {
        try name(columns)
      } else {
        guard try rows.next() else {
          throw FuseError(
            .invalidValue, "the row that names the columns is missing; write it, or name them with --columns A,B,C")
        }
        let bytes = rows.bytes
        try name(rows.cells.map { Array(bytes[$0]) })
      }
      while try rows.next() {
        sink.line = rows.line
        try add(rows.cells, of: rows.bytes)
      }
    } catch {
      sink.line = rows.line
      throw sink.located(error)
    }
  }

  // MARK: Columns

  private func name(_ names: [[UInt8]]) throws(FuseError) {
    let packer = sink.packer
    columnCount = names.count
    keyColumns = []
    keptColumns = []
    var numbers: [[UInt8]: Int] = [:]
    for (number, name) in names.enumerated() {
      if let first = numbers.updateValue(number, forKey: name) {
        throw FuseError(
          .invalidValue,
          "columns \(first + 1) and \(number + 1) are both called \(quoted(name)); give every column a name of its own")
      }
      packer.pack(string: name.rawSpan)
      let column = Column(
        number: number, name: name, type: options.types[name] ?? .string, packedName: packer.bytes.array())
      packer.clear()
      let role = fields.role(of: name.rawSpan)
      if role.isKey { keyColumns.append(column) }
      if role.isKept { keptColumns.append(column) }
    }
    for (option, wanted) in [
      ("--key", fields.keys.map { $0.name }), ("--range", fields.range.map { [$0.first, $0.last] } ?? []),
      ("--keep", fields.kept.map { $0.name }),
      ("--type", Array(options.types.keys)),
    ] {
      guard let missing = wanted.first(where: { numbers[$0] == nil }) else { continue }
      throw FuseError(
        .invalidValue,
        """
        there is no column \(quoted(missing)), which \(option) names; the columns are \
        \(listed(names.map { quoted($0) }, "and"))
        """)
    }
    rangeColumns = fields.range.map { (numbers[$0.first]!, numbers[$0.last]!) }
  }

  // MARK: Rows

  private func add(_ cells: [Range<Int>], of bytes: [UInt8]) throws(FuseError) {
    guard cells.count == columnCount else {
      throw FuseError(
        .invalidValue,
        "the row has \(Humans.count(cells.count, "cell")) and there are \(Humans.count(columnCount, "column"))")
    }
    let packer = sink.packer
    packer.packMap(count: keptColumns.count)
    for column in keptColumns {
      packer.append(column.packedName.rawSpan)
      try pack(cells[column.number], of: bytes, column, to: packer)
    }
    let object = try sink.addPacked()
    var hasKey = false
    for column in keyColumns where !cells[column.number].isEmpty {
      hasKey = true
      try sink.addKey(bytes.rawSpan.extracting(cells[column.number]), for: object)
    }
    if let rangeColumns, let names = fields.range {
      hasKey = true
      let first = bytes.rawSpan.extracting(cells[rangeColumns.first])
      let last = bytes.rawSpan.extracting(cells[rangeColumns.last])
      try sink.addRange(from: first, to: last, names, for: object)
    }
    guard hasKey else {
      throw FuseError(.invalidValue, "the row gives no key: the cell of \(fields.keyNames) is empty")
    }
  }

  private func pack(
    _ cell: Range<Int>, of bytes: [UInt8], _ column: Column, to packer: MessagePackPacker
  ) throws(FuseError) {
    guard !cell.isEmpty || column.type == .string else { return packer.packNull() }
    let text = bytes.rawSpan.extracting(cell)
    guard column.type == .json else {
      guard column.type.pack(text, to: packer) else { throw malformed(text, column) }
      return
    }
    do throws(FuseError) {
      try sink.parser.withNode(of: bytes, cell) { node throws(FuseError) in try packer.pack(node, depth: 1) }
    } catch {
      throw FuseError(.invalidValue, "column \(quoted(column.name)): \(quoted(text)): \(error.message)")
    }
  }

  private func malformed(_ text: RawSpan, _ column: Column) -> FuseError {
    FuseError(
      .invalidValue,
      """
      column \(quoted(column.name)): \(quoted(text)) is not \(column.type.rule); correct the cell, \
      or take the column as text without --type
      """)
  }
}
