internal import FuseDB

/// Writes the cells of a table.
struct TableCells {
  let separator: UInt8
  /// Of the file, for messages.
  let path: String

  /// Appends a key's bytes as they are, because programs that read tables don't undo escapes.
  func append(key: RawSpan, to writer: inout JSONWriter) throws(FuseError) {
    guard key.isUTF8 else { throw noCell("it is", key, "not UTF-8") }
    guard !key.array().contains(0) else { throw noCell("it holds", key) }
    append(to: &writer) { $0.append(text: key) }
  }

  /// Appends the cell of a field after a separator: nothing where there is no value.
  func append(
    _ value: RawSpan?, called name: [UInt8], of key: RawSpan, to writer: inout JSONWriter
  ) throws(FuseError) {
    writer.out.append(separator)
    guard let value else { return }
    let start = writer.out.count
    try append(value, to: &writer)
    if writer.out[start...].contains(0) { throw noCell("its field \(quoted(name)) holds", key) }
  }

  private func noCell(_ reason: String, _ key: RawSpan, _ what: String = "a zero byte") -> FuseError {
    FuseError(
      .refused,
      """
      the key \(quoted(key)) has no row in a table: \(reason) \(what), which no spreadsheet can hold; \
      --format ndjson prints all
      """, path: path)
  }

  /// Appends a value: strings as they are, nil as nothing, all else as JSON.
  private func append(_ value: RawSpan, to writer: inout JSONWriter) throws(FuseError) {
    switch try MessagePackKind(of: value) {
    case .null: return
    case .string(let text) where value.extracting(text).isUTF8:
      append(to: &writer) { $0.append(text: value.extracting(text)) }
    default:
      let start = writer.out.count
      try writer.append(messagePack: value)
      quoteCell(from: start, in: &writer)
    }
  }

  func append(to writer: inout JSONWriter, _ body: (inout JSONWriter) -> Void) {
    let start = writer.out.count
    body(&writer)
    quoteCell(from: start, in: &writer)
  }

  /// Puts the bytes from `start` on into quotes, where a cell needs them.
  private func quoteCell(from start: Int, in writer: inout JSONWriter) {
    guard CellForm(separator: separator).needsQuotes(writer.out[start...]) else { return }
    CellForm.putIntoQuotes(&writer.out, from: start)
  }
}

/// Names of columns, and their numbers.
struct ColumnNames {
  /// The name of the column of values that are no map with text keys.
  private let value = [UInt8]("value".utf8)
  private(set) var names: [[UInt8]] = []
  private var numbers: [[UInt8]: Int] = [:]

  /// The number of the column called `name`. It is found without hashing when it is `guess`.
  func number(of name: RawSpan, near guess: Int) -> Int? {
    if guess < names.count, name.equals(names[guess]) { return guess }
    return numbers[name.array()]
  }

  /// The number of the column of values that are no map.
  var valueNumber: Int? { number(of: value.rawSpan, near: 0) }

  /// Adds that column, unless there is one.
  mutating func addValue() {
    let value = value
    add(value.rawSpan, near: 0)
  }

  /// Adds a column, unless there is one of this name.
  mutating func add(_ name: RawSpan, near guess: Int) {
    guard number(of: name, near: guess) == nil else { return }
    let bytes = name.array()
    numbers[bytes] = names.count
    names.append(bytes)
  }
}

/// The range of each column's value in an object; nil where the object has none.
struct TableRow {
  private(set) var cells: [Range<Int>?]
  private var members = MessagePackMembers()

  init(columnCount: Int) { cells = [Range<Int>?](repeating: nil, count: columnCount) }

  mutating func read(_ object: RawSpan, _ columns: ColumnNames) throws(FuseError) {
    for i in cells.indices { cells[i] = nil }
    guard try members.read(object) else {
      if let column = columns.valueNumber { cells[column] = 0..<object.byteCount }
      return
    }
    for (index, name) in members.names.enumerated() {
      // Of equal names the last counts.
      if let column = columns.number(of: object.extracting(name), near: index) {
        cells[column] = members.values[index]
      }
    }
  }
}
