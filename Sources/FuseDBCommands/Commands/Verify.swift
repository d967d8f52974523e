internal import FuseDB

/// `fusedb verify`: checks every byte of some databases.
struct Verify: Command {
  static let name = "verify"
  static let summary = "check every byte of a file and list all damage"
  static let operands = "FILE..."
  static let options: [Option] = [.flag("--json", "print one JSON object for each file")]
  static let help = """
    Checks the header, all checksums, every object, every key and where it points. All damage is listed, not only the
    first: 'path: offset N: kind: what is wrong'. Of a sound file the keys and objects are counted.

    Exit status: 0 when all files are sound, 1 when one is damaged, 66 when one cannot be read.

    Example:
      $ fusedb verify networks.fsdb
      networks.fsdb: sound (3 keys, 2 objects, 168 bytes)
    """

  var paths: [String]
  var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    paths = try [arguments.path("FILE")] + arguments.remainingPaths("FILE")
    printsJSON = arguments.has("--json")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    var isDamaged = false
    var isUnreadable = false
    for path in paths {
      do throws(FuseError) {
        let report = try check(path, console)
        if !report.isSound { isDamaged = true }
        try tell(report, console)
      } catch {
        guard error.path != nil else { throw error }
        isUnreadable = true
        if printsJSON { try tell(error, path, console) }
        console.note(error.description)
      }
    }
    return isUnreadable ? .noInput : isDamaged ? .no : .done
  }

  private func check(_ path: String, _ console: Console) throws(FuseError) -> VerificationReport {
    let bar = ProgressBar(console)
    return try FuseReader.reading { () throws(FuseError) in
      try FuseReader.verify(path: path) { fraction in bar.show(fraction, path) }
    }
  }

  // MARK: What was found

  private func tell(_ report: VerificationReport, _ console: Console) throws(FuseError) {
    guard !printsJSON else {
      return try console.out.line { writer throws(FuseError) in
        writer.append("{\"path\":")
        writer.append(string: report.path)
        writer.append(",\"sound\":\(report.isSound),\"damage\":[")
        for (number, damage) in report.damage.enumerated() {
          if number > 0 { writer.append(",") }
          writer.append(members: [
            ("kind", .text(damage.kind.rawValue)), ("offset", .offset(damage.offset)),
            ("message", .text(damage.message)),
          ])
        }
        writer.append("],\"keys\":\(report.keyCount),\"objects\":\(report.objectCount),\"bytes\":\(report.byteCount)}")
      }
    }
    for damage in report.damage { try console.out.line("\(report.path): \(damage)") }
    let counts =
      "\(Humans.count(report.keyCount, "key")), \(Humans.count(report.objectCount, "object")), \(Humans.size(report.byteCount))"
    try console.out.line(
      report.isSound
        ? "\(report.path): sound (\(counts))"
        : "\(report.path): damaged in \(Humans.count(report.damage.count, "place")) (\(counts))")
  }

  /// A file that cannot be read is not known to be sound.
  private func tell(_ error: FuseError, _ path: String, _ console: Console) throws(FuseError) {
    try console.out.line { writer throws(FuseError) in
      writer.append("{\"path\":")
      writer.append(string: path)
      writer.append(",\"sound\":false,\"damage\":[],\"error\":")
      writer.append(string: error.message)
      writer.append("}")
    }
  }
}
