internal import FuseDB
internal import Glibc

/// `fusedb get`: prints the objects of some keys.
struct Get: Command {
  static let name = "get"
  static let summary = "print the value of a key, or of several"
  static let operands = "FILE KEY..."
  static let options: [Option] = [
    .value("--field", "PATH", "print only what stands at PATH: names and numbers with dots between them"),
    .value("--keys-from", "LIST", "ask for the keys in a file, one a line, or on standard input if LIST is '-'"),
    .flag("--json", "print {\"key\":...,\"found\":true,\"value\":...} for every key"),
  ]
  static let help = """
    For one key, prints its value as JSON on one line. For several, and with --keys-from, prints lines of key, tab
    and value. A key that is absent is named on standard error.

    PATH leads through maps by name and through lists by number from 0; '\\.' is a dot in a name. A string at its end
    is printed as it is. Where the object of a key has no such field, that counts as absent.

    Exit status: 0 when all keys are there, 1 when one is absent.

    Example:
      $ fusedb get networks.fsdb 8.8.8.0/24
      {"asn":15169,"org":"Google LLC"}
      $ fusedb get networks.fsdb 8.8.8.0/24 --field org
      Google LLC
      $ fusedb get networks.fsdb 8.8.8.0/24 10.0.0.0/8 --json
      {"key":"8.8.8.0/24","found":true,"value":{"asn":15169,"org":"Google LLC"}}
      {"key":"10.0.0.0/8","found":false}
    """

  /// How much of a list is read at once.
  private static let blockByteCount = 1 << 16

  var path: String
  var keys: [[UInt8]]
  /// A path, or `-`, with more keys.
  var list: String?
  var field: MessagePackPath?
  /// The same as it was given.
  var fieldText: String
  var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    list = arguments.text(of: "--keys-from")
    keys = arguments.remaining()
    guard !keys.isEmpty || list != nil else { throw arguments.error("KEY is missing") }
    guard list != "" else { throw arguments.emptyPath("LIST") }
    field = arguments.values(of: "--field").first.map { MessagePackPath($0) }
    fieldText = arguments.text(of: "--field") ?? ""
    printsJSON = arguments.has("--json")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path, expecting: list == nil ? .few : .many)
    let isSingle = keys.count == 1 && list == nil
    var status = ExitStatus.done
    // Before anything is printed: the list is there.
    let input = try list.map { list throws(FuseError) in
      list == Arguments.standardInput
        ? try InputFile(console.input, name: InputFile.standardInputName, isOwned: false) : try InputFile(path: list)
    }
    if try !answer(keys, reader, isSingle: isSingle, console) { status = .no }
    guard let input else { return status }
    // A key is bytes: neither a carriage return nor a byte order mark is taken off.
    var cutter = BlockCutter(input, .lineFeed, dropsByteOrderMark: false)
    let block = InputBlock(byteCount: Self.blockByteCount)
    while try cutter.next(block) {
      var lines = LineReader(block, keepsCarriageReturn: true)
      while true {
        let keys = lines.keys(of: block)
        guard !keys.isEmpty else { break }
        if try !answer(keys, reader, isSingle: false, console) { status = .no }
      }
    }
    return status
  }

  /// Prints what is found under each of `keys`; returns whether all are there.
  private func answer(
    _ keys: [[UInt8]], _ reader: FuseReader, isSingle: Bool, _ console: Console
  ) throws(FuseError) -> Bool {
    var areAllThere = true
    try reader.withBytes(ofEach: keys) { number, object throws(FuseError) in
      if try !answer(keys[number], object, reader, isSingle: isSingle, console) { areAllThere = false }
    }
    return areAllThere
  }

  /// Prints what is found under `key`; returns whether it is.
  private func answer(
    _ key: [UInt8], _ object: RawSpan?, _ reader: FuseReader, isSingle: Bool, _ console: Console
  ) throws(FuseError) -> Bool {
    guard let object else {
      try sayAbsent(key, "no such key", console)
      return false
    }
    var found: Range<Int>? = 0..<object.byteCount
    if let field { found = try reader.decoding(objectOf: key) { () throws(FuseError) in try field.range(in: object) } }
    guard let found else {
      // Zeros where the file was cut may lead past the field.
      try reader.checkNotShrunk()
      try sayAbsent(key, "no field \(fieldText) in the value of the key", console)
      return false
    }
    try console.out.line { writer throws(FuseError) in
      try reader.decoding(objectOf: key) { () throws(FuseError) in
        try append(object.extracting(found), of: key, isSingle: isSingle, to: &writer)
      }
      try reader.checkNotShrunk()
    }
    return true
  }

  private func append(
    _ value: RawSpan, of key: [UInt8], isSingle: Bool, to writer: inout JSONWriter
  ) throws(FuseError) {
    if printsJSON {
      writer.append("{\"key\":")
      writer.append(key: key.rawSpan)
      writer.append(",\"found\":true,\"value\":")
      try writer.append(messagePack: value)
      writer.append("}")
    } else {
      if !isSingle {
        EscapedText.append(key.rawSpan, to: &writer.out)
        writer.append("\t")
      }
      try append(value, isSingle: isSingle, to: &writer)
    }
  }

  private func append(_ value: RawSpan, isSingle: Bool, to writer: inout JSONWriter) throws(FuseError) {
    guard field != nil, case .string(let place) = try MessagePackKind(of: value) else {
      return try writer.append(messagePack: value)
    }
    let text = value.extracting(place)
    // Where lines are records, a string must not end its line.
    if isSingle { writer.append(text: text) } else { EscapedText.append(text, to: &writer.out) }
  }

  private func sayAbsent(_ key: [UInt8], _ message: String, _ console: Console) throws(FuseError) {
    if printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append("{\"key\":")
        writer.append(key: key.rawSpan)
        writer.append(",\"found\":false}")
      }
    } else {
      try? console.err.line { writer throws(FuseError) in
        writer.append("fusedb: \(path): \(message): ")
        EscapedText.append(key.rawSpan, to: &writer.out)
      }
    }
  }
}

extension LineReader {
  /// Enough keys for look-ups to wait for memory together, and few enough to keep.
  private static let mostKeys = 1024

  /// The next lines; none after the last.
  fileprivate mutating func keys(of block: InputBlock) -> [[UInt8]] {
    let bytes = block.bytes
    var keys: [[UInt8]] = []
    while keys.count < Self.mostKeys, let line = next(bytes.rawSpan) { keys.append(Array(bytes[line])) }
    return keys
  }
}
