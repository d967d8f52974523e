internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// How tables are read.
package struct TableOptions: Sendable {
  /// The columns' names, or nil when the first row has them.
  package var columns: [[UInt8]]?
  /// What the cells of a column hold, where that is not text.
  package var types: [[UInt8]: FuseInput.FieldType]
  /// Whether a cell may stand in quotes.
  package var takesQuotes: Bool
  /// What the lines begin with that are passed over; empty when all lines are rows.
  package var commentPrefix: [UInt8]

  package init(
    columns: [[UInt8]]? = nil, types: [[UInt8]: FuseInput.FieldType] = [:], takesQuotes: Bool = true,
    commentPrefix: [UInt8] = []
  ) {
    self.columns = columns
    self.types = types
    self.takesQuotes = takesQuotes
    self.commentPrefix = commentPrefix
  }
}

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
  /// - Throws: ``FuseError``; the sink knows the place.
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

/// The columns of one input, as its rows are read by them.
final class TableColumns: Sendable {
  /// A column that is used.
  struct Column {
    let number: Int
    let type: FuseInput.FieldType
    /// Where ``packedNames`` has its name.
    let packedName: Range<Int>
  }

  let names: [[UInt8]]
  /// Those that hold keys.
  let keys: [Column]
  /// The numbers and names of those with the ends of a range.
  let range: (first: Int, last: Int, names: FieldSelection.Range)?
  /// Those that stay in the object.
  let kept: [Column]
  /// The names as they stand in objects, and what makes their copies quick after them.
  let packedNames: [UInt8]
  /// What stands between cells.
  let separator: UInt8
  /// The names of the fields that hold keys, as they stand in a sentence.
  let keyNames: String

  /// - Parameter fields: learns which of its fields there are.
  /// - Throws: ``FuseError`` with code `invalidValue` when two columns have the same name, and when a name of an option is no column's.
  init(
    _ names: [[UInt8]], _ fields: inout FieldSelection, types: [[UInt8]: FuseInput.FieldType], separator: UInt8,
    _ options: OptionNames
  ) throws(FuseError) {
    let packer = MessagePackPacker()
    var keys: [Column] = []
    var kept: [Column] = []
    var numbers: [[UInt8]: Int] = [:]
    for (number, name) in names.enumerated() {
      if let first = numbers.updateValue(number, forKey: name) {
        throw FuseError(
          .invalidValue,
          "columns \(first + 1) and \(number + 1) are both called \(quoted(name)); give every column a name of its own")
      }
      let start = packer.bytes.byteCount
      packer.pack(string: name.rawSpan)
      let column = Column(
        number: number, type: types[name] ?? .string, packedName: start..<packer.bytes.byteCount)
      let role = fields.role(of: name.rawSpan)
      if role.isKey { keys.append(column) }
      if role.isKept { kept.append(column) }
    }
    for (option, wanted) in [
      (options.keys, fields.keys.map { $0.name }), (options.range, fields.range.map { [$0.first, $0.last] } ?? []),
      (options.kept, fields.kept.map { $0.name }), (options.types, Array(types.keys)),
    ] {
      guard let missing = wanted.first(where: { numbers[$0] == nil }) else { continue }
      throw FuseError(
        .invalidValue,
        """
        there is no column \(quoted(missing)), which \(option) names; the columns are \
        \(FieldSelection.listedNames(names))\(FieldSelection.nearest(to: missing, among: names))\
        \(names.count == 1 ? FuseInput.Format.otherSeparator(in: names[0], than: separator, options) : "")
        """)
    }
    self.separator = separator
    self.names = names
    self.keys = keys
    range = fields.range.map { (numbers[$0.first]!, numbers[$0.last]!, $0) }
    self.kept = kept
    packedNames = packer.bytes.array() + [UInt8](repeating: 0, count: MessagePackPacker.padding)
    keyNames = fields.keyNames
  }
}
