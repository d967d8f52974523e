internal import FuseDB
internal import FuseDBInput

/// `fusedb verify`: checks every byte of some databases.
struct Verify: Command {
  static let name = "verify"
  static let summary = "check every byte of a file and list all damage"
  static let operands = "FILE..."
  static let options: [Option] = [
    .flag("--checksums", "compare checksums only: twice as fast, but does not find files that were written wrong"),
    .value(
      "--trust", "KEY",
      "check the signature of each FILE, too, by this public key, a file or its text; may be repeated",
      repeats: true),
    .value("--signature", "SIGNATURE", "where the signature is (default: FILE.minisig)"),
    .flag("--json", "print one JSON object for each file"),
    Arguments.quietOption("print nothing of files that are sound, and no progress"),
  ]
  static let help = """
    Checks the header, all checksums, every object, and every key and its
    offset. Lists all damage, not only the first: 'path: offset N: kind: what is
    wrong'. For a sound file, counts its keys and objects.

    With --checksums, checks only the header, the checksums of the file and of
    each object, and the end of the index block. That proves that the file is as
    it was written: no copy was cut short, no bit has changed. It does not prove
    that it was written correctly. Repeated or unordered keys, an index that
    misses a key, or objects that are not MessagePack pass if their checksums
    are right. For a file from a writer that you don't trust, leave this option
    out.

    Checksums find accidents. That a file is the one that somebody published, its
    signature shows: with --trust, it is checked first, as 'fusedb sign' does.

    Exit status: 1 when a file is damaged, cut short, no database, or not signed
    by a KEY; 66 when any file cannot be read.

    Example:
      $ fusedb verify networks.fsdb
      networks.fsdb: sound (3 keys, 2 objects, 2.1 kB)
    """

  var paths: [String]
  var level: VerificationLevel
  var trusted: [String]
  var signaturePath: String?
  var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    paths = try [arguments.path("FILE")] + arguments.remainingPaths("FILE")
    level = arguments.has("--checksums") ? .checksums : .full
    trusted = try arguments.paths(of: "--trust", "KEY")
    signaturePath = try arguments.path(of: "--signature", "SIGNATURE")
    guard signaturePath == nil || !trusted.isEmpty else { throw arguments.error("--signature needs --trust KEY") }
    guard signaturePath == nil || paths.count == 1 else {
      throw arguments.error(
        "--signature is of one file, and \(paths.count) are given; leave it out, or verify them one by one")
    }
    printsJSON = arguments.has("--json")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    if !trusted.isEmpty && console.deliveryWorker == nil {
      throw try console.become(Helper.delivery, for: "verify --trust")
    }
    var isDamaged = false
    var isUnreadable = false
    for path in paths {
      do throws(FuseError) {
        if try !check(path, console) { isDamaged = true }
      } catch {
        guard error.path != nil else { throw error }
        isUnreadable = true
        console.complain(error)
      }
    }
    return isUnreadable ? .noInput : isDamaged ? .no : .done
  }

  /// Verifies one file and prints damage as it is found, so that a long list takes no memory. Returns whether the file is
  /// sound.
  private func check(_ path: String, _ console: Console) throws(FuseError) -> Bool {
    let bar = ProgressBar(console.err, isQuiet: console.isQuiet)
    let listing = Listing(path: path, isJSON: printsJSON, isQuiet: console.isQuiet, out: console.out)
    if !trusted.isEmpty {
      let signature = Sign(checking: path, signature: signaturePath, by: trusted)
      do throws(FuseError) { _ = try console.deliveryWorker?.run(.sign(signature), console) } catch {
        try listing.end(error)
        // Another file's, another key's, or none at all; a key or a file that cannot be read is something else.
        guard error.code == .refused || error.path == signature.signaturePath && error.code == .invalidArgument else {
          throw error
        }
        console.complain(error)
        return false
      }
    }
    let summary: VerificationSummary
    do throws(FuseError) {
      summary = try FuseReader.verify(path: path, level: level, progress: { fraction in bar.show(fraction, path) }) {
        damage throws(FuseError) in
        bar.clear()
        try listing.add(damage)
      }
    } catch {
      // An error without a path is one of standard output.
      if error.path != nil { try listing.end(error) }
      throw error
    }
    try listing.end(summary)
    return summary.isSound
  }
}

extension Verify {
  /// What is printed about one file.
  final class Listing {
    private let path: String
    private let isJSON: Bool
    /// Whether sound files are passed over, except in JSON.
    private let isQuiet: Bool
    private let out: Output
    private var damageCount = 0

    init(path: String, isJSON: Bool, isQuiet: Bool, out: Output) {
      self.path = path
      self.isJSON = isJSON
      self.isQuiet = isQuiet
      self.out = out
    }

    /// Prints one fault.
    func add(_ damage: Damage) throws(FuseError) {
      guard isJSON else { return try out.sentence("\(path): \(damage)") }
      let isFirst = damageCount == 0
      damageCount += 1
      try out.part { writer in
        if isFirst { begin(&writer, isSound: false) } else { writer.append(",") }
        writer.append(members: [
          ("kind", .text(damage.kind.rawValue)), ("offset", .offset(damage.offset)), ("message", .text(damage.message)),
        ])
      }
    }

    /// Ends the list with the counts.
    func end(_ summary: VerificationSummary) throws(FuseError) {
      guard !isJSON else {
        return try out.line { writer throws(FuseError) in
          if damageCount == 0 { begin(&writer, isSound: summary.isSound) }
          writer.append(
            "],\"keys\":\(summary.keyCount),\"objects\":\(summary.objectCount),\"bytes\":\(summary.byteCount)}")
        }
      }
      guard !isQuiet || !summary.isSound else { return }
      let counts =
        "\(Humans.count(summary.keyCount, "key")), \(Humans.count(summary.objectCount, "object")), \(Humans.size(summary.byteCount))"
      try out.sentence(
        summary.isSound
          ? "\(path): sound (\(counts))"
          : "\(path): damaged in \(Humans.count(summary.damageCount, "place")) (\(counts))")
    }

    /// Ends the list where the file cannot be read, or not to its end, so that it is not known to be sound.
    func end(_ error: FuseError) throws(FuseError) {
      guard isJSON else { return }
      try out.line { writer throws(FuseError) in
        if damageCount == 0 { begin(&writer, isSound: false) }
        writer.append("],\"error\":")
        writer.append(string: error.message)
        writer.append("}")
      }
    }

    private func begin(_ writer: inout JSONWriter, isSound: Bool) {
      writer.append("{\"path\":")
      writer.append(string: path)
      writer.append(",\"sound\":\(isSound),\"damage\":[")
    }
  }
}
