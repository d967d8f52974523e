internal import FuseDB
internal import FuseDBInput

/// `fusedb dump`: prints all of a database.
struct Dump: Command {
  static let name = "dump"
  static let summary = "print all keys and values"
  static let operands = "FILE"
  static let options: [Option] = [
    .value("--format", "ndjson|csv|tsv", "the output's format (default: ndjson)"),
    .value("--key-column", "NAME", "the name of the column of keys in csv and tsv (default: key)"),
  ]
  static let help = """
    As ndjson, prints a line {"keys":[...],"value":...} for each object, in the
    order of the file. Nothing is lost: 'fusedb build' makes the same file from
    it. A file in insertion order needs --order insertion for that, and a file
    that keeps identical objects apart needs --objects every.

    As csv and tsv, prints a row for each key: the key, then a column for each
    top-level field that any object has. Keys and strings are printed as they
    are, null and missing fields as nothing, everything else as JSON. An object
    that is not a map with text keys goes into a column called value. What no
    spreadsheet can hold is refused: a key that is not UTF-8, or a zero byte.

    Example:
      $ fusedb dump networks.fsdb
      {"keys":["1.1.1.0/24"],"value":{"asn":13335,"org":"Cloudflare, Inc."}}
      {"keys":["8.8.4.0/24","8.8.8.0/24"],"value":{"asn":15169,"org":"Google LLC"}}
      $ fusedb dump networks.fsdb --format csv --key-column network
      network,asn,org
      1.1.1.0/24,13335,"Cloudflare, Inc."
      8.8.4.0/24,15169,Google LLC
      8.8.8.0/24,15169,Google LLC
      $ fusedb dump networks.fsdb | fusedb build -o copy.fsdb
      copy.fsdb: 3 keys -> 2 objects, 2.1 kB; sharing saved 31 bytes
        3 blocks of addresses: an address is answered by its block
    """

  var path: String
  var format: FuseInput.Format
  var keyColumn: String

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    format = try arguments.choice(of: "--format", ["ndjson": .ndjson, "csv": .csv, "tsv": .tsv]) ?? .ndjson
    guard format.isTable || !arguments.has("--key-column") else {
      throw arguments.error("--key-column is for --format csv and --format tsv")
    }
    keyColumn = arguments.text(of: "--key-column") ?? "key"
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path)
    guard !format.isTable else { return try runTable(reader, console) }
    var rest = try Self.keysByObject(reader)[...]
    var objects = reader.objects()
    while let object = try objects.next() {
      try console.out.line { writer throws(FuseError) in
        writer.append("{\"keys\":[")
        var isFirst = true
        while let key = rest.first, key.object == object.offset {
          if !isFirst { writer.append(",") }
          isFirst = false
          let entry = try reader.entry(atIndexOffset: Int(key.entry))
          writer.append(key: try entry.keyBytes)
          rest.removeFirst()
        }
        writer.append("],\"value\":")
        try reader.decoding(at: object.offset) { () throws(FuseError) in try writer.append(messagePack: object.bytes) }
        writer.append("}")
      }
      if let key = rest.first, key.object <= object.offset { throw astray(key.object) }
    }
    if let key = rest.first { throw astray(key.object) }
    return .done
  }

  /// A key of the file as two offsets, 16 bytes.
  private struct KeyOffsets {
    /// Where its object's record begins.
    var object: UInt64
    /// Where its index entry begins; entries are in the order of their keys.
    var entry: UInt64
  }

  /// All keys, in the order of their objects' offsets, and then of their own.
  private static func keysByObject(_ reader: FuseReader) throws(FuseError) -> [KeyOffsets] {
    var keys: [KeyOffsets] = []
    try keys.reserve(reader.keyCount)
    var scan = try reader.entries()
    while let entry = try scan.next() {
      keys.append(KeyOffsets(object: entry.objectOffset, entry: UInt64(entry.indexOffset)))
    }
    try keys.checkRoomForSorting()
    keys.sort { ($0.object, $0.entry) < ($1.object, $1.entry) }
    return keys
  }

  private func astray(_ offset: UInt64) -> FuseError {
    FuseError(
      .corrupted, "a key points here, where no object begins; 'fusedb verify' lists the damage", offset: offset,
      path: path)
  }
}

extension Dump {
  /// The column of values that are no map with text keys.
  private static let valueColumn = [UInt8]("value".utf8)

  func runTable(_ reader: FuseReader, _ console: Console) throws(FuseError) -> ExitStatus {
    let columns = try columns(of: reader)
    let keyName = [UInt8](keyColumn.utf8)
    guard columns.number(of: keyName.rawSpan, near: 0) == nil else {
      return console.explain(
        UsageError(
          """
          \(path): objects have a field \(quoted(keyName)), and the column of keys has that name too; \
          give it another with --key-column NAME
          """,
          in: Self.name))
    }
    try console.out.line { writer throws(FuseError) in
      appendCell(to: &writer) { $0.append(keyColumn) }
      for name in columns.names {
        writer.out.append(format.separator)
        appendCell(to: &writer) { $0.out.append(contentsOf: name) }
      }
      quoteEmptyLine(columns, keyName.isEmpty, &writer)
    }
    var row = TableRow(columnCount: columns.names.count)
    var scan = try reader.entries()
    while let entry = try scan.next() {
      try console.out.line { writer throws(FuseError) in
        let key = try entry.keyBytes
        let isEmpty = key.isEmpty
        try appendKey(key, to: &writer)
        try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in
          let object = try entry.bytes
          try row.read(object, columns)
          for (number, cell) in row.cells.enumerated() {
            writer.out.append(format.separator)
            guard let cell else { continue }
            let start = writer.out.count
            try append(object.extracting(cell), to: &writer)
            if writer.out[start...].contains(0) {
              throw noCell("its field \(quoted(columns.names[number])) holds", key)
            }
          }
        }
        quoteEmptyLine(columns, isEmpty, &writer)
      }
    }
    return .done
  }

  /// An empty line would be no row: where the key is the only cell, and empty, it is put in quotes.
  private func quoteEmptyLine(_ columns: ColumnNames, _ isEmpty: Bool, _ writer: inout JSONWriter) {
    if columns.names.isEmpty, isEmpty { writer.append("\"\"") }
  }

  /// The names of all fields, in the order in which they first come up.
  private func columns(of reader: FuseReader) throws(FuseError) -> ColumnNames {
    var columns = ColumnNames()
    var members = MessagePackMembers()
    var seen: Set<UInt64> = []
    var scan = try reader.entries()
    while let entry = try scan.next() {
      // A full set moves to memory of twice the size, and needs both for a while.
      if seen.count == seen.capacity { try MemoryRoom.check(3 * seen.capacity * MemoryLayout<UInt64>.stride) }
      guard seen.insert(entry.objectOffset).inserted else { continue }
      try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in
        let object = try entry.bytes
        guard try members.read(object) else { return columns.add(Self.valueColumn.rawSpan, near: 0) }
        for (index, name) in members.names.enumerated() { columns.add(object.extracting(name), near: index) }
      }
    }
    return columns
  }

  // MARK: Cells

  /// Appends a key's bytes as they are, because programs that read tables don't undo escapes.
  private func appendKey(_ key: RawSpan, to writer: inout JSONWriter) throws(FuseError) {
    guard key.isUTF8 else { throw noCell("it is", key, "not UTF-8") }
    guard !key.array().contains(0) else { throw noCell("it holds", key) }
    appendCell(to: &writer) { $0.append(text: key) }
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
      appendCell(to: &writer) { $0.append(text: value.extracting(text)) }
    default:
      let start = writer.out.count
      try writer.append(messagePack: value)
      quoteCell(from: start, in: &writer)
    }
  }

  private func appendCell(to writer: inout JSONWriter, _ body: (inout JSONWriter) -> Void) {
    let start = writer.out.count
    body(&writer)
    quoteCell(from: start, in: &writer)
  }

  /// Puts the bytes from `start` on into quotes, where a cell needs them.
  private func quoteCell(from start: Int, in writer: inout JSONWriter) {
    let separator = format.separator
    let needsQuotes = writer.out[start...].contains { byte in
      byte == separator || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
    // A byte order mark in front would be taken for that of the file.
    guard needsQuotes || writer.out[start...].starts(with: [0xEF, 0xBB, 0xBF]) else { return }
    let cell = Array(writer.out[start...])
    writer.out.removeSubrange(start...)
    writer.append("\"")
    for byte in cell {
      if byte == UInt8(ascii: "\"") { writer.append("\"") }
      writer.out.append(byte)
    }
    writer.append("\"")
  }

  /// The range of each column's value in an object; nil where the object has none.
  private struct TableRow {
    private(set) var cells: [Range<Int>?]
    private var members = MessagePackMembers()

    init(columnCount: Int) { cells = [Range<Int>?](repeating: nil, count: columnCount) }

    mutating func read(_ object: RawSpan, _ columns: ColumnNames) throws(FuseError) {
      for i in cells.indices { cells[i] = nil }
      guard try members.read(object) else {
        if let column = columns.number(of: Dump.valueColumn.rawSpan, near: 0) { cells[column] = 0..<object.byteCount }
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
}

/// Names of columns, and their numbers.
struct ColumnNames {
  private(set) var names: [[UInt8]] = []
  private var numbers: [[UInt8]: Int] = [:]

  /// The number of the column called `name`. It is found without hashing when it is `guess`.
  func number(of name: RawSpan, near guess: Int) -> Int? {
    if guess < names.count, name.equals(names[guess]) { return guess }
    return numbers[name.array()]
  }

  /// Adds a column, unless there is one of this name.
  mutating func add(_ name: RawSpan, near guess: Int) {
    guard number(of: name, near: guess) == nil else { return }
    let bytes = name.array()
    numbers[bytes] = names.count
    names.append(bytes)
  }
}
