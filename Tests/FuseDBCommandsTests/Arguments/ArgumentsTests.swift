import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBCommands
@testable import FuseDBInput

/// A command that only keeps what it was given.
private struct Probe: Command {
  static let name = "probe"
  static let summary = ""
  static let operands = ""
  static let help = ""
  static let options: [Option] = [
    .flag("--json", short: "-j", ""), .value("--out", short: "-o", "FILE", ""),
    .value("--key", "FIELD", "", repeats: true), .value("--limit", "N", ""),
    .value("--order", "key|insertion", ""),
  ]

  init(parsing arguments: inout Arguments) {}
  func run(_ console: Console) throws(FuseError) -> FuseDBCommands.ExitStatus { .done }
}

private func parse(_ words: [String]) throws(UsageError) -> Arguments {
  try Arguments(words.map { Array($0.utf8) }[...], of: Probe.name, options: Probe.options)
}

private func texts(_ words: [[UInt8]]) -> [String] { words.map { String(decoding: $0, as: UTF8.self) } }

struct ArgumentsTests {
  @Test(arguments: [
    ["--key", "a", "file", "--json", "--key=b"], ["file", "--key=a", "--key", "b", "--json"],
    ["--json", "--key", "a", "--key", "b", "--", "file"],
  ])
  func `options may stand anywhere, with their value after a space or an equals sign`(words: [String]) throws {
    var arguments = try parse(words)
    #expect(texts(arguments.values(of: "--key")) == ["a", "b"])
    #expect(arguments.has("--json"))
    #expect(!arguments.has("--limit"))
    #expect(try texts([arguments.operand("FILE")]) == ["file"])
    try arguments.finish()
  }

  @Test(arguments: [["-o", "a=b", "-j", "x"], ["x", "-oa=b", "-j"], ["--json", "--out=a=b", "x"]])
  func `some options have a letter, with their value after a space or at once`(words: [String]) throws {
    var arguments = try parse(words)
    #expect(arguments.text(of: "--out") == "a=b")
    #expect(arguments.has("--json"))
    #expect(try texts([arguments.operand("FILE")]) == ["x"])
    try arguments.finish()
  }

  @Test(arguments: ["-o", "--output"])
  func `a command that does not end says where its results go`(word: String) {
    #expect(Scratch().run("watch", "x", word, "y").err.contains("'> FILE' keeps that"))
  }

  @Test(arguments: [
    (["-"], ["-"]), (["--", "--json"], ["--json"]), (["--", "--", "-x"], ["--", "-x"]),
    (["a", "", "b"], ["a", "", "b"]),
    (["--key", "--json"], []), (["--key=", "x"], ["x"]), (["--key", "-", "-"], ["-"]),
  ])
  func `what is no option and no value of one is an operand`(words: [String], operands: [String]) throws {
    var arguments = try parse(words)
    #expect(texts(arguments.remaining()) == operands)
  }

  @Test(arguments: [("--key==", "="), ("--key=a=b", "a=b"), ("--key=", "")])
  func `only the first equals sign ends the name of an option`(word: String, value: String) throws {
    #expect(try texts(parse([word]).values(of: "--key")) == [value])
  }

  @Test func `operands and values are bytes, whether or not they are text`() throws {
    let words: [[UInt8]] = [[0xFF, 0x00, 0x3D], Array("--key=".utf8) + [0xC3, 0x28], Array("--key".utf8), [0x80]]
    var arguments = try Arguments(words[...], of: Probe.name, options: Probe.options)
    #expect(arguments.values(of: "--key") == [[0xC3, 0x28], [0x80]])
    #expect(try arguments.operand("KEY") == [0xFF, 0x00, 0x3D])
  }

  @Test(arguments: [
    (["--jsn"], "there is no option '--jsn'; did you mean '--json'?"),
    (["--lim=3"], "there is no option '--lim'; did you mean '--limit'?"),
    (["-x"], "there is no option '-x'; put '--' before an argument that begins with '-'"),
    (["-ox", "-o", "y"], "the option -o is given twice"),
    (["--out", "x", "-o", "y"], "the option -o is given twice"),
    (["-o"], "the option -o lacks its value FILE"),
    (["-o=x"], "the option -o takes its value without a '=', as in -o FILE"),
    (["-json"], "the option -j takes no value; did you mean '--json'?"),
    (["-jx"], "the option -j takes no value"),
    (["--json=yes"], "the option --json takes no value"),
    (["--limit"], "the option --limit lacks its value N"),
    (["--limit", "1", "--limit", "2"], "the option --limit is given twice"),
    (["--json", "--json"], "the option --json is given twice"),
  ])
  func `options that are wrong are named`(words: [String], message: String) {
    #expect(throws: UsageError(message, in: "probe")) { _ = try parse(words) }
  }

  @Test func `an operand that is missing, and one too many, are named`() throws {
    var none = try parse([])
    #expect(throws: UsageError("FILE is missing", in: "probe")) { _ = try none.path("FILE") }
    let one = try parse(["extra"])
    #expect(throws: UsageError("the argument \"extra\" is one too many", in: "probe")) {
      try one.finish()
    }
  }

  @Test func `a path that is not UTF-8 is spelled as text`() throws {
    var arguments = try Arguments([[0x61, 0xFF]][...], of: Probe.name, options: Probe.options)
    #expect(try arguments.path("FILE") == "a\u{FFFD}ff")
  }

  @Test func `a path that is empty is refused under the name of its operand`() throws {
    let message = "FILE is empty; it must be the path of a file"
    var first = try parse(["", "a"])
    #expect(throws: UsageError(message, in: "probe")) { _ = try first.path("FILE") }
    var last = try parse(["a", ""])
    #expect(throws: UsageError(message, in: "probe")) { _ = try last.remainingPaths("FILE") }
  }

  @Test(arguments: [("0", 0), ("17", 17), ("007", 7)])
  func `a count is a number from 0 on`(text: String, count: Int) throws {
    #expect(try parse(["--limit", text]).count(of: "--limit") == count)
  }

  @Test(arguments: ["-1", "+1", "x", "", "1.5", " 1", "99999999999999999999"])
  func `what is no count is refused`(text: String) throws {
    let arguments = try parse(["--limit", text])
    #expect(throws: UsageError.self) { _ = try arguments.count(of: "--limit") }
  }

  @Test func `a choice is one of its words`() throws {
    let choices: KeyValuePairs = ["key": 1, "insertion": 2]
    #expect(try parse([]).choice(of: "--order", choices) == nil)
    #expect(try parse(["--order", "insertion"]).choice(of: "--order", choices) == 2)
    let wrong = try parse(["--order=keys"])
    let message = "the option --order takes key or insertion, and not 'keys'; did you mean 'key'?"
    #expect(throws: UsageError(message, in: "probe")) {
      _ = try wrong.choice(of: "--order", choices)
    }
  }
}

struct NearestNameTests {
  @Test(arguments: [
    ("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("get", "gte", 1), ("abc", "abc", 0),
    ("ab", "ba", 1),
    ("flaw", "lawn", 2),
  ])
  func `the distance counts letters put in, left out, replaced and swapped`(left: String, right: String, distance: Int)
  {
    #expect(editDistance(left, right) == distance)
    #expect(editDistance(right, left) == distance)
  }

  @Test(arguments: [
    ("bild", "build"), ("gte", "get"), ("veri", "verify"), ("prefx", "prefix"), ("xyz", nil), ("g", nil),
    ("stat", "stats"),
    ("dumb", "dump"), ("keys!", "keys"), ("", nil),
  ])
  func `the name that was probably meant is hinted at, and no other`(word: String, hint: String?) {
    let names = ["build", "get", "prefix", "keys", "dump", "stats", "verify"]
    #expect(nearestName(to: word, among: names) == (hint.map { "; did you mean '\($0)'?" } ?? ""))
  }
}
