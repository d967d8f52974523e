internal import FuseDB
internal import FuseDBInput

/// `fusedb reindex`: gives files a new extension block.
struct Reindex: Command {
  static let name = "reindex"
  static let summary = "add the index that makes a plain file open at once"
  static let operands = "[-o OUTPUT] FILE..."
  static let options: [Option] =
    [.value("--output", short: "-o", "OUTPUT", "write the new file to OUTPUT, and leave the single FILE unchanged")]
    + Arguments.replacementOptions + [
      Arguments.linkOption,
      Arguments.metadataOption,
      Arguments.compactOption,
      .flag("--network", "also index blocks of addresses where not every key is one"),
      .flag("--key-lengths", "also store which lengths keys have, for 'get --match prefix' and 'domain'"),
      .flag("--reverse-index", "also store which keys share a value, for 'keys --like'"),
      .flag("--json", "print one JSON object for each file"),
      Arguments.quietOption(),
    ]
  static let help = """
    Adds an extension block to each FILE, such as one from 'fusedb build
    --plain' or fusedb 0.3.0, or replaces the block that it has. The block holds
    an index, checksums and metadata, so that a file of any size opens in
    constant time. Data and keys don't change, and fusedb 0.3.0 can still read
    the file.

    Each file is verified first, as by 'fusedb verify', and replaced in one
    step, unless another process replaced it in the meantime. A damaged file
    is left alone. If only the block is wrong and the file's checksum is right,
    the block is made anew. --meta replaces all metadata of the file but the
    rule of --normalise; without it, the metadata stays.

    Where all keys are blocks of addresses or addresses, the block also holds
    what finds the block of an address. A file keeps that, key lengths and the
    reverse index, once it has them.

    Exit status: for several files, the highest of theirs.

    Example:
      $ fusedb build -o old.fsdb networks.csv --key network --plain -q
      $ fusedb reindex old.fsdb --meta source=registry
      old.fsdb: 3 keys indexed, 174 bytes -> 2.2 kB
        3 blocks of addresses: an address is answered by its block
    """

  var paths: [String]
  var output: String?
  var outputLink: OutputLink
  var leastKeyCount = 0
  var greatestShrink: Double?
  var metadata: [String: String]?
  var form: FuseWriter.Form?
  var networks: FuseWriter.Networks
  var keyLengths: Bool
  var reverseIndex: Bool
  var printsJSON: Bool
  var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    paths = try [arguments.path("FILE")] + arguments.remainingPaths("FILE")
    output = try arguments.path(of: "--output", "OUTPUT")
    try arguments.requireFile(output, "OUTPUT")
    guard output == nil || paths.count == 1 else {
      throw arguments.error("there is one OUTPUT, and there are \(paths.count) FILEs; give them one by one")
    }
    outputLink = try arguments.outputLink()
    let leastKeyCount = try arguments.leastKeyCount()
    // A file that is replaced in place loses no keys.
    if output != nil { self.leastKeyCount = leastKeyCount }
    greatestShrink = try arguments.greatestShrink()
    metadata = try arguments.metadata()
    form = try arguments.form()
    guard form == nil || !arguments.has("--reverse-index") else {
      throw arguments.error("--compact files have no place for --reverse-index; give one of them")
    }
    networks = arguments.has("--network") ? .always : .automatic
    keyLengths = arguments.has("--key-lengths")
    reverseIndex = arguments.has("--reverse-index")
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
  }

  /// What writes a file in another form.
  init(
    _ path: String, to output: String, _ form: FuseWriter.Form, _ arguments: borrowing Arguments
  ) throws(UsageError) {
    paths = [path]
    self.output = output
    outputLink = try arguments.outputLink()
    leastKeyCount = try arguments.leastKeyCount()
    greatestShrink = try arguments.greatestShrink()
    metadata = try arguments.metadata()
    self.form = form
    networks = .automatic
    keyLengths = false
    reverseIndex = false
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    var statuses: [ExitStatus] = []
    for path in paths {
      if let refusal = refusalToOverwrite(output ?? path) {
        statuses.append(console.explain(UsageError(refusal, in: Self.name)))
        continue
      }
      console.willReplace(output ?? path)
      let bar = ProgressBar(console.err, isQuiet: isQuiet)
      do throws(FuseError) {
        let report = try FuseWriter.reindex(
          path, output: output, outputLink: outputLink, leastKeyCount: leastKeyCount, greatestShrink: greatestShrink,
          metadata: metadata, networks: networks, keyLengths: keyLengths, reverseIndex: reverseIndex,
          form: form
        ) { fraction in bar.show(fraction, path) }
        bar.clear()
        try tell(report, of: path, console)
      } catch {
        bar.clear()
        // An error without a path is one of standard output.
        guard error.path != nil else { throw error }
        statuses.append(console.report(error.withReplacementOptions))
      }
    }
    // The worst of them, as for 'verify'.
    return statuses.max { $0.rawValue < $1.rawValue } ?? .done
  }

  private func refusalToOverwrite(_ path: String) -> String? {
    // A FILE that is replaced in place is read first, which shows whether it is a database.
    guard output != nil else { return Overwriting.obstacle(at: path, links: outputLink) }
    return Overwriting.refusal(
      of: path, unless: Overwriting.database, links: outputLink, advice: "give OUTPUT another name, or remove that file"
    )
  }

  private func tell(_ report: ReindexReport, of path: String, _ console: Console) throws(FuseError) {
    let networks = NetworkReport(networkCount: report.networkCount, literalKeyCount: report.literalKeyCount)
    if printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append(
          members: [
            ("path", .text(output ?? path)), ("keys", .count(report.keyCount)),
            ("replaced", .replaced(keys: report.replacedKeyCount)), ("objects", .count(report.objectCount)),
            ("bytes", .count(report.byteCount)), ("bytesBefore", .count(report.byteCountBefore)),
            ("extensionBytes", .count(report.extensionByteCount)), ("wasPlain", .flag(report.wasPlain)),
          ] + networks.members)
      }
    } else if !isQuiet {
      // A file that is replaced in place has as many keys as before.
      let before = output == nil ? "" : report.replacedKeyCount.map { " (before: \(Humans.number($0)))" } ?? ""
      let verb = form == nil ? " indexed" : ""
      try? console.err.sentence(
        """
        \(output ?? path): \(Humans.count(report.keyCount, "key"))\(before)\(verb), \(Humans.size(report.byteCountBefore)) -> \
        \(Humans.size(report.byteCount))
        """)
      for line in networks.lines { try? console.err.sentence(line) }
    }
  }
}
