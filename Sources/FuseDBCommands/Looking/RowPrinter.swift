internal import FuseDB
internal import FuseDBInput

/// Prints keys, each with what is asked of its value, as a row.
final class RowPrinter {
  /// What stands beside the key.
  enum Content {
    case nothing
    case value
    case fields
  }

  /// What a row of JSON is.
  enum Shape {
    /// The key, or `{"key":…,"value":…}`, or with several fields `{"key":…,"fields":{…}}`.
    case pair
    /// `{"keys":[…],"value":…}`, which 'fusedb build' reads; the value may be a map of fields.
    case record
  }

  private let reader: FuseReader
  private let format: RowFormat
  private let shape: Shape
  private let content: Content
  private let fields: [ValueField]
  private let keyColumn: String
  private let cells: TableCells
  private var columns = ColumnNames()
  private var row = TableRow(columnCount: 0)
  private let packer = MessagePackPacker()
  private let witness: FieldWitness

  init(
    _ reader: FuseReader, _ format: RowFormat, _ shape: Shape, _ content: Content, _ fields: [ValueField],
    keyColumn: String = "key"
  ) {
    self.reader = reader
    self.format = format
    self.shape = shape
    self.content = fields.isEmpty ? content : .fields
    self.fields = fields
    self.keyColumn = keyColumn
    cells = TableCells(separator: format.separator, path: reader.path)
    witness = FieldWitness(fields)
  }

  // MARK: The head of a table

  /// Prints the names of a table's columns; for anything else, nothing. `keys` are those that will be printed: their values
  /// say which columns there are, unless fields do.
  ///
  /// - Returns: what is wrong with the names, as a sentence; nil when all is well.
  func begin(_ keys: SelectedKeys?, _ bar: ProgressBar, _ console: Console) throws(FuseError) -> String? {
    guard format.isTable else { return nil }
    switch content {
    case .nothing: break
    case .value: if let keys { try addColumns(of: keys, bar) }
    case .fields: for (index, field) in fields.enumerated() { columns.add(field.text.keyBytes, near: index) }
    }
    let keyName = Array(keyColumn.utf8)
    guard columns.number(of: keyName.rawSpan, near: 0) == nil else {
      let owner = content == .fields ? "there is a field" : "objects have a field"
      return """
        \(reader.path): \(owner) \(quoted(keyName)), and the column of keys has that name too; \
        give it another with --key-column NAME
        """
    }
    row = TableRow(columnCount: columns.names.count)
    try console.out.line { writer throws(FuseError) in
      cells.append(to: &writer) { $0.append(keyColumn) }
      for name in columns.names {
        writer.out.append(format.separator)
        cells.append(to: &writer) { $0.out.append(contentsOf: name) }
      }
      quoteEmptyLine(keyColumn.isEmpty, &writer)
    }
    return nil
  }

  /// The names of all fields, in the order in which they first come up.
  private func addColumns(of keys: SelectedKeys, _ bar: ProgressBar) throws(FuseError) {
    var keys = keys
    var members = MessagePackMembers()
    var seen: Set<UInt64> = []
    while let entry = try keys.next(seen.count, bar) {
      // A full set moves to memory of twice the size, and needs both for a while.
      if seen.count == seen.capacity { try MemoryRoom.check(3 * seen.capacity * MemoryLayout<UInt64>.stride) }
      guard seen.insert(entry.objectOffset).inserted else { continue }
      try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in
        let object = try entry.bytes
        guard try members.read(object) else { return columns.addValue() }
        for (index, name) in members.names.enumerated() { columns.add(object.extracting(name), near: index) }
      }
    }
  }

  /// An empty line would be no row: where the key is the only cell, and empty, it is put in quotes.
  private func quoteEmptyLine(_ isEmpty: Bool, _ writer: inout JSONWriter) {
    if columns.names.isEmpty, isEmpty { writer.append("\"\"") }
  }

  // MARK: Rows

  /// Prints the row of a key.
  func print(_ entry: Entry, _ console: Console) throws(FuseError) {
    switch format {
    case .msgpack: try printMessagePack(entry, console)
    case .csv, .tsv: try console.out.line { writer throws(FuseError) in try appendCells(entry, &writer) }
    case .text: try console.out.line { writer throws(FuseError) in try appendText(entry, &writer) }
    case .ndjson: try console.out.line { writer throws(FuseError) in try appendJSON(entry, &writer) }
    }
  }

  /// Says which fields none of the values had.
  func finish(_ count: Int, _ console: Console) {
    if count > 0 { witness.finish(reader.path, console) }
  }

  private func withValue(of entry: Entry, _ body: (FuseView) throws(FuseError) -> Void) throws(FuseError) {
    try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in
      try body(try FuseView(validating: entry.bytes))
    }
  }

  private func appendText(_ entry: Entry, _ writer: inout JSONWriter) throws(FuseError) {
    EscapedText.append(try entry.keyBytes, to: &writer.out)
    switch content {
    case .nothing: try reader.checkNotShrunk()
    case .value:
      writer.append("\t")
      try appendValue(of: entry, &writer)
    case .fields:
      try withValue(of: entry) { value throws(FuseError) in
        for number in fields.indices {
          writer.append("\t")
          guard let found = witness.find(number, in: value) else { continue }
          // A string must not end its line or its column.
          if let text = found.stringBytes {
            EscapedText.append(text, to: &writer.out)
          } else {
            try writer.append(found)
          }
        }
      }
    }
  }

  private func appendValue(of entry: Entry, _ writer: inout JSONWriter) throws(FuseError) {
    try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in try writer.append(messagePack: entry.bytes) }
  }

  private func appendJSON(_ entry: Entry, _ writer: inout JSONWriter) throws(FuseError) {
    guard shape == .record || content != .nothing else {
      writer.append(key: try entry.keyBytes)
      return try reader.checkNotShrunk()
    }
    writer.append(shape == .record ? "{\"keys\":[" : "{\"key\":")
    writer.append(key: try entry.keyBytes)
    if shape == .record { writer.append("]") }
    switch content {
    case .nothing: break
    case .value:
      writer.append(",\"value\":")
      try appendValue(of: entry, &writer)
    case .fields where fields.count == 1 && shape == .pair:
      try withValue(of: entry) { value throws(FuseError) in
        guard let found = witness.find(0, in: value) else { return }
        writer.append(",\"value\":")
        try writer.append(found)
      }
    case .fields:
      writer.append(shape == .record ? ",\"value\":" : ",\"fields\":")
      try withValue(of: entry) { value throws(FuseError) in try witness.append(value, to: &writer) }
    }
    writer.append("}")
  }

  private func appendCells(_ entry: Entry, _ writer: inout JSONWriter) throws(FuseError) {
    let key = try entry.keyBytes
    let isEmpty = key.isEmpty
    try cells.append(key: key, to: &writer)
    switch content {
    case .nothing: try reader.checkNotShrunk()
    case .value:
      try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in
        let object = try entry.bytes
        try row.read(object, columns)
        for (name, cell) in zip(columns.names, row.cells) {
          if let cell {
            try cells.append(object.extracting(cell), called: name, of: key, to: &writer)
          } else {
            writer.out.append(format.separator)
          }
        }
      }
    case .fields:
      try withValue(of: entry) { value throws(FuseError) in
        for number in fields.indices {
          if let found = witness.find(number, in: value) {
            try cells.append(found.messagePack, called: columns.names[number], of: key, to: &writer)
          } else {
            writer.out.append(format.separator)
          }
        }
      }
    }
    quoteEmptyLine(isEmpty, &writer)
  }

  private func printMessagePack(_ entry: Entry, _ console: Console) throws(FuseError) {
    packer.clear(keepingAtMost: 1 << 20)
    if content == .nothing {
      packer.pack(key: try entry.keyBytes)
      try reader.checkNotShrunk()
    } else {
      packer.packRecordHead(try entry.keyBytes)
    }
    if content == .value {
      try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in packer.append(try entry.bytes) }
    } else if content == .fields {
      try withValue(of: entry) { value throws(FuseError) in
        packer.packMap(count: fields.indices.count { witness.find($0, in: value) != nil })
        for number in fields.indices {
          guard let found = value[path: fields[number].path] else { continue }
          packer.pack(text: fields[number].text)
          packer.append(found.messagePack)
        }
      }
    }
    let packed = packer
    try console.out.part { writer in writer.append(text: packed.bytes) }
  }
}
