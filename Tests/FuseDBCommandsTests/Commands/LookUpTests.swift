import ProgramSupport
import Testing

@testable import FuseDBCommands

/// Objects of all kinds under keys of all kinds.
private let records = #"""
  {"keys":["8.8.8.8","8.8.4.4"],"value":{"org":"Google","geo":{"at":[37.4,-122.1],"c.d":"dot","e\\f":"slash"},"tags":["dns",{"n":1}]}}
  {"keys":["text"],"value":"line\nbreak\ttab\\"}
  {"keys":["number"],"value":42}
  {"keys":["twice"],"value":{"a":1,"a":2}}
  {"keys":["odd"],"value":{"$map":[[1,"one"],["1","text one"],[{"$str":"ff"},{"$str":"fe"}]]}}
  {"keys":["long"],"value":{"$msgpack":"de0001d90161d90162"}}
  {"keys":[{"$bin":"ff09"},"","-","a\\b\n"],"value":null}
  """#

private func database() -> Scratch {
  let scratch = Scratch()
  #expect(scratch.run("build", "@x.fsdb", "--quiet", input: records) == Scratch.Result(0))
  return scratch
}

struct GetTests {
  @Test(arguments: [
    ("8.8.4.4", #"{"org":"Google","geo":{"at":[37.4,-122.1],"c.d":"dot","e\\f":"slash"},"tags":["dns",{"n":1}]}"#),
    ("text", #""line\nbreak\ttab\\""#), ("number", "42"), ("", "null"), ("-", "null"), ("a\\b\n", "null"),
    ("long", #"{"$msgpack":"de0001d90161d90162"}"#),
  ])
  func `one key gives its value as JSON`(key: String, value: String) {
    #expect(database().run("get", "@x.fsdb", key) == Scratch.Result(0, out: value + "\n"))
  }

  @Test func `several keys give lines of key, tab and value`() {
    let result = database().run("get", "@x.fsdb", "number", "a\\b\n", "absent\t", "number")
    #expect(
      result
        == Scratch.Result(
          1, out: "number\t42\na\\\\b\\n\tnull\nnumber\t42\n", err: "fusedb: @x.fsdb: no such key: absent\\t\n"))
  }

  @Test func `keys are bytes`() {
    let scratch = database()
    let words = [Array("get".utf8), Array(scratch.path("x.fsdb").utf8), [0xFF, 0x09], [0xFF]]
    #expect(
      scratch.run(words) == Scratch.Result(1, out: "\\xff\\t\tnull\n", err: "fusedb: @x.fsdb: no such key: \\xff\n"))
    #expect(
      scratch.run(words + [Array("--json".utf8)])
        == Scratch.Result(
          1,
          out: """
            {"key":{"$bin":"ff09"},"found":true,"value":null}
            {"key":{"$bin":"ff"},"found":false}

            """))
  }

  @Test func `an absent key is the answer no`() {
    #expect(
      database().run("get", "@x.fsdb", "absent") == Scratch.Result(1, err: "fusedb: @x.fsdb: no such key: absent\n"))
    #expect(
      database().run("get", "@x.fsdb", "absent", "--json")
        == Scratch.Result(1, out: "{\"key\":\"absent\",\"found\":false}\n"))
  }

  @Test(arguments: [
    ("8.8.8.8", "org", "Google"), ("8.8.8.8", "geo.at.1", "-122.1"), ("8.8.8.8", "geo.at", "[37.4,-122.1]"),
    ("8.8.8.8", "tags.0", "dns"),
    ("8.8.8.8", "tags.1.n", "1"), ("8.8.8.8", "tags.01.n", "1"), ("8.8.8.8", #"geo.c\.d"#, "dot"),
    ("8.8.8.8", #"geo.e\\f"#, "slash"),
    ("twice", "a", "2"), ("odd", "1", "text one"), ("long", "a", "b"),
  ])
  func `a path leads into the value, and a string at its end is bare`(key: String, field: String, value: String) {
    #expect(database().run("get", "@x.fsdb", key, "--field", field) == Scratch.Result(0, out: value + "\n"))
  }

  @Test(arguments: [
    ("8.8.8.8", "absent"), ("8.8.8.8", "geo.at.2"), ("8.8.8.8", "geo.at.-1"), ("8.8.8.8", "geo.at.x"),
    ("8.8.8.8", "geo.at."), ("8.8.8.8", "org.0"),
    ("8.8.8.8", "geo.c.d"), ("8.8.8.8", "tags.99999999999999999999"), ("number", "0"), ("odd", "one"), ("number", ""),
    ("8.8.8.8", ".org"),
  ])
  func `a path that leads nowhere is the answer no`(key: String, field: String) {
    let hint = ["geo.c.d": #" (did you mean 'geo.c\.d'?)"#, ".org": " (did you mean 'org'?)"][field] ?? ""
    #expect(
      database().run("get", "@x.fsdb", key, "--field", field)
        == Scratch.Result(1, err: "fusedb: @x.fsdb: no field \(field)\(hint) in the value of the key: \(key)\n"))
    #expect(
      database().run("get", "@x.fsdb", key, "--field", field, "--json")
        == Scratch.Result(1, out: "{\"key\":\"\(key)\",\"found\":false}\n"))
  }

  @Test func `a bare string keeps to its line where lines are answers`() {
    let scratch = Scratch()
    let input = #"{"keys":["a","b"],"value":{"s":"x\ny\\"}}"#
    #expect(scratch.run("build", "@x.fsdb", "--quiet", input: input).status == 0)
    #expect(scratch.run("get", "@x.fsdb", "a", "--field", "s").out == "x\ny\\\n")
    #expect(scratch.run("get", "@x.fsdb", "a", "b", "--field", "s").out == "a\tx\\ny\\\\\nb\tx\\ny\\\\\n")
    #expect(
      scratch.run("get", "@x.fsdb", "a", "--field", "s", "--json").out == #"{"key":"a","found":true,"value":"x\ny\\"}"#
        + "\n")
  }

  @Test func `several fields are columns, and absent ones keep their place [K3]`() {
    let scratch = database()
    let words = ["get", "@x.fsdb", "--field", "tags.1.n", "--field", "geo.c\\.d", "--field", "none", "--field", "org"]
    let noField = "fusedb: @x.fsdb: no field none in the value of the key: "
    #expect(
      scratch.run(words + ["8.8.8.8"]) == Scratch.Result(1, out: "1\tdot\t\tGoogle\n", err: noField + "8.8.8.8\n"))
    #expect(
      scratch.run(words + ["8.8.8.8", "gone", "8.8.4.4"])
        == Scratch.Result(
          1, out: "8.8.8.8\t1\tdot\t\tGoogle\n8.8.4.4\t1\tdot\t\tGoogle\n",
          err: noField + "8.8.8.8\nfusedb: @x.fsdb: no such key: gone\n" + noField + "8.8.4.4\n"))
    #expect(scratch.run(["get", "@x.fsdb", "8.8.8.8", "--field", "org", "--field", "geo"]).status == 0)
    // A key without any of the fields has its line.
    #expect(
      scratch.run("get", "@x.fsdb", "number", "--field", "a", "--field", "b")
        == Scratch.Result(
          1, out: "\t\n",
          err: ["a", "b"].map { "fusedb: @x.fsdb: no field \($0) in the value of the key: number\n" }.joined()))
  }

  @Test func `several fields in JSON are the members that are there [K3]`() {
    let scratch = database()
    let words = ["get", "@x.fsdb", "--json", "--field", "tags.0", "--field", "none", "--field", #"geo.c\.d"#]
    #expect(
      scratch.run(words + ["8.8.8.8", "gone", "number"])
        == Scratch.Result(
          1,
          out: #"""
            {"key":"8.8.8.8","found":true,"fields":{"tags.0":"dns","geo.c\\.d":"dot"}}
            {"key":"gone","found":false}
            {"key":"number","found":true,"fields":{}}

            """#))
    #expect(
      scratch.run("get", "@x.fsdb", "8.8.8.8", "--json", "--field", "org", "--field", "tags.1")
        == Scratch.Result(
          0, out: #"{"key":"8.8.8.8","found":true,"fields":{"org":"Google","tags.1":{"n":1}}}"# + "\n"))
  }

  @Test func `a string among several fields ends neither its column nor its line`() {
    let scratch = Scratch()
    #expect(
      scratch.run("build", "@x.fsdb", "--quiet", input: #"{"keys":["a"],"value":{"s":"x\ty\n\\","":null}}"#).status == 0
    )
    #expect(
      scratch.run("get", "@x.fsdb", "a", "--field", "s", "--field", "")
        == Scratch.Result(0, out: "x\\ty\\n\\\\\tnull\n"))
  }

  @Test func `keys can come from a list, as they are`() {
    let scratch = database()
    let expected = Scratch.Result(
      1,
      out: "number\t42\n\tnull\n8.8.8.8\tGoogle\n".replacing("Google", with: "\"Google\"").replacing(
        "8.8.8.8\t\"Google\"\n", with: ""),
      err: "fusedb: @x.fsdb: no such key: number\\r\n")
    #expect(scratch.run("get", "@x.fsdb", "--keys-from", "-", input: "number\n\nnumber\r\n") == expected)
    scratch.write("number\n\nnumber\r", to: "list")
    #expect(scratch.run("get", "@x.fsdb", "--keys-from", "@list") == expected)
    #expect(
      scratch.run("get", "@x.fsdb", "text", "--keys-from", "@list").out == "text\t\"line\\nbreak\\ttab\\\\\"\n"
        + expected.out)
    #expect(scratch.run("get", "@x.fsdb", "text", "--keys-from", "@absent").status == 66)
  }

  @Test(arguments: [
    (["get"], "FILE is missing"), (["get", "x"], "KEY is missing"), (["get", "", "a"], "FILE is empty; "),
    (["get", "x", "--keys-from", ""], "LIST is empty; "),
    (["get", "x", "k", "--field", "a", "--field", "a"], "the field \"a\" is given twice"),
    (["get", "x", "k", "--raw"], "there is no option '--raw'"),
  ])
  func `wrong usage is named`(words: [String], message: String) {
    let result = Scratch().run(words)
    #expect(result.status == 64)
    #expect(result.err.hasPrefix("fusedb: get: " + message))
  }

  @Test(arguments: ["get", "prefix", "keys", "dump", "stats"])
  func `a file that is absent, and one that is none, have their own exit status`(command: String) {
    let scratch = Scratch()
    scratch.write(String(repeating: "text", count: 20), to: "text")
    let more = ["get", "prefix"].contains(command) ? ["k"] : []
    let absent = scratch.run([command, "@absent"] + more)
    #expect(absent == Scratch.Result(66, err: "fusedb: @absent: cannot open the file: No such file or directory\n"))
    let text = scratch.run([command, "@text"] + more)
    #expect(text.status == 65)
    #expect(text.err.hasPrefix("fusedb: @text: offset 0: the file does not begin with \"FSDB\""))
  }
}

struct ScanTests {
  private static let keys = [
    "\"\"", "\"-\"", "\"8.8.4.4\"", "\"8.8.8.8\"", #""a\\b\n""#, "\"long\"", "\"number\"", "\"odd\"", "\"text\"",
    "\"twice\"",
    #"{"$bin":"ff09"}"#,
  ]

  @Test(arguments: [
    ([], 0..<11), (["--limit", "3"], 0..<3), (["--limit", "0"], 0..<0), (["--limit", "99"], 0..<11),
    (["--from", "long"], 5..<11),
    (["--from", "m"], 6..<11), (["--from", ""], 0..<11), (["--from", "z", "--limit", "1"], 10..<11),
  ])
  func `keys come in order from a key on`(words: [String], range: Range<Int>) {
    #expect(
      database().run(["keys", "@x.fsdb", "--json"] + words)
        == Scratch.Result(0, out: Self.keys[range].map { $0 + "\n" }.joined()))
  }

  @Test(arguments: [
    ([], 0..<11), (["--limit", "3"], 8..<11), (["--from", "m"], 6..<11), (["--from", "m", "--limit", "2"], 9..<11),
  ])
  func `keys come from the largest to the smallest when asked`(words: [String], range: Range<Int>) {
    let lines = Self.keys[range].reversed().map { $0 + "\n" }.joined()
    #expect(database().run(["keys", "@x.fsdb", "--json", "--reverse"] + words) == Scratch.Result(0, out: lines))
  }

  @Test func `a key is one line whatever its bytes`() {
    #expect(
      database().run("keys", "@x.fsdb").out
        == "\n-\n8.8.4.4\n8.8.8.8\na\\\\b\\n\nlong\nnumber\nodd\ntext\ntwice\n\\xff\\t\n")
  }

  @Test(arguments: [
    (["t"], "text\t\"line\\nbreak\\ttab\\\\\"\ntwice\t{\"a\":1,\"a\":2}\n"),
    (["t", "--reverse", "--limit", "1"], "twice\t{\"a\":1,\"a\":2}\n"),
    (["number"], "number\t42\n"), (["absent"], ""), (["n", "--json"], "{\"key\":\"number\",\"value\":42}\n"),
    (["", "--count"], "11\n"),
    (["8.", "--count"], "2\n"), (["absent", "--count", "--json"], "{\"count\":0}\n"),
    (["8.", "--count", "--limit", "1"], "1\n"),
    (["--", "-"], "-\tnull\n"),
  ])
  func `a prefix gives the keys that begin with it`(words: [String], out: String) {
    #expect(database().run(["prefix", "@x.fsdb"] + words) == Scratch.Result(0, out: out))
  }

  @Test func `a prefix is bytes`() {
    let scratch = database()
    let words = [Array("prefix".utf8), Array(scratch.path("x.fsdb").utf8), [0xFF]]
    #expect(scratch.run(words) == Scratch.Result(0, out: "\\xff\\t\tnull\n"))
    #expect(scratch.run(words + [Array("--json".utf8)]).out == "{\"key\":{\"$bin\":\"ff09\"},\"value\":null}\n")
  }
}
