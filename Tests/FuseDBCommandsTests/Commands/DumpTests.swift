import ProgramSupport
import Testing

@testable import FuseDBCommands

private func build(_ input: String, _ words: String...) -> Scratch {
  let scratch = Scratch()
  #expect(scratch.run(["build", "@x.fsdb", "--quiet", "--allow-empty"] + words, input: input) == Scratch.Result(0))
  return scratch
}

struct DumpTests {
  @Test(arguments: [
    "", #"{"keys":[""],"value":null}"# + "\n",
    #"{"keys":["a","b",{"$bin":"ff"}],"value":{"$float32":0.1}}"# + "\n"
      + #"{"keys":["c"],"value":{"$map":[[null,{"$ext":[-1,"00"]}]]}}"# + "\n",
  ])
  func `a dump gives the same file again, and the same dump`(input: String) {
    let scratch = build(input)
    let dumped = scratch.run("dump", "@x.fsdb")
    #expect(dumped == Scratch.Result(0, out: input))
    #expect(scratch.run("build", "@y.fsdb", "--quiet", "--allow-empty", input: dumped.out) == Scratch.Result(0))
    #expect(scratch.read("y.fsdb") == scratch.read("x.fsdb"))
  }

  @Test func `objects come in the order of the file, with their keys in order`() {
    let input = """
      {"keys":["b","c"],"value":1}
      {"keys":[],"value":2}
      {"keys":["d","a"],"value":1}
      {"keys":[],"value":3}
      """
    #expect(
      build(input, "--order", "insertion").run("dump", "@x.fsdb").out == """
        {"keys":["b","c"],"value":1}
        {"keys":[],"value":2}
        {"keys":["a","d"],"value":1}
        {"keys":[],"value":3}

        """)
  }

  private static let table = #"""
    {"keys":["b"],"value":{"x":"plain","y":1}}
    {"keys":["a","\t,"],"value":{"y":null,"z":"with \"quote\", and\nline"}}
    {"keys":["c"],"value":[1,"two"]}
    {"keys":["d"],"value":{"x":"tab\t","w":{"$bin":"00"},"v":{"$str":"ff"},"x":"again"}}
    {"keys":["e"],"value":{"$map":[[1,2]]}}
    {"keys":["f"],"value":"text"}
    {"keys":["g"],"value":{}}
    """#

  @Test func `as CSV, keys are rows and fields are columns`() {
    #expect(
      build(Self.table).run("dump", "@x.fsdb", "--format", "csv")
        == Scratch.Result(
          0,
          out: #"""
            key,y,z,x,value,w,v
            "\#t,",,"with ""quote"", and
            line",,,,
            a,,"with ""quote"", and
            line",,,,
            b,1,,plain,,,
            c,,,,"[1,""two""]",,
            d,,,again,,"{""$bin"":""00""}","{""$str"":""ff""}"
            e,,,,"{""$map"":[[1,2]]}",,
            f,,,,text,,
            g,,,,,,

            """#))
  }

  @Test func `as TSV, tabs are what needs quotes`() {
    let input = #"{"keys":["a,b"],"value":{"x":"1\t2","y":"3,4"}}"#
    #expect(build(input).run("dump", "@x.fsdb", "--format", "tsv").out == "key\tx\ty\na,b\t\"1\t2\"\t3,4\n")
  }

  @Test(arguments: ["csv", "tsv"])
  func `a table that is read again has the same cells`(format: String) {
    let input =
      #"{"keys":["a","b"],"value":{"x":"1\n2","y":"\"","":"é, \t"}}"# + "\n"
      + #"{"keys":["c"],"value":{"x":"","y":"\r","":"z"}}"# + "\n"
    let scratch = build(input)
    scratch.write(scratch.run("dump", "@x.fsdb", "--format", format).out, to: "x." + format)
    #expect(scratch.run("build", "@y.fsdb", "@x." + format, "--key", "key", "--quiet") == Scratch.Result(0))
    #expect(scratch.read("y.fsdb") == scratch.read("x.fsdb"))
  }

  @Test func `a key that is all of its row and empty is still a row`() {
    #expect(build(#"{"keys":["","a"],"value":{}}"#).run("dump", "@x.fsdb", "--format", "csv").out == "key\n\"\"\na\n")
  }

  @Test func `an empty file is a row of names`() {
    #expect(build("").run("dump", "@x.fsdb", "--format", "csv").out == "key\n")
  }

  @Test func `a field called key needs another name for the column of keys`() {
    let scratch = build(#"{"keys":["a"],"value":{"key":1}}"#)
    let clash = scratch.run("dump", "@x.fsdb", "--format", "csv")
    #expect(clash.status == 64)
    #expect(clash.out == "")
    #expect(
      clash.err.hasPrefix(
        "fusedb: dump: @x.fsdb: objects have a field \"key\", and the column of keys has that name too; "))
    #expect(clash.err.contains("--key-column NAME"))
    #expect(
      scratch.run("dump", "@x.fsdb", "--format", "csv", "--key-column", "id,")
        == Scratch.Result(0, out: "\"id,\",key\na,1\n"))
  }

  @Test(arguments: [
    (["dump"], "FILE is missing"), (["dump", "x", "--key-column", "k"], "--key-column is for"),
    (["dump", "x", "y"], "the argument \"y\""),
  ])
  func `wrong usage is named`(words: [String], message: String) {
    let result = Scratch().run(words)
    #expect(result.status == 64)
    #expect(result.err.hasPrefix("fusedb: dump: " + message))
  }
}
