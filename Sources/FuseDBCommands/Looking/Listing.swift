internal import FuseDB
internal import FuseDBInput

/// What `keys`, `prefix` and `dump` have in common: which keys are printed, and how.
struct Listing {
  var selection: Selection
  let fields: [ValueField]
  let format: RowFormat
  let content: RowPrinter.Content
  let shape: RowPrinter.Shape
  /// Whether a count is an object of JSON: where that was asked for by name.
  private let printsJSONCount: Bool
  /// The name of the column of keys in a table.
  private let keyColumn: String

  static let keyColumnOption = Option.value(
    "--key-column", "NAME", "the name of the column of keys in csv and tsv (default: key)")

  init(
    parsing arguments: borrowing Arguments, _ formats: [RowFormat], _ content: RowPrinter.Content,
    _ shape: RowPrinter.Shape = .pair
  ) throws(UsageError) {
    selection = try Selection(parsing: arguments)
    fields = try ValueField.all(parsing: arguments)
    format = try RowFormat(parsing: arguments, formats)
    self.content = content
    self.shape = shape
    guard format.isTable || !arguments.has(Self.keyColumnOption.name) else {
      throw arguments.error("--key-column is for --format csv and --format tsv")
    }
    keyColumn = arguments.text(of: Self.keyColumnOption.name) ?? "key"
    printsJSONCount = format == .ndjson && (arguments.has("--json") || arguments.has("--format"))
    guard selection.isCount else { return }
    guard fields.isEmpty else { throw arguments.error("--count prints no values; leave out --field") }
    guard !format.isTable, format != .msgpack else {
      throw arguments.error("--count prints a number, and a number is no \(format.rawValue); leave out --format")
    }
  }

  func printer(_ reader: FuseReader) -> RowPrinter {
    RowPrinter(reader, format, shape, content, fields, keyColumn: keyColumn)
  }

  /// Prints the selected keys of a file, or how many they are, for the command of that name.
  func print(_ reader: FuseReader, in command: String, _ console: Console) throws(FuseError) -> ExitStatus {
    let printer = printer(reader)
    var flaw: String?
    var count = 0
    let status = try forEach(of: reader, console) { keys, bar throws(FuseError) in
      flaw = try printer.begin(keys, bar, console)
      return flaw == nil
    } body: { entry throws(FuseError) in
      count += 1
      try printer.print(entry, console)
    }
    if let flaw { return console.explain(UsageError(flaw, in: command)) }
    printer.finish(count, console)
    return status
  }

  /// Calls `body` for each selected key, or prints how many they are.
  ///
  /// - Parameter begin: called before the first; where it returns false, there are none.
  func forEach(
    of reader: FuseReader, _ console: Console,
    begin: (SelectedKeys, ProgressBar) throws(FuseError) -> Bool = { _, _ in true },
    body: (Entry) throws(FuseError) -> Void
  ) throws(FuseError) -> ExitStatus {
    let bar = ProgressBar(console.err, isQuiet: console.isQuiet)
    // Where both are one terminal, keys are not to stand behind the bar.
    let clearsBar = console.out.isTerminal
    var keys = try SelectedKeys(selection, in: reader, bar)
    if selection.isCount, let count = keys.count {
      keys.finish(console)
      return try finish(count, console)
    }
    if !selection.isCount, try !begin(keys, bar) { return .usage }
    var count = 0
    while let entry = try keys.next(count, bar) {
      count += 1
      guard !selection.isCount else { continue }
      if clearsBar { bar.clear() }
      try body(entry)
    }
    bar.clear()
    keys.finish(console)
    return selection.isCount ? try finish(count, console) : .done
  }

  /// Prints how many keys there are.
  func finish(_ count: Int, _ console: Console) throws(FuseError) -> ExitStatus {
    try console.out.line(printsJSONCount ? "{\"count\":\(count)}" : "\(count)")
    return .done
  }
}
