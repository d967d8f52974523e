import ProgramSupport
import Testing

@testable import FuseDBCommands

/// What names no field, what is no key, and what is no number to a parser.
struct BuildFieldsTests {
  private let scratch = Scratch()

  private func run(_ words: [String], _ input: [UInt8]) -> Scratch.Result {
    scratch.run(
      (["build", "@x.fsdb", "--quiet"] + words).map { Array($0.replacing("@", with: scratch.folder + "/").utf8) },
      input: input)
  }

  private func run(_ words: [String], _ input: String) -> Scratch.Result { run(words, Array(input.utf8)) }

  // MARK: Fields that no record has

  /// `{"id": "a", "name": 1}`
  private static let packed = bytes("82 a2 6964 a1 61 a4 6e616d65 01")
  private static let text = Array(#"{"id":"a","name":1}"#.utf8)

  @Test(arguments: [
    (
      ["--key", "id", "--keep", "nmae"], "\"nmae\", which --keep names",
      "; did you mean 'name'?; correct the name, or say --allow-missing\n"
    ),
    (
      ["--key", "id", "--key", "ip"], "\"ip\", which --key names",
      "; did you mean 'id'?; correct the name, or say --allow-missing\n"
    ),
    (
      ["--key", "id", "--keep", "far"], "\"far\", which --keep names",
      "\"name\"; correct the name, or say --allow-missing\n"
    ),
    (
      ["--key", "id", "--keep", "geo.city"], "\"geo.city\", which --keep names",
      "; correct the name, or say --allow-missing\n"
    ),
  ])
  func `a field that no record has is refused, and what stood there stays`(
    words: [String], field: String, end: String
  ) {
    #expect(scratch.run("build", "@x.fsdb", "--quiet", input: #"{"keys":["before"],"value":1}"#) == Scratch.Result(0))
    let before = scratch.read("x.fsdb")
    for (format, input) in [("ndjson", Self.text), ("msgpack", Self.packed)] {
      let result = run(["--format", format] + words, input)
      #expect(result.status == 65)
      #expect(
        result.err.hasPrefix("fusedb: no record has the field \(field); the fields are \"id\" and \"name\""),
        "\(result.err)")
      #expect(result.err.hasSuffix(end), "\(result.err)")
      #expect(scratch.read("x.fsdb") == before)
      #expect(run(["--format", format, "--allow-missing"] + words, input) == Scratch.Result(0))
      #expect(scratch.run("build", "@x.fsdb", "--quiet", input: #"{"keys":["before"],"value":1}"#) == Scratch.Result(0))
    }
  }

  @Test func `a field that one record of many inputs has is there, and lines of a dump say nothing of it`() {
    let lines = (0..<500).map { #"{"id":"k\#($0)"}"# }.joined(separator: "\n")
    #expect(run(["--key", "id", "--keep", "x"], lines + "\n" + #"{"id":"a","x":1}"#) == Scratch.Result(0))
    #expect(run(["--key", "id", "--keep", "x"], lines).status == 65)
    #expect(run(["--key", "id", "--keep", "x"], #"{"keys":["a"],"value":1}"#) == Scratch.Result(0))
    scratch.write("id,x\nb,2\n", to: "b.csv")
    #expect(run(["--key", "id", "--keep", "x", "-", "@b.csv"], lines) == Scratch.Result(0))
  }

  // MARK: Empty texts

  @Test(arguments: [
    ("ndjson", Array(#"{"id":"","x":1}"#.utf8)), ("ndjson", Array(#"{"id":{"$bin":""},"x":1}"#.utf8)),
    ("ndjson", Array(#"{"id":["",""],"x":1}"#.utf8)), ("ndjson", Array(#"{"id":null,"x":1}"#.utf8)),
    ("csv", Array("id,x\n,1\n".utf8)), ("tsv", Array("id\tx\n\"\"\t1\n".utf8)),
    ("msgpack", bytes("82 a2 6964 a0 a1 78 01")), ("msgpack", bytes("82 a2 6964 c400 a1 78 01")),
    ("msgpack", bytes("82 a2 6964 92a0a0 a1 78 01")), ("msgpack", bytes("82 a2 6964 c0 a1 78 01")),
  ])
  func `an empty text is no key in any format`(format: String, input: [UInt8]) {
    let alone = run(["--format", format, "--key", "id"], input)
    #expect(alone.status == 65)
    #expect(alone.err.contains("gives no key"), "\(alone.err)")
    #expect(run(["--format", format, "--key", "id", "--key", "x"], input) == Scratch.Result(0))
    #expect(scratch.run("keys", "@x.fsdb").out == "1\n")
  }

  @Test func `the empty key of a dump is a key`() {
    #expect(run([], #"{"keys":[""],"value":1}"#) == Scratch.Result(0))
    #expect(run(["--format", "msgpack"], bytes("92 91 a0 01")) == Scratch.Result(0))
    #expect(scratch.run("dump", "@x.fsdb").out == #"{"keys":[""],"value":1}"# + "\n")
  }

  // MARK: Integers of 128 bits

  private static let first = "42540766411282592856903984951653826560"
  private static let last = "42540766411282592856903984951653826561"

  @Test(arguments: [
    ("ndjson", #"{"a":\#(first),"b":\#(last),"v":1}"#),
    ("ndjson", #"{ "v" : 1 , "b" : \#(last) , "a" : "\#(first)" }"#),
    ("ndjson", #"{"v":1,"x":{"a":1},"a":\#(first),"b":\#(last)}"# + "\r"),
    ("csv", "a,b,v\n\(first),\(last),1\n"),
  ])
  func `the ends of a range may be integers of 128 bits`(format: String, input: String) {
    #expect(run(["--format", format, "--range", "a,b", "--key", "v"], input) == Scratch.Result(0))
    #expect(scratch.run("keys", "@x.fsdb").out == "1\n2001:db8::/127\n")
  }

  @Test func `integers of all lengths stand side by side, and the greatest is the last address`() {
    let most = "340282366920938463463374607431768211455"
    let lines = [
      #"{"a":1,"b":1,"v":1}"#, #"{"a":\#(most),"b":\#(most),"v":18446744073709551615}"#,
      #"{"a":2,"b":18446744073709551616,"v":"{\"a\":"}"#,
    ]
    #expect(run(["--range", "a,b", "--keep", "v"], lines.joined(separator: "\n")) == Scratch.Result(0))
    #expect(scratch.run("get", "@x.fsdb", "0.0.0.1/32", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128").status == 0)
  }

  @Test(arguments: [
    (#"{"a":340282366920938463463374607431768211456,"b":1,"v":1}"#, "in \"a\" is no address"),
    (
      #"{"a":1,"b":2,"v":18446744073709551616}"#,
      "not JSON at column 18: an integer is from -2^63 to 2^64 - 1; write a greater one in quotes"
    ),
    (#"{"a":1,"b":2,"v":{"a":18446744073709551616}}"#, "not JSON at column 23: an integer is from -2^63 to 2^64 - 1"),
    (#"{"a":18446744073709551616.0,"b":2,"v":1}"#, "\"a\" holds a number with a point"),
    (#"{"a":-18446744073709551616,"b":2,"v":1}"#, "not JSON at column 6: an integer is from"),
    (#"{"a":018446744073709551616,"b":2,"v":1}"#, "not JSON at column 6: a number does not begin with 0"),
  ])
  func `what is beyond an address, and long integers elsewhere, are refused`(record: String, message: String) {
    for lines in [[record], [#"{"a":\#(Self.first),"b":\#(Self.last)}"#, record]] {
      let result = run(["--range", "a,b"], lines.joined(separator: "\n"))
      #expect(result.status == 65)
      #expect(result.err.hasPrefix("fusedb: standard input:\(lines.count): "), "\(result.err)")
      #expect(result.err.contains(message), "\(result.err)")
    }
  }

  @Test func `an integer that stays in the object must be one that objects have`() {
    let result = run(["--range", "a,b", "--keep", "a"], #"{"a":\#(Self.first),"b":\#(Self.last)}"#)
    #expect(result.status == 65)
    #expect(result.err.contains("standard input:1: not JSON at column 6: an integer is from"), "\(result.err)")
  }
}
