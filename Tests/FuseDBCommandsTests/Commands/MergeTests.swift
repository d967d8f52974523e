import ProgramSupport
import Testing

@testable import FuseDBCommands

/// `a.fsdb`, `b.fsdb` and `c.fsdb`, whose keys overlap.
private func three() -> Scratch {
  let scratch = Scratch()
  let inputs = [
    "a": #"{"keys":["k","same"],"value":1}"#,
    "b": #"{"keys":["k","b"],"value":2}"# + "\n" + #"{"keys":["same"],"value":1}"#,
    "c": #"{"keys":["b","c"],"value":2}"#,
  ]
  for (name, input) in inputs {
    #expect(scratch.run("build", "@\(name).fsdb", "--quiet", input: input) == Scratch.Result(0))
  }
  return scratch
}

struct MergeCommandTests {
  @Test func `the report says what was merged, and which file counts`() {
    let scratch = three()
    #expect(
      scratch.run("merge", "@o.fsdb", "@a.fsdb", "@b.fsdb", "@c.fsdb")
        == Scratch.Result(
          0,
          err: """
            @o.fsdb: 7 keys of 3 files -> 4 keys, 2 objects, 448 bytes; sharing saved 18 bytes
              1 key with different objects; the last file counts
                "k": @b.fsdb, not @a.fsdb

            """))
    #expect(
      scratch.run("get", "@o.fsdb", "k", "same", "b", "c") == Scratch.Result(0, out: "k\t2\nsame\t1\nb\t2\nc\t2\n"))
    let first = scratch.run("merge", "@o.fsdb", "@a.fsdb", "@b.fsdb", "--on-conflict", "first")
    #expect(first.err.hasSuffix("the first file counts\n    \"k\": @a.fsdb, not @b.fsdb\n"))
    #expect(scratch.run("get", "@o.fsdb", "k") == Scratch.Result(0, out: "1\n"))
  }

  @Test func `the report is JSON where a program reads it, and nothing where nobody wants one`() {
    let scratch = three()
    let json = scratch.run("merge", "@o.fsdb", "@a.fsdb", "@b.fsdb", "--json", "--subtract", "@c.fsdb")
    #expect(json.status == 0 && json.err == "")
    #expect(
      json.out.hasPrefix(
        #"{"output":"@o.fsdb","inputs":2,"inputKeys":5,"subtractedKeys":1,"keys":2,"replaced":null,"objects":2,"bytes":448,"bytesSavedBySharing":0,"conflictingKeys":1,"conflicts":[{"key":"k","kept":"@b.fsdb","dropped":"@a.fsdb"}],"networks":null,"literalKeys":0,"seconds":"#
      ))
    #expect(scratch.run("merge", "@o.fsdb", "@a.fsdb", "@b.fsdb", "--quiet") == Scratch.Result(0))
  }

  @Test func `keys are chosen by prefixes, and taken away by other files`() {
    let scratch = three()
    let words = ["merge", "@o.fsdb", "@a.fsdb", "@b.fsdb", "@c.fsdb", "--quiet", "--allow-empty"]
    for (options, keys) in [
      ([], "b\nc\nk\nsame\n"), (["--only-prefix", "s"], "same\n"),
      (["--only-prefix", "c", "--only-prefix", "k"], "c\nk\n"),
      (["--subtract", "@a.fsdb"], "b\nc\n"), (["--subtract", "@a.fsdb", "--subtract", "@c.fsdb"], ""),
    ] {
      #expect(scratch.run(words + options) == Scratch.Result(0))
      #expect(scratch.run("keys", "@o.fsdb") == Scratch.Result(0, out: keys))
    }
  }

  @Test func `what cannot be merged leaves everything as it is, under the right exit status`() {
    let scratch = three()
    scratch.write("text", to: "text")
    scratch.write("FSDB", to: "bad.fsdb")
    let before = scratch.names
    for (words, status, words2) in [
      (["@o.fsdb", "@a.fsdb", "@b.fsdb", "--on-conflict", "error"], 65, #"the key "k" has another object in @a.fsdb"#),
      (["@o.fsdb", "@a.fsdb", "@bad.fsdb"], 65, "@bad.fsdb"), (["@o.fsdb", "@a.fsdb", "@text"], 65, "@text"),
      (["@o.fsdb", "@a.fsdb", "@missing"], 66, "@missing"),
      (["@o.fsdb", "@a.fsdb", "--subtract", "@missing"], 66, "@missing"),
      (["@no/o.fsdb", "@a.fsdb"], 74, "@no/"), (["@text", "@a.fsdb"], 64, "say '-o @text @a.fsdb'"),
      (["@text", "@a.fsdb", "@b.fsdb"], 64, "would be overwritten"),
      (["-o", "@text", "@a.fsdb"], 64, "would be overwritten"),
      (["@b.fsdb", "@a.fsdb"], 64, "say '-o @b.fsdb @a.fsdb'"),
      (["@o.fsdb", "@a.fsdb", "--subtract", "@a.fsdb"], 65, "has 0 keys"),
      (["@o.fsdb"], 64, "INPUT is missing"),
      (["-", "@a.fsdb"], 64, "'-'"), (["@o.fsdb", "@a.fsdb", "--plain", "--meta", "a=b"], 64, "--meta"),
      (["@o.fsdb", "@a.fsdb", "--on-conflict", "both"], 64, "last, first or error"),
    ] as [([String], Int32, String)] {
      let result = scratch.run(["merge"] + words)
      #expect(result.status == status, "\(words): \(result.err)")
      #expect(result.err.contains(words2), "\(words): \(result.err)")
      #expect(scratch.names == before)
    }
  }

  @Test func `the file may be one of its inputs, and says what it is told to say`() {
    let scratch = three()
    #expect(
      scratch.run("merge", "@a.fsdb", "@a.fsdb", "@b.fsdb", "--meta", "built=today", "--quiet") == Scratch.Result(0))
    #expect(scratch.run("keys", "@a.fsdb") == Scratch.Result(0, out: "b\nk\nsame\n"))
    #expect(scratch.run("stats", "@a.fsdb").out.contains("today"))
    #expect(scratch.run("merge", "-o", "@a.fsdb", "@a.fsdb", "-q") == Scratch.Result(0))
    #expect(!scratch.run("stats", "@a.fsdb").out.contains("today"))
  }
}
