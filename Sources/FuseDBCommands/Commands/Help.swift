internal import FuseDB
internal import FuseDBInput

/// `fusedb help`: explains the commands.
struct Help: Command {
  static let name = "help"
  static let summary = "explain a command"
  static let operands = "[COMMAND]"
  static let options: [Option] = []
  static let help = """
    Example:
      $ fusedb help build
    """

  var command: (any Command.Type)?

  init(about command: (any Command.Type)?) { self.command = command }

  init(parsing arguments: inout Arguments) throws(UsageError) {
    let words = arguments.remaining()
    guard words.count <= 1 else { throw arguments.error("one COMMAND at a time") }
    for word in words { command = try Self.command(named: String(decoding: word, as: UTF8.self)) }
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    try console.out.line(command.map(Self.page(of:)) ?? Self.overview)
    return .done
  }

  /// Every command, in the order in which `fusedb help` lists them.
  static var commands: [any Command.Type] {
    [
      Build.self, Get.self, Enrich.self, Networks.self, Prefix.self, Keys.self, Dump.self, Stats.self, Verify.self,
      Merge.self,
      Diff.self,
      Patch.self, Reindex.self, Watch.self, Bench.self, Help.self,
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

      \(ExitStatus.table)

      Example:
        $ echo '{"keys":["8.8.8.8","gmail.com"],"value":{"org":"Google LLC"}}' | fusedb build -o geo.fsdb
        geo.fsdb: 2 keys -> 1 object, 448 bytes; sharing saved 24 bytes
        $ fusedb get geo.fsdb gmail.com
        {"org":"Google LLC"}
      """
  }

  /// All about one command.
  static func page(of command: any Command.Type) -> String {
    var parts = ["Usage: fusedb \(command.name) \(command.operands)" + (command.options.isEmpty ? "" : " [OPTION...]")]
    parts.append("fusedb \(command.name): \(command.summary).")
    if !command.options.isEmpty { parts.append("Options:\n" + table(of: command.options)) }
    parts.append(command.help)
    parts.append("'fusedb help' lists all exit statuses.")
    return parts.joined(separator: "\n\n")
  }

  private static let columnCount = 80

  /// The options, one below the other, and beside each what it does.
  private static func table(of options: [Option]) -> String {
    let heads = options.map { ($0.short.map { $0 + ", " } ?? "") + $0.name + ($0.value.map { " " + $0 } ?? "") }
    let width = heads.map { $0.count }.max() ?? 0
    let margin = "\n" + String(repeating: " ", count: width + 4)
    return zip(heads, options).map { head, option in
      let lines = lines(of: option.help, columnCount: columnCount - width - 4)
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

  init() {}

  init(parsing arguments: inout Arguments) {}

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    try console.out.line("fusedb \(Self.text) (FSDB format 2)")
    return .done
  }
}
