internal import FuseDB
internal import FuseDBInput

/// `fusedb patch`: makes a new database of an old one and a patch.
struct Patch: Command {
  static let name = "patch"
  static let summary = "make a new file from an old one and patches"
  static let operands = "-o OUTPUT OLD PATCH..."
  static let options: [Option] =
    [Arguments.outputOption] + Arguments.replacementOptions + [
      Arguments.linkOption,
      .value(
        "--max-size", "SIZE",
        "the longest OUTPUT to accept, such as 512M or 2G (default: 4 times OLD and 64 times all PATCH, plus 256M)"),
      .flag("--json", "print the report as one JSON object"),
      Arguments.quietOption("print no report"),
    ]
  static let help = """
    Makes the file that PATCH was made for, byte for byte, and writes it to
    OUTPUT, which may be OLD. PATCH comes from 'fusedb diff OLD NEW -o PATCH'.
    If it belongs to another file than OLD, or either of them is damaged,
    nothing is written. OLD and the result are verified as by 'fusedb verify'.
    Then OUTPUT appears in one step, unless it is OLD and another process
    replaced it in the meantime. 'fusedb patch OLD PATCH OUTPUT' does the same.

    Several patches are taken in their order, each of which was made from what
    the one before it makes. The files in between are not made: ten patches
    take little longer than one.

    A small PATCH can make a file that fills a disk. A result longer than
    --max-size, also in between, is refused before anything is written.

    Example:
      $ echo '{"keys":["1.1.1.0/24","9.9.9.0/24"],"value":{"asn":13335}}' | fusedb build -o today.fsdb -q
      $ fusedb diff networks.fsdb today.fsdb -o new.patch
      1 key added, 2 keys removed, 1 key changed, 0 keys unchanged
      new.patch: 155 bytes make today.fsdb of networks.fsdb
      $ fusedb patch -o new.fsdb networks.fsdb new.patch
      new.fsdb: 1 object, 2 keys, 2.1 kB
    """

  var oldPath: String
  var patchPaths: [String]
  var output: String
  var isOutputOption = true
  var options = FusePatch.Options()
  var printsJSON: Bool
  var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    oldPath = try arguments.path("OLD")
    patchPaths = [try arguments.path("PATCH")]
    // Without the option, OUTPUT is what comes last.
    var more = try arguments.remainingPaths("PATCH")
    isOutputOption = arguments.has(Arguments.outputOption.name)
    let last = isOutputOption ? try arguments.path(of: Arguments.outputOption.name, "OUTPUT") : more.popLast()
    guard let last else { throw arguments.error("OUTPUT is missing") }
    try arguments.requireFile(last, "OUTPUT")
    output = last
    patchPaths += more
    options.leastKeyCount = try arguments.leastKeyCount()
    options.greatestShrink = try arguments.greatestShrink()
    options.outputLink = try arguments.outputLink()
    options.keepsOtherFiles = true
    options.greatestByteCount = try arguments.size(of: "--max-size")
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let refusal = Overwriting.refusal(
      of: output, unless: Overwriting.database, links: options.outputLink,
      advice: (isOutputOption ? "" : "OUTPUT comes last: ") + "give it another name, or remove that file")
    if let refusal { return console.explain(UsageError(refusal, in: Self.name)) }
    console.willReplace(output)
    do throws(FuseError) {
      let old = try FuseReader.forCommand(oldPath)
      let report = try FusePatch.apply(patchPaths, to: old, output: output, options: options)
      try tell(report, console)
      return .done
    } catch {
      return console.report(error.withReplacementOptions)
    }
  }

  private func tell(_ report: PatchedFile, _ console: Console) throws(FuseError) {
    if printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append(members: [
          ("path", .text(output)), ("keys", .count(report.keyCount)),
          ("replaced", .replaced(keys: report.replacedKeyCount)),
          ("objects", .count(report.objectCount)), ("bytes", .count(report.byteCount)),
        ])
      }
    } else if !isQuiet {
      try? console.err.sentence(
        """
        \(output): \(Humans.count(report.objectCount, "object")), \(Humans.keys(report.keyCount, before: report.replacedKeyCount)), \
        \(Humans.size(report.byteCount))
        """)
    }
  }
}
