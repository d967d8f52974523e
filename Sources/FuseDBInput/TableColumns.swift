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
  /// What stands between cells, where the format does not say.
  package var delimiter: FuseInput.Delimiter?
  /// Whether a row may lack cells at its end.
  package var padsRows = false
  /// The cells that are null.
  package var nullWords: [[UInt8]] = []
  /// Whether the last column holds all cells from there on.
  package var lastColumnIsList = false
  /// Whether rows that repeat the names are skipped.
  package var skipsRepeatedHeaders = false

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
  /// Whether a row gave the names, and may come again.
  let mayRepeatNames: Bool
  let firstNameByteCount: Int
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
  /// - Throws: ``FuseError`` with code `invalidValue` when two columns have the same name, and when a name of an option
  ///   is no column's.
  init(
    _ names: [[UInt8]], _ fields: inout FieldSelection, _ table: TableOptions, separator: UInt8,
    _ options: OptionNames
  ) throws(FuseError) {
    let types = table.types
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
      (options.kept, fields.kept.map { $0.name }), (options.dropped, fields.dropped.map { $0.name }),
      (options.types, Array(types.keys)),
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
    if table.lastColumnIsList, let range = fields.range, names.last == range.first || names.last == range.last {
      throw FuseError(
        .invalidValue,
        "the last column holds a list, and the end of a range is one address; let another column be the last")
    }
    // A single column is one of words, of which one may be its name.
    mayRepeatNames = table.skipsRepeatedHeaders || table.columns == nil && names.count > 1
    firstNameByteCount = names.first?.count ?? 0
    self.separator = separator
    self.names = names
    self.keys = keys
    range = fields.range.map { (numbers[$0.first]!, numbers[$0.last]!, $0) }
    self.kept = kept
    packedNames = packer.bytes.array() + [UInt8](repeating: 0, count: MessagePackPacker.padding)
    keyNames = fields.keyNames
  }

  private init(copying columns: TableColumns) {
    names = columns.names
    mayRepeatNames = columns.mayRepeatNames
    firstNameByteCount = columns.firstNameByteCount
    keys = columns.keys.map { $0 }
    range = columns.range
    kept = columns.kept.map { $0 }
    packedNames = columns.packedNames.map { $0 }
    separator = columns.separator
    keyNames = columns.keyNames
  }

  /// The same for one thread: where several count references to one array, for each row, they wait for each other.
  func copy() -> TableColumns { TableColumns(copying: self) }
}
