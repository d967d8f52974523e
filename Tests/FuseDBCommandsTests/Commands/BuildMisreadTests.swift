import ProgramSupport
import Testing

@testable import FuseDBCommands

/// Inputs that are not what they are taken for: the message says what they are and what to do.
struct BuildMisreadTests {
  private let scratch = Scratch()

  private func refusal(_ words: [String], _ input: [UInt8]) -> String {
    let result = scratch.run(
      (["build", "@x.fsdb"] + words).map { Array($0.replacing("@", with: scratch.folder + "/").utf8) }, input: input)
    #expect(result.status == 65)
    #expect(scratch.names == [])
    return result.err
  }

  @Test(
    arguments: [
      (
        #"{"keys":"a","value":1}"#, [],
        "1: \"keys\" holds a string and must be an array of keys, as in {\"keys\": [\"8.8.8.8\"], \"value\": ...}; "
      ),
      (#"{"value":1,"keys":null}"#, [], "1: \"keys\" holds null and must be an array of keys"),
      (
        "{\"keys\":[\"a\"],\"value\":1}\n[{\"keys\":[\"a\"],\"value\":1}]", [],
        "2: a line must hold one JSON object, and this one holds an array; jq -c '.[]' makes a line of each element"
      ),
      (
        "{\"id\":0}\n[\n{\"id\":1},\n{\"id\":2}\n]\n", ["--key", "id"],
        "2: not JSON at column 2: the text ends inside an array, and a value is missing; jq -c '.[]'"
      ),
      (
        "[{\"id\":1},\n{\"id\":2]}]\n", ["--key", "id"],
        "2: record 2: not JSON at line 2, column 8: ',' or '}' is missing; correct it"
      ),
      (
        "{\n  \"id\": 1\n}\n", ["--key", "id"],
        "1: not JSON at column 2: the text ends inside an object, and a name in double quotes is missing; copy"
      ),
      (
        "{\"id\":1}\n{\"id\":\"é", ["--key", "id"],
        "2: not JSON at column 9: the text ends inside an object, and '\"' is missing; copy the input again if it is cut short here; if the object goes on"
      ),
      (
        #"{"id":1,}"#, ["--key", "id"], "1: not JSON at column 9: a name in double quotes is missing; correct the line"
      ),
      (#"{"id":1 "x":2}"#, ["--key", "id"], "1: not JSON at column 9: ',' or '}' is missing; correct the line"),
      (
        #"{"id":1}{"id":2}"#, ["--key", "id"],
        "1: not JSON at column 9: more follows the value; correct the line, or if objects follow one another in it, say --format json"
      ),
      (#"{"id":1}]"#, ["--key", "id"], "1: not JSON at column 9: more follows the value; correct the line\n"),
      (
        #"{"id":["x",null]}"#, ["--key", "id"],
        "1: a key field holds a list with null in it; each element can be a string, an integer, "
      ),
      (#"{"id":true}"#, ["--key", "id"], "1: a key field holds a boolean; it can hold a string, an integer, "),
      (
        "id,x\n1,2\n", ["--key", "id"],
        "1: not JSON at column 1: a value is missing; a line must hold one JSON object (for tables say --format csv"
      ),
      (
        #"{"a":{"c":"k"}}"#, ["--key", "a.b"],
        "1: the record gives no key: \"a.b\" is missing, null or empty"
      ),
      (
        #"{"a":{"b":"1"}}"#, ["--range", "a.b,a.c"],
        "1: \"a.c\" is missing or empty, and a range needs both of its ends; give it an address"
      ),
      (
        "id;name\n1;A\n", ["--format", "csv", "--key", "id"],
        "1: there is no column \"id\", which --key names; the columns are \"id;name\"; there are semicolons in it: say --delimiter ';'"
      ),
      (
        "id\tname\n1\tA\n", ["--format", "csv", "--key", "id"],
        "1: there is no column \"id\", which --key names; the columns are \"id\\tname\"; there are tabs in it: say --format tsv"
      ),
      (
        "id,name\n1,A\n", ["--format", "tsv", "--key", "id"],
        "1: there is no column \"id\", which --key names; the columns are \"id,name\"; there are commas in it: say --format csv"
      ),
      (
        "1;A\n", ["--format", "csv", "--columns", "id,x", "--key", "id"],
        "1: the row has 1 cell and there are 2 columns; there are semicolons in it"
      ),
    ] as [(String, [String], String)])
  func `a record that is not what it should be is explained`(input: String, words: [String], message: String) {
    let refusal = refusal(words, Array(input.utf8))
    #expect(refusal.hasPrefix("fusedb: standard input:" + message), "\(refusal)")
  }

  @Test func `of very many columns some are named`() {
    let names = (0..<1000).map { "c\($0)" }.joined(separator: ",")
    let refusal = refusal(["--format", "csv", "--key", "id"], Array((names + "\n").utf8))
    #expect(refusal.hasSuffix("\"c14\", \"c15\" and 984 others\n"), "\(refusal)")
  }
}
