internal import FuseDB
internal import FuseDBInput

/// `fusedb help`: explains the commands.
struct Help: Command {
  static let name = "help"
  static let summary = "explain a command"
  static let operands = "[COMMAND]"
  static let options: [Option] = [.flag("--json", "print what the page is made of as one JSON object")]
  static let help = """
    Example:
      $ fusedb help build
    """

  var command: (any Command.Type)?
  var printsJSON = false

  init(about command: (any Command.Type)?) { self.command = command }

  init(parsing arguments: inout Arguments) throws(UsageError) {
    printsJSON = arguments.has("--json")
    let words = arguments.remaining()
    guard words.count <= 1 else { throw arguments.error("one COMMAND at a time") }
    for word in words { command = try Self.command(named: String(decoding: word, as: UTF8.self)) }
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    if printsJSON {
      let members =
        command.map(Self.members(of:)) ?? [
          ("commands", .list(Self.commands.map { .members(Self.members(of: $0)) }))
        ]
      try console.out.line { writer throws(FuseError) in writer.append(members: members) }
    } else {
      let page = command.map(Self.page(of:)) ?? Self.overview
      for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
        try console.out.line(Self.isHeading(line) ? console.out.styled(String(line), .heading) : String(line))
      }
    }
    return .done
  }

  private static func isHeading(_ line: Substring) -> Bool {
    ["Options:", "Example:", "Exit status:"].contains(line) || line.hasPrefix("Usage: ")
  }

  /// What a page is made of, for programs.
  private static func members(of command: any Command.Type) -> [(name: String, value: ReportValue)] {
    let options = command.allOptions.map { option in
      ReportValue.members([
        ("name", .text(option.name)), ("short", option.short.map { .text($0) } ?? .null),
        ("value", option.value.map { .text($0) } ?? .null), ("choices", .list(option.choices.map { .text($0) })),
        ("repeats", .flag(option.repeats)), ("help", .text(option.help)),
      ])
    }
    return [
      ("name", .text(command.name)), ("summary", .text(command.summary)), ("operands", .text(command.operands)),
      ("options", .list(options)), ("help", .text(command.help)),
    ]
  }

  /// Every command, in the order in which `fusedb help` lists them.
  static var commands: [any Command.Type] {
    [
      Build.self, Get.self, Enrich.self, Networks.self, Prefix.self, Keys.self, Dump.self, Stats.self, Verify.self,
      Merge.self, Shard.self, Diff.self, Patch.self, Reindex.self, Convert.self, Export.self, Watch.self, Publish.self,
      Fetch.self,
      Follow.self, Serve.self,
      Versions.self,
      Announce.self, Expire.self, Keygen.self, Sign.self, Store.self, Bench.self, Completions.self, Man.self, Help.self,
    ]
  }

  /// The command of this name.
  static func command(named name: String) throws(UsageError) -> any Command.Type {
    if let command = commands.first(where: { $0.name == name }) { return command }
    throw UsageError("there is no command '\(name)'" + nearestName(to: name, among: commands.map { $0.name }))
  }

  /// What `fusedb` is and does.
  static var overview: String {
    let width = commands.map { $0.name.count }.max() ?? 0
    let lines = commands.map { "  \($0.name.padded(to: width))  \($0.summary)" }
    return """
      fusedb builds and reads immutable database files, in which any number of keys
      can share one value.

      Usage: fusedb COMMAND [ARGUMENT...]

      \(lines.joined(separator: "\n"))

      'fusedb help COMMAND' or 'fusedb COMMAND -h' explains a command; 'fusedb -V'
      prints the version.
      Results go to standard output, everything else to standard error.

      Exit status:
      \(table(of: ExitStatus.meanings.map { ("\($0.status)", $0.meaning) }))

      Example:
        \(example.split(separator: "\n").joined(separator: "\n  "))
      """
  }

  static let example = """
    $ echo '{"keys":["8.8.8.8","gmail.com"],"value":{"org":"Google LLC"}}' | fusedb build -o geo.fsdb
    geo.fsdb: 2 keys -> 1 object, 448 bytes; sharing saved 24 bytes
    $ fusedb get geo.fsdb gmail.com
    {"org":"Google LLC"}
    """

  /// All about one command.
  static func page(of command: any Command.Type) -> String {
    var parts = ["Usage: fusedb \(command.name) \(command.operands) [OPTION...]"]
    parts.append("fusedb \(command.name): \(command.summary).")
    parts.append("Options:\n" + table(of: command.allOptions.map { (head(of: $0), $0.help) }))
    parts.append(command.help)
    parts.append("'fusedb help' lists all exit statuses.")
    return parts.joined(separator: "\n\n")
  }

  private static let columnCount = 80

  private static func head(of option: Option) -> String {
    (option.short.map { $0 + ", " } ?? "") + option.name + option.valueText
  }

  /// Heads, such as options, one below the other, and beside each what it does.
  private static func table(of rows: [(head: String, text: String)]) -> String {
    let width = rows.map { $0.head.count }.max() ?? 0
    let margin = "\n" + String(repeating: " ", count: width + 4)
    return rows.map { head, text in
      let lines = lines(of: text, columnCount: columnCount - width - 4)
      return "  \(head.padded(to: width))  \(lines.joined(separator: margin))"
    }.joined(separator: "\n")
  }

  /// `text`, broken at spaces into lines of at most `columnCount` characters.
  private static func lines(of text: String, columnCount: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= columnCount {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}

/// `fusedb --version`: names the version of the command and of the format.
struct Version: Command {
  static let name = "--version"
  static let summary = "name the version of the command and of the format"
  static let operands = ""
  static let options: [Option] = []
  static let help = ""

  /// The version of this package.
  static let text = "0.1.0"
  /// When that was, for the manual pages.
  static let date = "November 29, 2026"

  init() {}

  init(parsing arguments: inout Arguments) {}

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    try console.out.line("fusedb \(Self.text) (FSDB format 2)")
    return .done
  }
}
