internal import FuseDB

/// `fusedb prefix`: prints the keys that begin alike, with their objects.
struct Prefix: Command {
  static let name = "prefix"
  static let summary = "print the keys that begin with a prefix, with their values"
  static let operands = "FILE PREFIX"
  static let options: [Option] = [
    .value("--limit", "N", "stop after N keys"),
    .flag("--count", "print only how many keys there are"),
    .flag("--reverse", "from the largest key to the smallest"),
    .flag("--json", "print {\"key\":...,\"value\":...} for every key, or {\"count\":N}"),
  ]
  static let help = """
    Prints a line of key, tab and value for every key that begins with the bytes
    of PREFIX, in order. In a key, backslashes, control characters and bytes
    that are not UTF-8 are printed as \\\\, \\t, \\n, \\r and \\xHH.

    The keys alone make a list for 'fusedb get --keys-from': with --json take
    the output as it is and '--keys-format json', otherwise the first column
    ('cut -f 1').

    Exit status: 0, also when no key has the prefix.

    Example:
      $ fusedb prefix networks.fsdb 8.8.
      8.8.4.0/24	{"asn":15169,"org":"Google LLC"}
      8.8.8.0/24	{"asn":15169,"org":"Google LLC"}
      $ fusedb prefix networks.fsdb 8.8. --count
      2
    """

  var path: String
  var prefix: [UInt8]
  var limit: Int
  var isCount: Bool
  var direction: FuseReader.Direction
  var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    prefix = try arguments.operand("PREFIX")
    limit = try arguments.count(of: "--limit") ?? .max
    isCount = arguments.has("--count")
    direction = arguments.has("--reverse") ? .descending : .ascending
    printsJSON = arguments.has("--json")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path, before: [prefix])
    var scan = try reader.prefix(prefix, direction)
    guard !isCount else {
      let count = min(limit, scan.count)
      try console.out.line(printsJSON ? "{\"count\":\(count)}" : "\(count)")
      return .done
    }
    var left = limit
    while left > 0, let entry = try scan.next() {
      left -= 1
      try console.out.line { writer throws(FuseError) in
        if printsJSON {
          writer.append("{\"key\":")
          writer.append(key: try entry.keyBytes)
          writer.append(",\"value\":")
        } else {
          EscapedText.append(try entry.keyBytes, to: &writer.out)
          writer.append("\t")
        }
        try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in
          try writer.append(messagePack: entry.bytes)
        }
        if printsJSON { writer.append("}") }
      }
    }
    return .done
  }
}
