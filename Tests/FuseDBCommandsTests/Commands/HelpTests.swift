import ProgramSupport
import Testing

@testable import FuseDBCommands

struct HelpTests {
  private static let names = [
    "build", "get", "enrich", "networks", "prefix", "keys", "dump", "stats", "verify", "merge", "diff", "patch",
    "reindex", "export", "watch", "bench", "completions", "man", "help",
  ]

  @Test func `the version is named`() {
    #expect(Scratch().run("--version") == Scratch.Result(0, out: "fusedb 0.1.0 (FSDB format 2)\n"))
  }

  @Test func `help lists every command`() {
    let help = Scratch().run("help")
    #expect(help.status == 0)
    #expect(help.err == "")
    for name in Self.names { #expect(help.out.lines.contains { $0.hasPrefix("  \(name) ") }) }
    #expect(Scratch().run("--help") == help)
    #expect(Scratch().run("-h") == help)
  }

  @Test(arguments: names)
  func `every command has a page that names all its options`(name: String) throws {
    let page = Scratch().run("help", name)
    #expect(page.status == 0)
    #expect(page.out.hasPrefix("Usage: fusedb \(name) "))
    let command = try Help.command(named: name)
    for option in command.allOptions {
      #expect(
        page.out.contains(
          "\n  \(option.short.map { $0 + ", " } ?? "")\(option.name)\(option.isValueOptional ? "[" : " ")"))
    }
    #expect(Scratch().run(name, "--help") == page)
    #expect(Scratch().run("--help", name) == page)
    #expect(Scratch().run("-h", name) == page)
    #expect(Scratch().run(name, "--nonsense", "--help") == page)
    // What examples print may be longer.
    #expect(page.out.lines.prefix { $0 != "Example:" }.allSatisfy { $0.count <= 80 })
  }

  @Test(arguments: names)
  func `the examples of a page print what it says`(name: String) throws {
    try check(Scratch().run("help", name).out)
  }

  @Test func `the examples of the overview print what it says`() throws {
    try check(Scratch().run("help").out)
  }

  @Test func `without a command, the list of commands is on standard error`() {
    let result = Scratch().run()
    #expect(result.status == 64)
    #expect(result.out == "")
    #expect(result.err.hasPrefix("fusedb: a command is missing\n"))
    #expect(result.err.contains("Usage: fusedb COMMAND"))
  }

  @Test(arguments: [
    (["gte"], "fusedb: there is no command 'gte'; did you mean 'get'?\n'fusedb help' lists the commands.\n"),
    (["help", "gte"], "fusedb: there is no command 'gte'; did you mean 'get'?\n'fusedb help' lists the commands.\n"),
    (["frobnicate"], "fusedb: there is no command 'frobnicate'\n'fusedb help' lists the commands.\n"),
    (["--help", "gte"], "fusedb: there is no command 'gte'; did you mean 'get'?\n'fusedb help' lists the commands.\n"),
    (["-h", "frobnicate"], "fusedb: there is no command 'frobnicate'\n'fusedb help' lists the commands.\n"),
    (["--version", "get"], "fusedb: --version takes no arguments\n'fusedb help' lists the commands.\n"),
    (["--help", "get", "keys"], "fusedb: help: one COMMAND at a time\n'fusedb help help' explains the command.\n"),
    (["help", "get", "keys"], "fusedb: help: one COMMAND at a time\n'fusedb help help' explains the command.\n"),
  ])
  func `a command that is none is wrong usage`(words: [String], err: String) {
    #expect(Scratch().run(words) == Scratch.Result(64, err: err))
  }

  @Test func `help after two dashes is an operand`() {
    #expect(Scratch().run("get", "@absent", "--", "--help").status == 66)
  }

  // MARK: Examples

  /// Runs the lines after "$" one after the other, with the file that other pages begin with, and compares what they print.
  private func check(_ page: String) throws {
    let lines = page.lines.drop { $0 != "Example:" }.dropFirst().prefix { $0.hasPrefix("  ") }.map {
      String($0.dropFirst(2))
    }
    let scratch = Scratch()
    scratch.write(Self.networks, to: "networks.csv")
    scratch.write(Self.events, to: "events.ndjson")
    scratch.write("ip,path\n1.1.1.1,/\n", to: "events.csv")
    if !lines.contains(where: { $0.hasPrefix("$ fusedb build -o networks.fsdb") }) {
      #expect(
        scratch.run(["build", "@networks.fsdb", "@networks.csv", "--key", "network", "--type", "asn=int", "--quiet"])
          .status == 0)
    }
    let examples = lines.split { $0.hasPrefix("$ ") }
    let commands = lines.filter { $0.hasPrefix("$ ") }.map { String($0.dropFirst(2)) }
    #expect(!commands.isEmpty)
    var printed = examples.map { $0.joined(separator: "\n") + "\n" }[...]
    for command in commands {
      // It has no end; Tests/Interop/test_watch.py looks at it.
      if command.hasPrefix("fusedb watch") { continue }
      let found = output(of: command, in: scratch).replacing("@", with: "")
      // A command that prints nothing, or whose page is too long to quote, has no lines of its own.
      // Nor has one that prints times.
      if command.hasPrefix("fusedb help") || command.hasPrefix("fusedb man") || command.hasPrefix("fusedb bench")
        || found.isEmpty
      {
        continue
      }
      #expect(found == printed.popFirst(), "\(command)")
    }
  }

  private static let networks = """
    network,asn,org
    8.8.8.0/24,15169,Google LLC
    8.8.4.0/24,15169,Google LLC
    1.1.1.0/24,13335,"Cloudflare, Inc."

    """

  private static let events = """
    {"ip":"8.8.8.8","path":"/"}
    {"ip":"10.0.0.1", "path":"/login"}

    """

  /// What a line of the shell prints, of the few that examples have.
  private func output(of line: String, in scratch: Scratch) -> String {
    if line == "cat networks.csv" { return Self.networks }
    if line == "cat events.ndjson" { return Self.events }
    var input = ""
    for part in line.replacing(" | ", with: "\u{0}").split(separator: "\u{0}").map(String.init) {
      if part.hasPrefix("echo '") {
        input = part.dropFirst("echo '".count).dropLast() + "\n"
        continue
      }
      let words = part.split(separator: " ").dropFirst().map {
        $0.contains(".fsdb") || $0.hasSuffix(".csv") || $0.hasSuffix(".ndjson") || $0.hasSuffix(".patch")
          || $0.hasSuffix(".mmdb") || $0.hasSuffix("/")
          ? "@" + $0 : String($0)
      }
      let result = scratch.run(words, input: input)
      input = result.out + result.err.lines.filter { !$0.hasPrefix("fusedb: ") }.map { $0 + "\n" }.joined()
    }
    return input
  }
}
