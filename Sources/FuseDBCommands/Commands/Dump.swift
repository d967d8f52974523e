internal import FuseDB
internal import FuseDBInput

/// `fusedb dump`: prints all of a database.
struct Dump: Command {
  static let name = "dump"
  static let summary = "print all keys and values"
  static let operands = "FILE"
  private static let formats: [RowFormat] = [.ndjson, .csv, .tsv, .msgpack]
  static let options: [Option] =
    [Selection.prefixOption] + Selection.options + [
      ValueField.option, RowFormat.option(formats),
      .flag("--json", "the same as --format ndjson; with --count, {\"count\":N}"),
      Listing.keyColumnOption,
    ]
  static let help = """
    As ndjson, prints a line {"keys":[...],"value":...} for each object, in the
    order of the file. Nothing is lost: 'fusedb build' makes the same file from
    it. A file in insertion order needs --order insertion for that, and a file
    that keeps identical objects apart needs --objects every. As msgpack, each
    object is an array of its keys and its value, which 'fusedb build --format
    msgpack' reads.

    With an option that selects keys, or with --field, each key has a line or an
    array of its own, in the order of keys. 'fusedb build' makes of them the
    file that has these keys alone. With --field, the value is a map of the
    fields, under their paths.

    As csv and tsv, prints a row for each key: the key, then a column for each
    top-level field that any of these objects has, or one for each --field: then
    no object is read twice, and the first row comes at once. Keys and strings
    are printed as they are, null and missing fields as nothing, everything else
    as JSON. An object that is not a map with text keys goes into a column
    called value. What no spreadsheet can hold is refused: a key that is not
    UTF-8, or a zero byte.

    Example:
      $ fusedb dump networks.fsdb
      {"keys":["1.1.1.0/24"],"value":{"asn":13335,"org":"Cloudflare, Inc."}}
      {"keys":["8.8.4.0/24","8.8.8.0/24"],"value":{"asn":15169,"org":"Google LLC"}}
      $ fusedb dump networks.fsdb --format csv --key-column network
      network,asn,org
      1.1.1.0/24,13335,"Cloudflare, Inc."
      8.8.4.0/24,15169,Google LLC
      8.8.8.0/24,15169,Google LLC
      $ fusedb dump networks.fsdb --prefix 1. --field asn
      {"keys":["1.1.1.0/24"],"value":{"asn":13335}}
      $ fusedb dump networks.fsdb | fusedb build -o copy.fsdb
      copy.fsdb: 3 keys -> 2 objects, 2.1 kB; sharing saved 31 bytes
        3 blocks of addresses: an address is answered by its block
    """

  var path: String
  var listing: Listing

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    listing = try Listing(parsing: arguments, Self.formats, .value, .record)
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path)
    guard listing.selection.isEverything, listing.fields.isEmpty, !listing.format.isTable else {
      return try listing.print(reader, in: Self.name, console)
    }
    var rest = try Self.keysByObject(reader)[...]
    var objects = reader.objects()
    let packer = MessagePackPacker()
    while let object = try objects.next() {
      let keys = rest.prefix { $0.object == object.offset }
      rest = rest[keys.endIndex...]
      if listing.format == .msgpack {
        try printMessagePack(object, keys, reader, packer, console)
      } else {
        try printJSON(object, keys, reader, console)
      }
      if let key = rest.first, key.object <= object.offset { throw astray(key.object) }
    }
    if let key = rest.first { throw astray(key.object) }
    return .done
  }

  private func printJSON(
    _ object: StoredObject, _ keys: ArraySlice<KeyOffsets>, _ reader: FuseReader, _ console: Console
  ) throws(FuseError) {
    try console.out.line { writer throws(FuseError) in
      writer.append("{\"keys\":[")
      for (number, key) in zip(keys.indices, keys) {
        if number > keys.startIndex { writer.append(",") }
        let entry = try reader.entry(atPlace: key.entry)
        writer.append(key: try entry.keyBytes)
      }
      writer.append("],\"value\":")
      try reader.decoding(at: object.offset) { () throws(FuseError) in try writer.append(messagePack: object.bytes) }
      writer.append("}")
    }
  }

  private func printMessagePack(
    _ object: StoredObject, _ keys: ArraySlice<KeyOffsets>, _ reader: FuseReader, _ packer: MessagePackPacker,
    _ console: Console
  ) throws(FuseError) {
    packer.clear(keepingAtMost: 1 << 20)
    packer.packArray(count: 2)
    packer.packArray(count: keys.count)
    for key in keys {
      let entry = try reader.entry(atPlace: key.entry)
      packer.pack(key: try entry.keyBytes)
    }
    try reader.decoding(at: object.offset) { () throws(FuseError) in packer.append(try object.bytes) }
    try console.out.part { writer in writer.append(text: packer.bytes) }
  }

  /// A key of the file as two numbers, 16 bytes.
  private struct KeyOffsets {
    /// Where its object's record begins.
    var object: UInt64
    /// What leads to its entry; they are in the order of their keys.
    var entry: UInt64
  }

  /// All keys, in the order of their objects' offsets, and then of their own.
  private static func keysByObject(_ reader: FuseReader) throws(FuseError) -> [KeyOffsets] {
    var keys: [KeyOffsets] = []
    try keys.reserve(reader.keyCount)
    var scan = try reader.entries()
    while let entry = try scan.next() {
      keys.append(
        KeyOffsets(object: entry.objectOffset, entry: try reader.place(of: entry, numbered: keys.count)))
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
