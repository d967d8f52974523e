internal import FuseDB

/// `fusedb prefix`: prints the keys that begin alike, with their objects.
struct Prefix: Command {
  static let name = "prefix"
  static let summary = "print the keys that begin with a prefix, with their values"
  static let operands = "FILE PREFIX"
  private static let formats: [RowFormat] = [.text, .ndjson, .csv, .tsv, .msgpack]
  static let options: [Option] =
    Selection.options + [
      ValueField.option, RowFormat.option(formats),
      .flag("--json", "the same as --format ndjson: {\"key\":...,\"value\":...} for every key, or {\"count\":N}"),
      Listing.keyColumnOption,
    ]
  static let help = """
    Prints a line of key, tab and value for every key that begins with the bytes
    of PREFIX, in order. In a key, backslashes, control characters and bytes
    that are not UTF-8 are printed as \\\\, \\t, \\n, \\r and \\xHH. With --field,
    columns of fields stand in the place of the value, as 'fusedb get' prints
    them; a value that lacks one leaves its column empty.

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
      $ fusedb prefix networks.fsdb 8.8. --field org --limit 1
      8.8.4.0/24	Google LLC
    """

  var path: String
  var prefix: [UInt8]
  var listing: Listing

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    prefix = try arguments.operand("PREFIX")
    listing = try Listing(parsing: arguments, Self.formats, .value)
    listing.selection.prefix = prefix
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    try listing.print(try FuseReader.forCommand(path, before: [prefix]), in: Self.name, console)
  }
}
