internal import FuseDB
internal import FuseDBInput

/// `fusedb keys`: prints keys.
struct Keys: Command {
  static let name = "keys"
  static let summary = "print the keys in order, all or those that share a value"
  static let operands = "FILE"
  private static let formats: [RowFormat] = [.text, .ndjson, .csv, .tsv, .msgpack]
  static let options: [Option] =
    [
      Selection.prefixOption,
      .value("--like", "KEY", "only the keys that share the value of KEY, itself among them"),
    ] + Selection.options + [
      ValueField.option, RowFormat.option(formats),
      .flag(
        "--json",
        "the same as --format ndjson: a string, or {\"$bin\":\"hexadecimal digits\"} for one that is not UTF-8; or {\"count\":N}"
      ),
      Listing.keyColumnOption,
      .flag("--null", short: "-0", "print keys as they are, with a zero byte after each and no line feed"),
    ]
  static let help = """
    Prints one key a line, in the order of their bytes. Backslashes, control
    characters and bytes that are not UTF-8 are printed as \\\\, \\t, \\n, \\r
    and \\xHH. The KEYs of --from and --to need not exist.

    With --field, columns with the fields of its value stand after each key, as
    'fusedb get' prints them; a value that lacks one leaves its column empty.

    --sample draws keys as by lot, and prints them in order. With --where the
    whole file is read for it, otherwise only the keys that are drawn.

    Every form is a list for 'fusedb get --keys-from': this one as it is, the
    others with '--keys-format json' and with '-0'. The last one also suits
    'xargs -0'; keys that contain a zero byte are refused there.

    --like prints the keys that point at the same stored value as KEY. Equal
    values are stored once, unless the file was built with '--objects every'.
    The command looks at all keys for that, unless the file has a reverse index
    ('fusedb build --reverse-index', 'fusedb reindex --reverse-index').

    --where looks into the values. PATH is as for 'fusedb get --field', with
    '\\=' for a '=' in it. VALUE is compared with what 'get --field PATH' prints
    for one key: a string as it is, all else as JSON. So asn=15169 holds for the
    number 15169 and for the string "15169", but not for 15169.0. A value
    without the field is left out, even where VALUE is empty. A field that no
    value has is named on standard error.

    Exit status: 1 when there is no KEY for --like; 0 also when no key is
    printed.

    Example:
      $ fusedb keys networks.fsdb
      1.1.1.0/24
      8.8.4.0/24
      8.8.8.0/24
      $ fusedb keys networks.fsdb --from 8 --limit 1
      8.8.4.0/24
      $ fusedb keys networks.fsdb --like 8.8.8.0/24
      8.8.4.0/24
      8.8.8.0/24
      $ fusedb keys networks.fsdb --where asn=15169 --count
      2
    """

  var path: String
  /// The key whose object counts.
  var like: [UInt8]?
  var listing: Listing
  var printsBytes: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    like = arguments.values(of: "--like").first
    listing = try Listing(parsing: arguments, Self.formats, .nothing)
    if like != nil {
      for option in ["--prefix", "--from", "--to", "--where", "--sample"] where arguments.has(option) {
        throw arguments.error("--like asks for all keys of one value; leave out \(option)")
      }
    }
    printsBytes = arguments.has("--null")
    guard printsBytes else { return }
    for option in ["--json", "--format", "--field"] where arguments.has(option) {
      throw arguments.error("--null prints bare keys; leave out \(option)")
    }
    guard !listing.selection.isCount else { throw arguments.error("--count prints no keys; leave out --null") }
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path)
    guard let like else {
      guard printsBytes else { return try listing.print(reader, in: Self.name, console) }
      return try listing.forEach(of: reader, console) { entry throws(FuseError) in try printBytes(of: entry, console) }
    }
    let bar = ProgressBar(console.err, isQuiet: console.isQuiet)
    let selection = listing.selection
    guard var scan = try reader.keys(sharing: like, selection.direction) else {
      console.note("\(path): no such key", like.rawSpan)
      return .no
    }
    let printer = listing.printer(reader)
    if !selection.isCount, let flaw = try printer.begin(nil, bar, console) {
      return console.explain(UsageError(flaw, in: Self.name))
    }
    // Where both are one terminal, keys are not to stand behind the bar.
    let clearsBar = console.out.isTerminal
    var count = 0
    while count < selection.limit,
      let entry = try scan.next({ bar.show($0, "\(Humans.count(count, "key")) of that value") })
    {
      count += 1
      if clearsBar { bar.clear() }
      guard !selection.isCount else { continue }
      if printsBytes { try printBytes(of: entry, console) } else { try printer.print(entry, console) }
    }
    bar.clear()
    guard !selection.isCount else { return try listing.finish(count, console) }
    printer.finish(count, console)
    return .done
  }

  private func printBytes(of entry: Entry, _ console: Console) throws(FuseError) {
    let key = try entry.key
    guard !key.contains(0) else {
      throw FuseError(
        .invalidValue, "the key \(quoted(key)) holds a zero byte, and one would end it here; leave out --null",
        path: path)
    }
    try console.out.part { writer in writer.out += key + [0] }
  }
}
