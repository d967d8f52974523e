internal import FuseDB
internal import FuseDBInput
internal import FuseDBMaxMind

/// `fusedb export`: writes a database as a file of another format.
struct Export: Command {
  static let name = "export"
  static let summary = "write blocks of addresses as a MaxMind DB for other programs"
  static let operands = "FILE OUTPUT"
  static let options: [Option] = [
    .value("--format", "FORMAT", choices: ["mmdb"], "what to write: mmdb (default)"),
    Arguments.linkOption,
    .flag("--json", "print the report as JSON on standard output"),
    Arguments.quietOption(),
  ]
  static let help = """
    Writes the blocks of addresses in FILE, and their values, to OUTPUT as a
    MaxMind DB (MMDB), version 2: the format that libmaxminddb, nginx, Logstash,
    Vector and others read. Of blocks inside of others the longest has the
    addresses, as everywhere. Equal values and parts of values are stored once.

    What such a file cannot say is refused with the key: keys that are no
    blocks, nil, extensions, integers below -2147483648, maps with keys that are
    no text. Integers get the smallest of its types. What the file's metadata
    say as mmdb.database_type, mmdb.languages, mmdb.description.en,
    mmdb.build_epoch and mmdb.ip_version, as 'fusedb build' has them from a
    MaxMind DB, goes into OUTPUT; 'fusedb reindex --meta' sets them.

    OUTPUT appears in one step, in place of a MaxMind DB that is there; any other
    kind of file is left alone.

    Example:
      $ fusedb export networks.fsdb networks.mmdb
      networks.mmdb: 3 networks, 2 values, 515 bytes; 46 nodes of 24 bits
    """

  var path: String
  var output: String
  var links: OutputLink
  var printsJSON: Bool
  var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    output = try arguments.path("OUTPUT")
    try arguments.requireFile(output, "OUTPUT")
    _ = try arguments.choice(of: "--format", ["mmdb": true])
    links = try arguments.outputLink()
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    if let refusal = Overwriting.refusalToExport(to: output, links: links) {
      return console.explain(UsageError(refusal, in: Self.name))
    }
    console.willReplace(output)
    let reader = try FuseReader.forCommand(path)
    let bar = ProgressBar(console.err, isQuiet: isQuiet)
    let report: MaxMindExport.Report
    do throws(FuseError) {
      report = try MaxMindExport.write(reader, to: output, links: links) { count in
        bar.show(Double(count) / Double(max(1, reader.keyCount)), path)
      }
      bar.clear()
    } catch {
      bar.clear()
      throw error
    }
    if printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append(members: [
          ("output", .text(output)), ("networks", .count(report.networkCount)), ("values", .count(report.valueCount)),
          ("bytes", .count(report.byteCount)), ("nodes", .count(report.nodeCount)),
          ("recordSize", .count(report.recordBits)), ("ipVersion", .count(report.ipVersion)),
          ("treeBytes", .count(report.treeByteCount)), ("dataBytes", .count(report.dataByteCount)),
        ])
      }
    } else if !isQuiet {
      try? console.err.sentence(
        """
        \(output): \(Humans.count(report.networkCount, "network")), \(Humans.count(report.valueCount, "value")), \
        \(Humans.size(report.byteCount)); \(Humans.count(report.nodeCount, "node")) of \(report.recordBits) bits
        """)
    }
    return .done
  }
}

extension Overwriting {
  /// Why a MaxMind DB must not be written to `path`: what is there is a file of another kind.
  static func refusalToExport(to path: String, links: OutputLink) -> String? {
    if let obstacle = obstacle(at: path, links: links) { return obstacle }
    guard let name = FileStatus(atLink: path), links != .replaced || name.kind != .link else { return nil }
    guard let status = FileStatus(at: path), status.kind == .regular, status.byteCount > 0 else { return nil }
    guard (try? Descriptor.checkReadable(path)) != nil else {
      return
        "'\(path)' may not be read, and may be another file than a MaxMind DB: give OUTPUT another name, or remove that file"
    }
    guard !isDatabase(path) else {
      return "'\(path)' is a database, and would be overwritten: OUTPUT comes last; give it another name"
    }
    guard !MaxMindFile.isMaxMind(at: path) else { return nil }
    return
      "'\(path)' is a file of \(Humans.size(status.byteCount)) that is no MaxMind DB, and would be overwritten; OUTPUT comes last: give it another name, or remove that file"
  }
}
