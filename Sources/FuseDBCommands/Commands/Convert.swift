internal import FuseDB
internal import FuseDBInput

/// `fusedb convert`: writes a database in another form.
struct Convert: Command {
  static let name = "convert"
  static let summary = "write a file in the compact form, or back in the one that fusedb 0.3.0 reads"
  static let operands = "FILE OUTPUT"
  static let options: [Option] =
    [
      Arguments.compactOption,
      .flag("--family", "write version 2 of the format, which fusedb 0.3.0 and look-ups of most nanoseconds want"),
    ] + Arguments.replacementOptions + [
      Arguments.linkOption,
      Arguments.metadataOption,
      .flag("--json", "print the report as JSON on standard output"),
      Arguments.quietOption(),
    ]
  static let help = """
    Writes the keys and objects of FILE to OUTPUT in the form that is asked for:
    --compact for half of the bytes and less, and look-ups that take two to
    three times as long; --family for the form that every FuseDB reads, and the
    quickest look-ups. Both answer every question with the same bytes. What was
    converted to and fro is byte for byte the file that 'fusedb build' makes.

    FILE is verified first, as by 'fusedb verify', and OUTPUT appears in one
    step; it may be FILE. Metadata, blocks of addresses and key lengths are kept.
    A compact file has no reverse index: 'fusedb keys --like' reads all keys.

    Example:
      $ fusedb convert networks.fsdb small.fsdb --compact
      small.fsdb: 3 keys, 2.1 kB -> 2.0 kB
    """

  private var reindex: Reindex

  init(parsing arguments: inout Arguments) throws(UsageError) {
    let path = try arguments.path("FILE")
    let output = try arguments.path("OUTPUT")
    try arguments.requireFile(output, "OUTPUT")
    let form = try arguments.form()
    guard arguments.has("--family") != (form != nil) else {
      throw arguments.error("give one of --compact, --compact=fast and --family")
    }
    reindex = try Reindex(path, to: output, form ?? .family, arguments)
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus { try reindex.run(console) }
}
