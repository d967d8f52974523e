package import FuseDB
internal import FuseDBInput

/// `fusedb stats`: says what a database holds.
struct Stats: Command {
  static let name = "stats"
  static let summary = "print what files hold, and what sharing saved"
  static let operands = "FILE..."
  static let options: [Option] = [.flag("--json", "print the numbers as one JSON object for each file")]
  static let help = """
    Reads all of each FILE. The extension lets the file open at once; in large files
    it takes 11 bytes a key. Its sections follow, and those of a compact file. Saved
    by sharing is how much longer the file would be if every key had an object
    of its own; of a compact file, in objects as they are in full. The last lines
    are the file's metadata ('--meta' of build and reindex).

    Exit status: for several files, the highest of theirs. With --json, a file
    that can't be read has "error" then.

    Example:
      $ fusedb stats networks.fsdb
      networks.fsdb: FSDB version 2, checksum 0x34417a07
        keys                             3
        objects                          2
        keys per object, fewest          1
          on average                  1.50
          most                           2
        size                        2.1 kB  2,128 bytes
          header                  40 bytes  1.9%
          objects                 68 bytes  3.2%
          key index               60 bytes  2.8%
          extension                 2.0 kB  92.1%
            HASH                 192 bytes  9.0%
            ORDR                  12 bytes  0.6%
            NETW                    1.5 kB  72.2%
        saved by sharing          31 bytes  without it the file would be 1.01 times as large
    """

  var paths: [String]
  var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    paths = try [arguments.path("FILE")] + arguments.remainingPaths("FILE")
    printsJSON = arguments.has("--json")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    guard paths.count > 1 else { return try tell(of: paths[0], console) }
    var statuses: [ExitStatus] = []
    for (number, path) in paths.enumerated() {
      do throws(FuseError) {
        if number > 0, !printsJSON { try console.out.line("") }
        statuses.append(try tell(of: path, console))
      } catch {
        // An error without a path is one of standard output.
        guard error.path != nil else { throw error }
        statuses.append(console.report(error))
        guard printsJSON else { continue }
        try console.out.line { writer throws(FuseError) in
          writer.append(members: [("path", .text(path)), ("error", .text(error.message))])
        }
      }
    }
    return statuses.max { $0.rawValue < $1.rawValue } ?? .done
  }

  private func tell(of path: String, _ console: Console) throws(FuseError) -> ExitStatus {
    let reader = try FuseReader.forCommand(path)
    let statistics = try reader.statistics()
    // In the order of the file.
    let metadata = try reader.metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    if printsJSON {
      let texts = metadata.map { (name: $0.key, value: ReportValue.text($0.value)) }
      let all = members(of: statistics, path) + [("meta", .members(texts))]
      try console.out.line { writer throws(FuseError) in writer.append(members: all) }
    } else {
      for line in table(of: statistics, path) { try console.out.sentence(line) }
      for (name, text) in metadata {
        try console.out.line { writer throws(FuseError) in
          writer.append("  ")
          EscapedText.append(name.keyBytes, to: &writer.out)
          writer.append(": ")
          EscapedText.append(text.keyBytes, to: &writer.out)
        }
      }
    }
    return .done
  }

  private func members(of statistics: Statistics, _ path: String) -> [(name: String, value: ReportValue)] {
    [("path", .text(path))] + statistics.sizes + [("plain", .flag(statistics.extensionByteCount == 0))]
      + statistics.counts
  }

  /// The numbers for people, in columns.
  func table(of statistics: Statistics, _ path: String) -> [String] {
    let total = statistics.byteCount
    var rows: [(name: String, value: String, note: String)] = [
      ("keys", Humans.number(statistics.keyCount), ""),
      ("objects", Humans.number(statistics.objectCount), ""),
    ]
    if statistics.unreachedObjectCount > 0 {
      rows.append(("  without a key", Humans.number(statistics.unreachedObjectCount), ""))
    }
    rows += [
      ("keys per object, fewest", Humans.number(statistics.fewestKeysPerObject), ""),
      ("  on average", Humans.decimal(statistics.meanKeysPerObject, places: 2), ""),
      ("  most", Humans.number(statistics.mostKeysPerObject), ""),
      ("size", Humans.size(total), total < 1000 ? "" : Humans.count(total, "byte")),
      ("  header", Humans.size(statistics.headerByteCount), Humans.percent(statistics.headerByteCount, of: total)),
      ("  objects", Humans.size(statistics.dataByteCount), Humans.percent(statistics.dataByteCount, of: total)),
      ("  key index", Humans.size(statistics.indexByteCount), Humans.percent(statistics.indexByteCount, of: total)),
    ]
    rows += sectionRows(statistics) { $0.isOfKeys }
    rows.append(extensionRow(statistics))
    rows += sectionRows(statistics) { !$0.isOfKeys }
    if statistics.isCompact {
      rows += [
        ("keys in full", Humans.size(statistics.keyByteCount), "what they take outside of a compact file"),
        ("objects in full", Humans.size(statistics.objectByteCount), "as MessagePack"),
      ]
    }
    rows.append(("saved by sharing", Humans.size(statistics.bytesSavedBySharing), sharingNote(statistics)))
    let names = rows.map { $0.name.count }.max() ?? 0
    let values = rows.map { $0.value.count }.max() ?? 0
    let title = "\(path): FSDB version \(statistics.version), checksum \(statistics.checksum.hexadecimal)"
    return [title]
      + rows.map { row in
        let line =
          "  " + row.name.padded(to: names) + "  " + String(repeating: " ", count: values - row.value.count) + row.value
        return row.note.isEmpty ? line : line + "  " + row.note
      }
  }

  private func sectionRows(
    _ statistics: Statistics, _ isWanted: (Statistics.Section) -> Bool
  ) -> [(name: String, value: String, note: String)] {
    statistics.sections.filter(isWanted).map {
      ("    " + $0.name, Humans.size($0.byteCount), Humans.percent($0.byteCount, of: statistics.byteCount))
    }
  }

  private func extensionRow(_ statistics: Statistics) -> (name: String, value: String, note: String) {
    let byteCount = statistics.extensionByteCount
    return (
      "  extension", byteCount == 0 ? "none" : Humans.size(byteCount),
      byteCount == 0 ? "a plain file: 'fusedb reindex' adds it" : Humans.percent(byteCount, of: statistics.byteCount)
    )
  }

  private func sharingNote(_ statistics: Statistics) -> String {
    guard statistics.bytesSavedBySharing > 0 else { return "" }
    guard !statistics.isCompact else { return "of objects in full" }
    let apart = Double(statistics.byteCount + statistics.bytesSavedBySharing)
    let times = Humans.decimal(apart / Double(statistics.byteCount), places: 2)
    return "without it the file would be \(times) times as large"
  }
}

extension Statistics {
  /// What the parts of the file take, as reports name it.
  package var sizes: [(name: String, value: ReportValue)] {
    [
      ("version", .count(version)), ("keys", .count(keyCount)), ("objects", .count(objectCount)),
      ("bytes", .count(byteCount)), ("headerBytes", .count(headerByteCount)), ("dataBytes", .count(dataByteCount)),
      ("indexBytes", .count(indexByteCount)), ("extensionBytes", .count(extensionByteCount)),
    ]
  }

  /// What is in them.
  package var counts: [(name: String, value: ReportValue)] {
    [
      ("keyBytes", .count(keyByteCount)), ("objectBytes", .count(objectByteCount)),
      ("minKeysPerObject", .count(fewestKeysPerObject)), ("meanKeysPerObject", .number(meanKeysPerObject)),
      ("maxKeysPerObject", .count(mostKeysPerObject)), ("unreachedObjects", .count(unreachedObjectCount)),
      ("bytesSavedBySharing", .count(bytesSavedBySharing)), ("checksum", .text(checksum.hexadecimal)),
      ("sections", .members(sections.map { ($0.name, .count($0.byteCount)) })),
    ]
  }
}
