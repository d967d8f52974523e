internal import FuseDB
internal import FuseDBInput

/// `fusedb keys`: prints keys.
struct Keys: Command {
  static let name = "keys"
  static let summary = "print the keys in order"
  static let operands = "FILE"
  static let options: [Option] = [
    .value("--from", "KEY", "only KEY and the keys after it"),
    .value("--limit", "N", "stop after N keys"),
    .flag("--reverse", "from the largest key to the smallest"),
    .flag("--json", "print keys as JSON: a string, or {\"$bin\":\"hexadecimal digits\"} for one that is not UTF-8"),
    .flag("--null", short: "-0", "print keys as they are, with a zero byte after each and no line feed"),
  ]
  static let help = """
    Prints one key a line, in the order of their bytes. Backslashes, control
    characters and bytes that are not UTF-8 are printed as \\\\, \\t, \\n, \\r
    and \\xHH. The KEY of --from need not exist.

    Every form is a list for 'fusedb get --keys-from': this one as it is, the
    others with '--keys-format json' and with '-0'. The last one also suits
    'xargs -0'; keys that contain a zero byte are refused there.

    Example:
      $ fusedb keys networks.fsdb
      1.1.1.0/24
      8.8.4.0/24
      8.8.8.0/24
      $ fusedb keys networks.fsdb --from 8 --limit 1
      8.8.4.0/24
    """

  var path: String
  var from: [UInt8]?
  var limit: Int
  var direction: FuseReader.Direction
  var printsJSON: Bool
  var printsBytes: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    from = arguments.values(of: "--from").first
    limit = try arguments.count(of: "--limit") ?? .max
    direction = arguments.has("--reverse") ? .descending : .ascending
    printsJSON = arguments.has("--json")
    printsBytes = arguments.has("--null")
    guard !printsJSON || !printsBytes else {
      throw arguments.error("--json and --null are two forms of keys; give one of them")
    }
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path)
    var scan = try reader.entries(from: from, direction)
    var left = limit
    while left > 0, let entry = try scan.next() {
      left -= 1
      guard !printsBytes else {
        try printBytes(of: entry, console)
        continue
      }
      try console.out.line { writer throws(FuseError) in
        let key = try entry.keyBytes
        if printsJSON { writer.append(key: key) } else { EscapedText.append(key, to: &writer.out) }
        try reader.checkNotShrunk()
      }
    }
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
