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
      copy.fsdb: 3 keys -> 2 objects, 512 bytes; sharing saved 31 bytes
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

  /// A key of the file as two numbers, 16 bytes.
  private struct KeyPlace {
    /// Where its object's record begins.
    var object: UInt64
    /// Where its index entry begins: entries stand in the order of their keys.
    var entry: UInt64
  }

  /// All keys, by their object's place in the file and then by themselves.
  private static func keysByObject(_ reader: FuseReader) throws(FuseError) -> [KeyPlace] {
    var places: [KeyPlace] = []
    try places.reserve(reader.keyCount)
    var scan = try reader.entries()
    while let entry = try scan.next() {
      places.append(KeyPlace(object: entry.objectOffset, entry: UInt64(entry.indexOffset)))
    }
    try places.checkRoomForSorting()
    places.sort { ($0.object, $0.entry) < ($1.object, $1.entry) }
    return places
  }

  private func astray(_ offset: UInt64) -> FuseError {
    FuseError(
      .corrupted, "a key points here, where no object begins; 'fusedb verify' lists the damage", offset: offset,
      path: path)
  }
}
