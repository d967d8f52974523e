internal import FuseDB

/// `fusedb man`: prints the manual page of a command.
struct Man: Command {
  static let name = "man"
  static let summary = "print the manual page of a command"
  static let operands = "[COMMAND]"
  static let options: [Option] = []
  static let help = """
    Prints a page in the language mdoc, for 'man' and 'mandoc': that of fusedb,
    or with COMMAND that of the command. It says what 'fusedb help' says. 'make
    install' puts all pages where 'man fusedb' and 'man fusedb-build' find them.

    Example:
      $ fusedb man build > fusedb-build.1
    """

  var command: (any Command.Type)?

  init(parsing arguments: inout Arguments) throws(UsageError) {
    command = try Help(parsing: &arguments).command
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    try console.out.line((command.map { ManPage(of: $0) } ?? ManPage()).text)
    return .done
  }
}

/// A manual page in mdoc, made of what the help is made of.
struct ManPage {
  private var lines: [String] = []
  var text: String { lines.joined(separator: "\n") }

  /// The page of fusedb.
  init() {
    begin("fusedb", "build and read immutable databases in which keys share values")
    lines += [".Nm fusedb", ".Ar COMMAND", ".Op Ar ARGUMENT ..."]
    section("DESCRIPTION")
    paragraphs(
      """
      Any number of keys can point at one value, and any number of processes can read the file at once. It is never
      changed, only replaced as a whole.

      Each command has a page of its own, such as fusedb-build(1). Results go to standard output, everything else to
      standard error.
      """)
    section("COMMANDS")
    list(Help.commands.map { (".It Cm \($0.name)", $0.summary) })
    section("OPTIONS")
    line("Every command takes:")
    list(Option.ofAll.map { (Self.head(of: $0), $0.help) })
    section("ENVIRONMENT")
    list([
      (".It Ev NO_COLOR", "If it is there and not empty, nothing is printed in colours, on terminals either."),
      (".It Ev TERM", "Neither on a terminal of the kind dumb."),
    ])
    section("EXIT STATUS")
    list(ExitStatus.meanings.map { (".It \($0.status)", $0.meaning) })
    section("EXAMPLES")
    literal(Help.example.split(separator: "\n").map { String($0) })
    section("SEE ALSO")
    let names = Help.commands.map { $0.name }.sorted()
    for name in names { lines.append(".Xr fusedb-\(name) 1" + (name == names.last ? "" : " ,")) }
  }

  /// The page of a command.
  init(of command: any Command.Type) {
    begin("fusedb-\(command.name)", command.summary)
    lines += [".Nm fusedb", ".Cm \(command.name)"] + Self.synopsis(command.operands) + [".Op Ar OPTION ..."]
    let blocks = Self.blocks(of: command.help)
    section("DESCRIPTION")
    for block in blocks where !block[0].hasPrefix("Exit status:") && block[0] != "Example:" { self.block(block) }
    section("OPTIONS")
    list(command.allOptions.map { (Self.head(of: $0), $0.help) })
    section("EXIT STATUS")
    for block in blocks where block[0].hasPrefix("Exit status:") {
      var block = block
      block[0].removeFirst("Exit status: ".count)
      paragraph(block)
      lines.append(".Pp")
    }
    lines += [".Xr fusedb 1", "lists all exit statuses."]
    section("EXAMPLES")
    for block in blocks where block[0] == "Example:" { literal(block.dropFirst().map { String($0.dropFirst(2)) }) }
    section("SEE ALSO")
    lines.append(".Xr fusedb 1")
  }

  private mutating func begin(_ name: String, _ summary: String) {
    lines = [
      ".Dd \(Version.date)", ".Dt \(name.uppercased()) 1", ".Os", ".Sh NAME", ".Nm \(name)",
      ".Nd \(Self.escaped(summary))",
      ".Sh SYNOPSIS",
    ]
  }

  private mutating func section(_ title: String) { lines.append(".Sh \(title)") }

  private mutating func list(_ items: [(head: String, text: String)]) {
    lines.append(".Bl -tag -width Ds")
    for (head, text) in items {
      lines.append(head)
      paragraph([text])
    }
    lines.append(".El")
  }

  private static func head(of option: Option) -> String {
    let value =
      option.value.map { value in
        option.isValueOptional ? " Ns Op = Ns Ar \(escaped(value))" : " Ar \(escaped(value))"
      } ?? ""
    let short = option.short.map { "Fl \($0.dropFirst())\(value) , " } ?? ""
    return ".It \(short)Fl \(escaped(String(option.name.dropFirst())))\(value)"
  }

  /// `[-o OUTPUT] FILE...` as macros, one a line.
  private static func synopsis(_ operands: String) -> [String] {
    var lines: [String] = []
    var isOption = false
    for word in operands.split(separator: " ") {
      let name = word.filter { $0 != "[" && $0 != "]" }
      if name == "-o" {
        lines.append((word.hasPrefix("[") ? ".Op " : ".") + "Fl o")
        isOption = true
      } else if isOption {
        lines[lines.count - 1] += " Ar \(name)"
        isOption = false
      } else {
        let argument = name.hasSuffix("...") ? "\(name.dropLast(3)) ..." : name
        lines.append((word.hasPrefix("[") ? ".Op " : ".") + "Ar \(argument)")
      }
    }
    return lines
  }

  // MARK: Text

  /// The parts of a text between empty lines.
  private static func blocks(of text: String) -> [[String]] {
    text.split(separator: "\n", omittingEmptySubsequences: false).split(separator: "").map { $0.map { String($0) } }
  }

  private mutating func paragraphs(_ text: String) {
    for block in Self.blocks(of: text) { self.block(block) }
  }

  private mutating func block(_ block: [String]) {
    if block.allSatisfy({ $0.hasPrefix("  ") }) { return literal(block.map { String($0.dropFirst(2)) }) }
    if let last = lines.last, !last.hasPrefix(".Sh") { lines.append(".Pp") }
    paragraph(block)
  }

  /// Text to be filled, each sentence on lines of its own.
  private mutating func paragraph(_ block: [String]) {
    var current = ""
    let words = block.joined(separator: " ").split(separator: " ")
    for (number, word) in words.enumerated() {
      if !current.isEmpty, current.utf8.count + word.utf8.count >= 78 {
        line(current)
        current = ""
      }
      current += (current.isEmpty ? "" : " ") + word
      let goesOn = number + 1 < words.count && words[number + 1].first!.isLowercase
      if !goesOn, word.hasSuffix(".") || word.hasSuffix(".)") {
        line(current)
        current = ""
      }
    }
    if !current.isEmpty { line(current) }
  }

  private mutating func literal(_ block: [String]) {
    lines.append(".Bd -literal -offset indent")
    for text in block { line(text) }
    lines.append(".Ed")
  }

  private mutating func line(_ text: String) {
    let isRequest = text.hasPrefix(".") || text.hasPrefix("'")
    lines.append((isRequest ? "\\&" : "") + Self.escaped(text))
  }

  /// Text that stands for itself, with characters that can be copied from the page into a shell.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\e"
      case "-": escaped += "\\-"
      case "'": escaped += "\\(aq"
      case "`": escaped += "\\(ga"
      case "^": escaped += "\\(ha"
      case "~": escaped += "\\(ti"
      case "\"": escaped += "\\(dq"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
