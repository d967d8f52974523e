import ProgramSupport
import Testing

@testable import FuseDBCommands

private let input = #"{"keys":["b","a"],"value":{"n":1}}"# + "\n" + #"{"keys":["c"],"value":"text"}"# + "\n"

/// A plain file of 98 bytes.
private func plain() -> Scratch {
  let scratch = Scratch()
  #expect(scratch.run("build", "@x.fsdb", "--quiet", "--plain", input: input) == Scratch.Result(0))
  #expect(scratch.read("x.fsdb")?.count == 98)
  return scratch
}

struct ReindexCommandTests {
  @Test func `a plain file becomes what build writes without --plain`() {
    let scratch = plain()
    #expect(scratch.run("build", "@y.fsdb", "--quiet", input: input).status == 0)
    let byteCount = scratch.read("y.fsdb")!.count
    #expect(
      scratch.run("reindex", "@x.fsdb")
        == Scratch.Result(0, err: "@x.fsdb: 3 keys indexed, 98 bytes -> \(byteCount) bytes\n"))
    #expect(scratch.read("x.fsdb") == scratch.read("y.fsdb"))
    #expect(scratch.run("reindex", "@x.fsdb", "--quiet") == Scratch.Result(0))
    #expect(scratch.read("x.fsdb") == scratch.read("y.fsdb"))
    #expect(scratch.names == ["x.fsdb", "y.fsdb"])
  }

  @Test func `the report for programs is a line for each file`() {
    let scratch = plain()
    let once = scratch.run("reindex", "@x.fsdb", "--json")
    let byteCount = scratch.read("x.fsdb")!.count
    let rest = "\"bytes\":\(byteCount)"
    #expect(
      once
        == Scratch.Result(
          0,
          out: """
            {"path":"@x.fsdb","keys":3,"replaced":{"keys":3},"objects":2,\(rest),"bytesBefore":98,"extensionBytes":\(byteCount - 98),"wasPlain":true,"networks":null,"literalKeys":0}

            """))
    let twice = scratch.run("reindex", "@x.fsdb", "@x.fsdb", "--json")
    #expect(twice.out.lines.count == 2)
    #expect(twice.out.contains("\"bytesBefore\":\(byteCount),\"extensionBytes\":\(byteCount - 98),\"wasPlain\":false,"))
  }

  @Test func `metadata are given anew or kept`() {
    let scratch = plain()
    #expect(scratch.run("reindex", "@x.fsdb", "--meta", "source=a=b", "--meta", "note=").status == 0)
    #expect(scratch.run("stats", "@x.fsdb", "--json").out.hasSuffix(#""meta":{"note":"","source":"a=b"}}"# + "\n"))
    #expect(scratch.run("reindex", "@x.fsdb").status == 0)
    #expect(scratch.run("stats", "@x.fsdb", "--json").out.hasSuffix(#""meta":{"note":"","source":"a=b"}}"# + "\n"))
    #expect(scratch.run("reindex", "@x.fsdb", "--meta", "built=now\n").status == 0)
    #expect(scratch.run("stats", "@x.fsdb").out.lines.last == "  built: now\\n")
  }

  @Test func `a damaged file is left alone, and the others are done`() {
    let scratch = plain()
    var bytes = scratch.read("x.fsdb")!
    scratch.write(bytes, to: "y.fsdb")
    bytes[60] ^= 1
    scratch.write(bytes, to: "x.fsdb")
    let result = scratch.run("reindex", "@x.fsdb", "@y.fsdb")
    #expect(result.status == 65)
    #expect(result.err.hasPrefix("fusedb: @x.fsdb: offset 32: the bytes after the header have checksum "))
    #expect(scratch.read("x.fsdb") == bytes)
    #expect(scratch.read("y.fsdb")!.count > 98)
    #expect(scratch.run("reindex", "@x.fsdb", "@absent", "@y.fsdb").status == 66)
    #expect(scratch.names == ["x.fsdb", "y.fsdb"])
  }

  @Test(arguments: [
    (["build", "@z.fsdb", "--meta", "source"], "--meta takes K=V, and \"source\" has no '='"),
    (["reindex", "@x.fsdb", "--meta", "=x"], "--meta takes K=V, and in \"=x\" K is empty"),
    (["build", "@z.fsdb", "--meta", "a=1", "--meta", "a=2"], "--meta names \"a\" twice"),
    (["build", "@z.fsdb", "--meta", "a=1", "--plain"], "--meta needs the index that --plain leaves out"),
    (["reindex", "@x.fsdb", "--meta"], "the option --meta lacks its value K=V"),
    (["reindex"], "FILE is missing"),
  ])
  func `wrong usage is named, and nothing is written`(words: [String], message: String) {
    let scratch = plain()
    let result = scratch.run(words, input: input)
    #expect(result.status == 64)
    #expect(result.err.hasPrefix("fusedb: \(words[0]): \(message)"))
    #expect(scratch.names == ["x.fsdb"])
    #expect(scratch.read("x.fsdb")!.count == 98)
  }

  @Test func `metadata are text`() {
    let scratch = plain()
    let words = [
      Array("reindex".utf8), Array(scratch.path("x.fsdb").utf8), Array("--meta".utf8), Array("a=".utf8) + [0xFF],
    ]
    #expect(scratch.run(words).status == 64)
  }
}

struct BuildMetadataTests {
  @Test func `what build is given the file says, whatever the order`() {
    let scratch = Scratch()
    let meta = ["--meta", "source=registry", "--meta", "built=2026-01-31T12:00:00Z"]
    #expect(scratch.run(["build", "@x.fsdb", "--quiet"] + meta, input: input).status == 0)
    let turned = ["--meta", "built=2026-01-31T12:00:00Z", "--meta", "source=registry"]
    #expect(scratch.run(["build", "@y.fsdb", "--quiet"] + turned, input: input).status == 0)
    #expect(scratch.read("x.fsdb") == scratch.read("y.fsdb"))
    #expect(
      scratch.run("stats", "@x.fsdb", "--json").out.hasSuffix(
        #","meta":{"built":"2026-01-31T12:00:00Z","source":"registry"}}"# + "\n"))
    #expect(
      scratch.run("stats", "@x.fsdb").out.lines.suffix(2) == ["  built: 2026-01-31T12:00:00Z", "  source: registry"])
  }

  @Test func `insertion order alone keeps the index, and --plain leaves it out`() {
    let scratch = Scratch()
    for (words, isPlain) in [([], false), (["--order", "insertion"], false), (["--plain"], true)] {
      #expect(scratch.run(["build", "@x.fsdb", "--quiet"] + words, input: input).status == 0)
      let stats = scratch.run("stats", "@x.fsdb", "--json").out
      #expect(stats.contains("\"plain\":\(isPlain)"))
      #expect(stats.contains("\"extensionBytes\":0,") == isPlain)
      #expect(stats.contains("\"meta\":{}"))
    }
  }
}
