internal import FuseDB
internal import FuseDBInput

/// `fusedb get`: prints the objects of some keys.
struct Get: Command {
  static let name = "get"
  static let summary = "print the value of a key, or of several"
  static let operands = "FILE KEY..."
  private static let formats: [RowFormat] = [.text, .ndjson, .csv, .tsv, .msgpack]
  static let options: [Option] = [
    .value(
      "--match", "RULE", choices: ["exact", "network", "domain", "prefix", "email"],
      "which key answers: exact, network, domain, prefix or email (default: network for an address in a file of networks, exact for all else)"
    ),
    .value("--over", "BASE", "answer from BASE what FILE does not, or not as well; may be repeated", repeats: true),
    .flag("--with-key", "print the key that answers before its value, as one more column"),
    ValueField.option,
    .value("--keys-from", "LIST", "look up the keys in a file, one a line, or on standard input if LIST is '-'"),
    .value(
      "--keys-format", "text|json",
      "how keys are written in LIST: as by 'fusedb keys' or 'fusedb keys --json' (default: text)"),
    .flag("--null", short: "-0", "in LIST a zero byte follows each key, as from 'fusedb keys -0'"),
    .value("--default", "JSON", "print this value in the place of one that is absent"),
    RowFormat.option(formats),
    .flag("--json", "the same as --format ndjson: {\"key\":...,\"found\":true,\"value\":...} for every key"),
  ]
  static let help = """
    For one key, prints its value as JSON on one line. For several keys, and
    with --keys-from, prints a line of key, tab and value for each. Absent keys
    are named on standard error.

    In a file of networks, an address is answered by the longest block that
    holds it, and that block is printed before the value. --match network does
    the same in any file, with --with-key for the block. --match domain looks
    for the name, then for the names above it; --match email for the address,
    then for its domain; --match prefix for the longest key that begins KEY.
    A file built with --normalise domain answers names as --match domain does,
    and prints the key.

    With --over, FILE lies over BASE, and the first BASE over the next. The
    uppermost file that has a key answers; of an address the longest block in
    any of them does, of a name the key that covers it best, and of equal ones
    that of the upper file.

    PATH leads through maps by name and through lists by number, from 0; '\\.'
    is a dot in a name. A string at the end of PATH is printed as it is. A key
    whose object has no such field counts as absent.

    Several --field options print columns with tabs between them: first the key,
    unless there is only one, then the fields in the order given. The column of
    an absent field is empty, and the field is named on standard error. With
    --json, "fields" replaces "value" and holds the fields that exist, by their
    paths.

    --default prints a value of your own for a key or a field that is absent,
    such as null, 0 or '"none"'. Nothing is named on standard error then, and
    with --json, "found" is false for such a key.

    As csv and tsv, a row for each key that is there: the key, with --with-key
    or where the file decides the key that answers, and the fields, or else the
    value. As msgpack, the value of one key is printed as it is stored, and of
    several an array of keys and value each, which 'fusedb build --format
    msgpack' reads; of several fields a map.

    LIST is the output of 'fusedb keys'. In a key, \\\\ is a backslash, \\t a
    tab, \\n a line feed, \\r a carriage return and \\xHH any byte. With
    --keys-format json, each line is a key in JSON, or an object with the member
    "key", such as prefix, diff and get print with --json. With -0, keys are
    read as they are.

    Exit status: 1 when nothing answers a key, or a field is absent; 0 where
    --default answers.

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
      $ fusedb get networks.fsdb 8.8.8.8
      8.8.8.0/24\t{"asn":15169,"org":"Google LLC"}
      $ fusedb get networks.fsdb 8.8.8.8 --match network --field org
      Google LLC
      $ echo '{"keys":["8.8.8.8/32"],"value":{"org":"ours"}}' | fusedb build -o own.fsdb -q
      $ fusedb get --over networks.fsdb own.fsdb 8.8.8.8 8.8.8.9 --field org
      8.8.8.8\t8.8.8.8/32\tours
      8.8.8.9\t8.8.8.0/24\tGoogle LLC
      $ fusedb keys networks.fsdb --limit 1 | fusedb get networks.fsdb --keys-from - --field org
      1.1.1.0/24\tCloudflare, Inc.
    """

  var path: String
  /// The files that lie under it, the uppermost first.
  var bases: [String] = []
  var keys: [[UInt8]]
  /// A path, or `-`, with more keys.
  var list: String?
  var listFormat = KeyList.Format.text
  /// Nil where the file and the question decide.
  var matching: Matching?
  var printsMatch: Bool
  var fields: [ValueField] = []
  /// What answers where nothing else does, as MessagePack.
  var defaultValue: [UInt8]?
  var format: RowFormat
  var printsJSON: Bool { format == .ndjson }

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    bases = arguments.values(of: "--over").map { String(path: $0) }
    guard !bases.contains("") else { throw arguments.emptyPath("BASE") }
    list = arguments.values(of: "--keys-from").first.map { String(path: $0) }
    keys = arguments.remaining()
    guard !keys.isEmpty || list != nil else { throw arguments.error("KEY is missing") }
    guard list != "" else { throw arguments.emptyPath("LIST") }
    listFormat = try arguments.choice(of: "--keys-format", ["text": .text, "json": .json]) ?? .text
    if arguments.has("--null") {
      guard !arguments.has("--keys-format") else {
        throw arguments.error("--keys-format is for lines, and with --null there are none; give one of them")
      }
      listFormat = .null
    }
    guard list != nil || (listFormat == .text && !arguments.has("--keys-format")) else {
      throw arguments.error("--keys-format and --null say how LIST is written; give --keys-from LIST too")
    }
    format = try RowFormat(parsing: arguments, Self.formats)
    if let text = arguments.text(of: "--default") {
      do throws(FuseError) {
        defaultValue = try FuseJSON.messagePack(from: text)
      } catch {
        throw arguments.error(
          "--default takes JSON, such as null, 0 or '\"none\"', and not '\(text)': \(error.message)")
      }
    }
    matching = try arguments.choice(
      of: "--match",
      ["exact": .exact, "network": .network, "domain": .domain, "prefix": .prefix, "email": .email])
    printsMatch = arguments.has("--with-key")
    fields = try ValueField.all(parsing: arguments)
    guard format.isTable else { return }
    let columns = ["key"] + (printsMatch || matching == nil ? ["match"] : []) + (fields.isEmpty ? ["value"] : [])
    for field in fields where columns.contains(field.text) {
      throw arguments.error(
        "the field \(quoted(Array(field.text.utf8))) and a column of the table have the same name; leave out --format")
    }
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path, expecting: list == nil ? .few : .many, before: keys)
    var rule: KeyNormalisation?
    var unknownRule: FuseError?
    do throws(FuseError) { rule = try reader.normalisation } catch { unknownRule = error }
    var asking = Asking(self, reader, rule: rule)
    for base in bases {
      let reader = try FuseReader.forCommand(base, expecting: list == nil ? .few : .many)
      asking.under.append(Asking(self, reader, rule: try reader.normalisation))
    }
    let status = try answerAll(asking, console)
    // What is there is there. But a key that is not may only be written in another way than a rule that can't be read.
    if status == .no, let unknownRule { throw unknownRule }
    return status
  }

  private func answerAll(_ asking: Asking, _ console: Console) throws(FuseError) -> ExitStatus {
    var status = ExitStatus.done
    if asking.isTable { try printHead(asking, console) }
    // Before anything is printed: the list is there.
    let input = try list.map { list throws(FuseError) in
      let unpacks = listFormat != .null
      return list == Arguments.standardInput
        ? try InputFile(console.input, name: InputFile.standardInputName, isOwned: false, unpacks: unpacks)
        : try InputFile(path: list, unpacks: unpacks)
    }
    if try !answer(keys, asking, console) { status = .no }
    guard let input else { return status }
    var keys = KeyList(input, listFormat)
    if takesAddresses(asking) { return try answerAddresses(&keys, asking, console) ? status : .no }
    while true {
      let some = try keys.next()
      guard !some.isEmpty else { return status }
      if try !answer(some, asking, console) { status = .no }
    }
  }

  /// What all questions of a run have in common.
  struct Asking {
    let reader: FuseReader
    /// How questions are written before they are asked.
    let rule: KeyNormalisation?
    /// Whether there is one question alone, which need not be printed.
    let isSingle: Bool
    /// Whether the rows of a table say which key answers.
    let hasMatchColumn: Bool
    let isTable: Bool
    let cells: TableCells
    let hints = FieldHints()
    /// The same of the files under this one, the uppermost first.
    var under: [Asking] = []

    init(_ get: Get, _ reader: FuseReader, rule: KeyNormalisation?) {
      self.reader = reader
      self.rule = rule
      isTable = get.format.isTable
      isSingle = get.keys.count == 1 && get.list == nil && !isTable
      hasMatchColumn = get.printsMatch || get.matching == nil && (reader.hasNetworks || rule == .domain)
      cells = TableCells(separator: get.format.separator, path: reader.path)
    }
  }

  /// Questions as they are printed, and the keys to look for: the same, or what the file's rule makes of them.
  struct Questions {
    var texts: [[UInt8]] = []
    var keys: [[UInt8]] = []
  }

  /// Prints what answers each of `texts`; returns whether all were answered.
  func answer(_ texts: [[UInt8]], _ asking: Asking, _ console: Console) throws(FuseError) -> Bool {
    guard asking.under.isEmpty else { return try answerInLayers(texts, asking, console) }
    guard let rule = asking.rule else { return try answer(Questions(texts: texts, keys: texts), asking, console) }
    var areAllThere = true
    var questions = Questions()
    for text in texts {
      if let key = rule.apply(to: text.rawSpan) {
        questions.texts.append(text)
        questions.keys.append(key)
        continue
      }
      // No key of the file is like this. What was asked before is printed before.
      if try !answer(questions, asking, console) { areAllThere = false }
      questions = Questions()
      if try !answerAbsent(text, "no such key", asking, console) { areAllThere = false }
    }
    return try answer(questions, asking, console) && areAllThere
  }

  private func answer(_ questions: Questions, _ asking: Asking, _ console: Console) throws(FuseError) -> Bool {
    switch matching {
    case .none where asking.reader.hasNetworks, .network?:
      return try answerByNetwork(questions, asking, console)
    case .none where asking.rule == .domain, .domain?, .prefix?, .email?:
      return try answerByKey(questions, asking, console)
    case .none, .exact?:
      var areAllThere = true
      try asking.reader.withBytes(forKeys: questions.keys) { (number, object) throws(FuseError) in
        let text = questions.texts[number]
        guard let object else {
          if try !answerAbsent(text, "no such key", asking, console) { areAllThere = false }
          return
        }
        let key = questions.keys[number]
        let answer = Answer(object: object, key: key.rawSpan)
        if try !self.answer(text, answer, asking, console) { areAllThere = false }
      }
      return areAllThere
    }
  }
}
