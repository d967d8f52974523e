import ProgramSupport
import Testing

@testable import FuseDBCommands

struct BuildRangesTests {
  private let scratch = Scratch()

  private func dump(_ words: [String], input: String) -> String {
    let built = scratch.run(["build", "@x.fsdb", "--quiet"] + words, input: input)
    #expect(built == Scratch.Result(0))
    return scratch.run("dump", "@x.fsdb").out
  }

  @Test(
    arguments: [
      ("first,last,x\n1.0.0.0,1.0.0.255,a\n", [], #"{"keys":["1.0.0.0/24"],"value":{"x":"a"}}"#),
      ("first,last,x\n16777217,16777218,a\n", [], #"{"keys":["1.0.0.1/32","1.0.0.2/32"],"value":{"x":"a"}}"#),
      ("last,x,first\n2001:DB8::1,a,2001:db8::0\n", [], #"{"keys":["2001:db8::/127"],"value":{"x":"a"}}"#),
      (
        "first,last,x\n1.0.0.0,1.0.0.0,a\n", ["--keep", "last", "--keep", "x"],
        #"{"keys":["1.0.0.0/32"],"value":{"last":"1.0.0.0","x":"a"}}"#
      ),
      (
        "first,last,x\n1.0.0.0,1.0.0.0,a\n", ["--key", "x", "--key", "first"],
        #"{"keys":["1.0.0.0","1.0.0.0/32","a"],"value":{}}"#
      ),
      ("first,last,x\n1.0.0.0,1.0.0.0,\n", ["--key", "x"], #"{"keys":["1.0.0.0/32"],"value":{}}"#),
      ("; one\nfirst,last\n;\n1,1\n", ["--skip-comments", ";"], #"{"keys":["0.0.0.1/32"],"value":{}}"#),
    ] as [(String, [String], String)])
  func `the blocks of a range are keys, and its columns are no part of the object`(
    table: String, words: [String], dumped: String
  ) {
    #expect(dump(["--format", "csv", "--range", "first,last"] + words, input: table) == dumped + "\n")
  }

  @Test func `one column can hold both ends`() {
    let dumped = dump(["--format", "csv", "--range", "ip,ip"], input: "ip,x\n::1,a\n")
    #expect(dumped == #"{"keys":["::1/128"],"value":{"x":"a"}}"# + "\n")
  }

  @Test(arguments: [
    (#"{"a":"1.0.0.0","b":"1.0.0.1","x":1}"#, #"{"keys":["1.0.0.0/31"],"value":{"x":1}}"#),
    (#"{"b":16777217,"a":16777216}"#, #"{"keys":["1.0.0.0/31"],"value":{}}"#),
    (#"{"a":"16777216","b":16777217}"#, #"{"keys":["1.0.0.0/31"],"value":{}}"#),
    (#"{"a":18446744073709551614,"b":18446744073709551615}"#, #"{"keys":["::ffff:ffff:ffff:fffe/127"],"value":{}}"#),
  ])
  func `a record's range is two strings or integers`(record: String, dumped: String) {
    #expect(dump(["--range", "a,b"], input: record) == dumped + "\n")
  }

  @Test(arguments: [
    (#"{"a":"1.0.0.0"}"#, #""b" is missing or empty, and a range needs both of its ends; "#),
    (#"{"a":null,"b":1}"#, #""a" is missing or empty, and a range needs both of its ends; "#),
    (#"{"a":"","b":1}"#, #""a" is missing or empty, and a range needs both of its ends; "#),
    (#"{"a":1.5,"b":2}"#, #""a" holds a number with a point or an exponent; "#),
    (#"{"a":[1],"b":2}"#, #""a" holds an array; "#), (#"{"a":{"$bin":"00"},"b":2}"#, #""a" holds an object; "#),
    (#"{"a":1,"b":2,"a":1}"#, #""a" comes twice, "#), (#"{"a":-1,"b":2}"#, #""-1" in "a" is no address; "#),
    (#"{"a":2,"b":1}"#, #"the range from "2" in "a" to "1" in "b" ends before it begins; "#),
    (#"{"a":"::","b":1}"#, #"the range from "::" in "a" to "1" in "b" mixes kinds of addresses; "#),
  ])
  func `a record's range that is none is refused with the line`(record: String, message: String) {
    let result = scratch.run("build", "@x.fsdb", "--range", "a,b", input: "{\"a\":0,\"b\":1}\n" + record)
    #expect(result.status == 65)
    #expect(result.err.hasPrefix("fusedb: standard input:2: " + message), "\(result.err)")
    #expect(scratch.names == [])
  }

  @Test(arguments: [
    (["--range", "a"], "--range takes the names of two fields"), (["--range", "a,"], "--range takes the names"),
    (["--range", "a,b,c"], "--range takes the names"),
    (["--range", "a,b", "--columns", "a,c"], "--columns names no column \"b\""),
    (["--key", "a", "--skip-comments", ""], "--skip-comments takes what comments begin with"),
    (["--key", "a", "--skip-comments", "#\n"], "--skip-comments takes what comments begin with"),
  ])
  func `wrong usage is named`(words: [String], message: String) {
    let result = scratch.run(["build", "x", "--format", "csv"] + words)
    #expect(result.status == 64)
    #expect(result.err.hasPrefix("fusedb: build: " + message), "\(result.err)")
  }

  @Test func `a range whose columns the table lacks is refused`() {
    let result = scratch.run("build", "@x.fsdb", "--format", "csv", "--range", "a,b", input: "a,c\n1,2\n")
    #expect(result.status == 65)
    #expect(result.err.hasPrefix("fusedb: standard input:1: there is no column \"b\", which --range names; "))
  }
}
