internal import FuseDB
internal import FuseDBInput

/// `fusedb keys`: prints keys.
struct Keys: Command {
  static let name = "keys"
  static let summary = "print the keys in order, all or those that share a value"
  static let operands = "FILE"
  static let options: [Option] = [
    .value("--from", "KEY", "only KEY and the keys after it"),
    .value("--like", "KEY", "only the keys that share the value of KEY, itself among them"),
    .value(
      "--where", "PATH=VALUE",
      "only keys whose value has VALUE at PATH, as 'get --field PATH' prints it; may be repeated: all must hold",
      repeats: true),
    .value("--limit", "N", "stop after N keys"),
    .flag("--count", "print only how many keys there are"),
    .flag("--reverse", "from the largest key to the smallest"),
    .flag(
      "--json",
      "print keys as JSON: a string, or {\"$bin\":\"hexadecimal digits\"} for one that is not UTF-8; or {\"count\":N}"),
    .flag("--null", short: "-0", "print keys as they are, with a zero byte after each and no line feed"),
  ]
  static let help = """
    Prints one key a line, in the order of their bytes. Backslashes, control
    characters and bytes that are not UTF-8 are printed as \\\\, \\t, \\n, \\r
    and \\xHH. The KEY of --from need not exist.

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
    without the field is left out, even where VALUE is empty.

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
  var from: [UInt8]?
  /// The key whose object counts.
  var like: [UInt8]?
  var conditions: [FieldCondition] = []
  var limit: Int
  var isCount: Bool
  var direction: FuseReader.Direction
  var printsJSON: Bool
  var printsBytes: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    from = arguments.values(of: "--from").first
    like = arguments.values(of: "--like").first
    for word in arguments.values(of: "--where") {
      guard let condition = FieldCondition(word) else {
        throw arguments.error("--where takes PATH=VALUE, as in asn=15169, and \(quoted(word.rawSpan)) has no '='")
      }
      conditions.append(condition)
    }
    guard like == nil || from == nil && conditions.isEmpty else {
      throw arguments.error("--like asks for all keys of one value; leave out --from and --where")
    }
    limit = try arguments.count(of: "--limit") ?? .max
    isCount = arguments.has("--count")
    direction = arguments.has("--reverse") ? .descending : .ascending
    printsJSON = arguments.has("--json")
    printsBytes = arguments.has("--null")
    guard !printsJSON || !printsBytes else {
      throw arguments.error("--json and --null are two forms of keys; give one of them")
    }
    guard !isCount || !printsBytes else { throw arguments.error("--count prints no keys; leave out --null") }
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path)
    let bar = ProgressBar(console.err)
    // Where both are one terminal, keys are not to stand behind the bar.
    let clearsBar = console.out.isTerminal
    var count = 0
    if let like {
      guard var scan = try reader.keys(sharing: like, direction) else {
        try? console.err.line { writer throws(FuseError) in
          writer.append("fusedb: \(path): no such key: ")
          EscapedText.append(like.rawSpan, to: &writer.out)
        }
        return .no
      }
      while count < limit,
        let entry = try scan.next({ bar.show($0, "\(Humans.count(count, "key")) of that value") })
      {
        count += 1
        if clearsBar { bar.clear() }
        try tell(entry, console)
      }
    } else {
      var scan = try reader.entries(from: from, direction)
      let total = scan.count
      // Without conditions, how many there are is known.
      guard !isCount || !conditions.isEmpty else { return try finish(min(limit, total), console) }
      var filter = FieldFilter(conditions, reader)
      while count < limit, let entry = try scan.next() {
        if scan.count % Self.keysBetweenReports == 0, !conditions.isEmpty {
          bar.show(1 - Double(scan.count) / Double(total), "\(Humans.count(count, "key")) found")
        }
        guard try filter.holds(for: entry) else { continue }
        count += 1
        if clearsBar { bar.clear() }
        try tell(entry, console)
      }
    }
    bar.clear()
    return isCount ? try finish(count, console) : .done
  }

  private static let keysBetweenReports = 1 << 12

  private func finish(_ count: Int, _ console: Console) throws(FuseError) -> ExitStatus {
    try console.out.line(printsJSON ? "{\"count\":\(count)}" : "\(count)")
    return .done
  }

  private func tell(_ entry: Entry, _ console: Console) throws(FuseError) {
    guard !isCount else { return }
    guard !printsBytes else { return try printBytes(of: entry, console) }
    try console.out.line { writer throws(FuseError) in
      let key = try entry.keyBytes
      if printsJSON { writer.append(key: key) } else { EscapedText.append(key, to: &writer.out) }
      try entry.reader.checkNotShrunk()
    }
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
