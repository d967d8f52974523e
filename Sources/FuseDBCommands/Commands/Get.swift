internal import FuseDB
internal import Glibc

/// `fusedb get`: prints the objects of some keys.
struct Get: Command {
  static let name = "get"
  static let summary = "print the value of a key, or of several"
  static let operands = "FILE KEY..."
  static let options: [Option] = [
    .value(
      "--field", "PATH", "print only what stands at PATH: names and numbers with dots between them", repeats: true),
    .value("--keys-from", "LIST", "ask for the keys in a file, one a line, or on standard input if LIST is '-'"),
    .flag("--json", "print {\"key\":...,\"found\":true,\"value\":...} for every key"),
  ]
  static let help = """
    For one key, prints its value as JSON on one line. For several, and with --keys-from, prints lines of key, tab
    and value. A key that is absent is named on standard error.

    PATH leads through maps by name and through lists by number from 0; '\\.' is a dot in a name. A string at its end
    is printed as it is. Where the object of a key has no such field, that counts as absent.

    Several --field print columns with tabs between them: the key, unless there is only one, and the fields in the
    order in which they are given. A field that is absent leaves its column empty, so that those behind it keep their
    numbers, and is named on standard error. With --json, "fields" stands in place of "value": those that are there,
    under their paths.

    Exit status: 0 when all keys are there, and have all fields; 1 when one is absent.

    Example:
      $ fusedb get networks.fsdb 8.8.8.0/24
      {"asn":15169,"org":"Google LLC"}
      $ fusedb get networks.fsdb 8.8.8.0/24 --field org
      Google LLC
      $ fusedb get networks.fsdb 8.8.8.0/24 10.0.0.0/8 --json
      {"key":"8.8.8.0/24","found":true,"value":{"asn":15169,"org":"Google LLC"}}
      {"key":"10.0.0.0/8","found":false}
      $ fusedb get networks.fsdb 8.8.8.0/24 --field asn --field org
      15169\tGoogle LLC
    """

  /// How much of a list is read at once.
  private static let blockByteCount = 1 << 16

  var path: String
  var keys: [[UInt8]]
  /// A path, or `-`, with more keys.
  var list: String?
  var fields: [Field] = []
  var printsJSON: Bool

  /// What `--field` asks for.
  struct Field {
    /// As it was given.
    let text: String
    let path: FusePath
  }

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    list = arguments.text(of: "--keys-from")
    keys = arguments.remaining()
    guard !keys.isEmpty || list != nil else { throw arguments.error("KEY is missing") }
    guard list != "" else { throw arguments.emptyPath("LIST") }
    printsJSON = arguments.has("--json")
    for word in arguments.values(of: "--field") {
      let text = String(decoding: word, as: UTF8.self)
      // Members of JSON have each name once.
      guard !fields.contains(where: { $0.text == text }) else {
        throw arguments.error("the field \(quoted(word.rawSpan)) is given twice")
      }
      fields.append(Field(text: text, path: FusePath(word)))
    }
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
    try reader.withBytes(forKeys: keys) { (number, object) throws(FuseError) in
      if try !answer(keys[number], object, reader, isSingle: isSingle, console) { areAllThere = false }
    }
    return areAllThere
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
