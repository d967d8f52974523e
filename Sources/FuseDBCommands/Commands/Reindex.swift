internal import FuseDB

/// `fusedb reindex`: gives files a new extension block.
struct Reindex: Command {
  static let name = "reindex"
  static let summary = "add the index that makes a plain file open at once"
  static let operands = "FILE..."
  static let options: [Option] = [
    Arguments.metadataOption,
    .flag("--json", "print one JSON object for each file"),
    .flag("--quiet", "print no report and no progress"),
  ]
  static let help = """
    Adds an extension block to each FILE, such as one from 'fusedb build --plain' or from fusedb 0.3.0, and replaces the
    block of a file that has one. The block holds an index, checksums and metadata: the file opens in constant time,
    however large it is. Data and keys stay as they are, and fusedb 0.3.0 still reads the file.

    A file is verified first, as by 'fusedb verify', and replaced in one step. One that is damaged is left alone. Only a
    block that was written wrong, while the file's checksum is right, is no obstacle: it is made anew. With --meta the file
    says that alone about itself; without, it says what it said before.

    Exit status: that of the worst of several files.

    Example:
      $ fusedb build old.fsdb networks.csv --key network --plain --quiet
      $ fusedb reindex old.fsdb --meta source=registry
      old.fsdb: 3 keys indexed, 174 bytes -> 568 bytes
    """

  var paths: [String]
  var metadata: [String: String]?
  var printsJSON: Bool
  var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    paths = try [arguments.path("FILE")] + arguments.remainingPaths("FILE")
    metadata = try arguments.metadata()
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    var statuses: [ExitStatus] = []
    for path in paths {
      console.willReplace(path)
      let bar = ProgressBar(console, isQuiet: isQuiet)
      do throws(FuseError) {
        let report = try FuseWriter.reindex(path, metadata: metadata) { fraction in bar.show(fraction, path) }
        bar.clear()
        try tell(report, of: path, console)
      } catch {
        bar.clear()
        // Without a path it is the output that failed.
        guard error.path != nil else { throw error }
        statuses.append(console.report(error))
      }
    }
    // The worst of them, as 'verify' has it.
    return statuses.max { $0.rawValue < $1.rawValue } ?? .done
  }

  private func tell(_ report: ReindexReport, of path: String, _ console: Console) throws(FuseError) {
    if printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append(members: [
          ("path", .text(path)), ("keys", .count(report.keyCount)), ("objects", .count(report.objectCount)),
          ("bytes", .count(report.byteCount)), ("bytesBefore", .count(report.byteCountBefore)),
          ("extensionBytes", .count(report.extensionByteCount)), ("wasPlain", .flag(report.wasPlain)),
        ])
      }
    } else if !isQuiet {
      try? console.err.line(
        """
        \(path): \(Humans.count(report.keyCount, "key")) indexed, \(Humans.size(report.byteCountBefore)) -> \
        \(Humans.size(report.byteCount))
        """)
    }
  }
}
