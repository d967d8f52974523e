import Glibc
import ProgramSupport
import Testing

@testable import FuseDBCommands
@testable import FuseDBInput

/// Two records in the native form: two keys for one object, and one key for another.
private let native = #"{"keys":["b","a"],"value":{"n":1}}"# + "\n" + #"{"keys":["c"],"value":"text"}"# + "\n"
private let nativeDump = #"{"keys":["a","b"],"value":{"n":1}}"# + "\n" + #"{"keys":["c"],"value":"text"}"# + "\n"

extension Scratch {
  /// Builds from standard input, and returns what a dump of the result says.
  fileprivate func dump(of input: String, _ words: String...) -> String { dump(of: input, words) }

  fileprivate func dump(of input: String, _ words: [String]) -> String {
    let built = run(["build", "@x.fsdb", "--quiet", "-"] + words, input: input)
    #expect(built == Result(0))
    let dumped = run("dump", "@x.fsdb")
    #expect(dumped.status == 0 && dumped.err == "")
    return dumped.out
  }

  /// Builds from standard input what is bad data, checks that nothing is left of it, and returns what is said.
  fileprivate func refusal(of input: String, _ words: [String]) -> String {
    let result = run(["build", "@x.fsdb"] + words, input: input)
    #expect(result.status == 65)
    #expect(result.out == "")
    #expect(names == [])
    #expect(result.err.hasPrefix("fusedb: standard input:"))
    return String(result.err.dropFirst("fusedb: ".count))
  }
}

struct BuildTests {
  // MARK: The native form

  @Test(arguments: [
    native, native.replacing("\n", with: "\r\n"), "\u{FEFF}" + native, "\n \t\r\n" + native + "\n\n",
    String(native.dropLast()),
    native.replacing(":", with: " : "),
    #"{"value":{"n":1},"keys":["a"]}"# + "\n" + #"{"value":"text","keys":["c"]}"# + "\n"
      + #"{"keys":["b"],"value":{"n":1}}"#,
    #"{"keys":[{"$bin":"62"},"a"],"value":{"n":1}}"# + "\n" + #"{"keys":["c"],"value":"text"}"# + "\n"
      + #"{"keys":[],"value":0}"#,
  ])
  func `lines of keys and a value make a file, whatever stands between them`(input: String) {
    #expect(Scratch().dump(of: input) == nativeDump)
  }

  @Test(arguments: [
    (
      "{\"keys\":[\"a\"],\"value\":1}\n{\"a\":1}",
      "2: the line is not {\"keys\": [...], \"value\": ...}: it has the member \"a\"; "
    ),
    (
      "{\"keys\":[],\"value\":1,\"x\":1}",
      "1: the line is not {\"keys\": [...], \"value\": ...}: it has the members \"keys\", \"value\" and \"x\"; "
    ),
    ("{\"keys\":[],\"keys\":[]}", "1: the line is not "),
    ("{\"keys\":\"a\",\"value\":1}", "1: \"keys\" holds a string and must be an array"),
    ("{}", "1: the line is not "),
    ("\n{\"keys\":[],\"value\":1}\n[]", "3: a line must hold one JSON object, and this one holds an array; jq"),
    ("7", "1: a line must hold one JSON object, and this one holds an integer\n"),
    ("{\"keys\":[\"a\"],\"value\":1}\nnonsense\n", "2: not JSON at column "), ("{\"keys\":[", "1: not JSON at column "),
    ("{} {}", "1: not JSON at column "),
    (
      "{\"keys\":[1],\"value\":1}",
      "1: a key is a string or {\"$bin\": \"hexadecimal digits\"}, and here one is an integer\n"
    ),
    (
      "{\"keys\":[{\"$bin\":\"6\"}],\"value\":1}",
      "1: a key is a string or {\"$bin\": \"hexadecimal digits\"}, and here one is an object\n"
    ),
    ("{\"keys\":[[]],\"value\":1}", "1: a key is a string"), ("{\"keys\":[null],\"value\":1}", "1: a key is a string"),
    ("{\"keys\":[\"a\"],\"value\":{\"$bin\":\"x\"}}", "1: {\"$bin\": "),
    ("{\"keys\":[\"" + String(repeating: "k", count: 65536) + "\"],\"value\":1}", "1: the key \"kkk"),
  ])
  func `a line that is not of this form is named, with what it is`(input: String, message: String) {
    let refusal = Scratch().refusal(of: input, [])
    #expect(refusal.hasPrefix("standard input:" + message), "\(refusal)")
  }

  @Test func `the line of a file is named with its path, counted from its own start`() {
    let scratch = Scratch()
    scratch.write(native, to: "a.ndjson")
    scratch.write(native + "nonsense\n", to: "b.ndjson")
    let result = scratch.run("build", "@x.fsdb", "@a.ndjson", "@b.ndjson")
    #expect(result.status == 65)
    #expect(result.err.hasPrefix("fusedb: @b.ndjson:3: not JSON at column "))
  }

  // MARK: Records

  @Test(arguments: [
    (#"{"id":"a","x":1,"y":[2]}"#, #"{"keys":["a"],"value":{"x":1,"y":[2]}}"#),
    (#"{"x":1,"id":["b","a"],"y":2}"#, #"{"keys":["a","b"],"value":{"x":1,"y":2}}"#),
    (#"{"id":-5,"x":1}"#, #"{"keys":["-5"],"value":{"x":1}}"#),
    (#"{"id":[18446744073709551615,{"$bin":"ff"}]}"#, #"{"keys":["18446744073709551615",{"$bin":"ff"}],"value":{}}"#),
    (#"{"also":"b","id":["a"],"x":1}"#, #"{"keys":["a","b"],"value":{"x":1}}"#),
    (#"{"also":"b","id":null}"#, #"{"keys":["b"],"value":{}}"#),
    (#"{"also":"b","id":[]}"#, #"{"keys":["b"],"value":{}}"#),
    (#"{"id":"a","$bin":"00"}"#, #"{"keys":["a"],"value":{"$map":[["$bin","00"]]}}"#),
    (#"{"id":"a","x":{"id":"b"}}"#, #"{"keys":["a"],"value":{"x":{"id":"b"}}}"#),
    (#"{"id":"a","id":"b"}"#, #"{"keys":["a","b"],"value":{}}"#),
  ])
  func `key fields give the keys, and the rest is the object`(record: String, dumped: String) {
    #expect(Scratch().dump(of: record, "--key", "id", "--key", "also", "--allow-missing") == dumped + "\n")
  }

  @Test(arguments: [
    (#"{"x":1}"#, "1: the record gives no key: \"id\" is missing, null or empty\n"),
    (#"{"id":null,"x":1}"#, "1: the record gives no key: "), (#"{"id":[],"x":1}"#, "1: the record gives no key: "),
    (#"{"id":1.5}"#, "1: a key field holds a number with a point or an exponent; "),
    (#"{"id":true}"#, "1: a key field holds a boolean; "),
    (#"{"id":{}}"#, "1: a key field holds an object; "),
    (#"{"id":[["a"]]}"#, "1: a key field holds a list with an array in it; "),
    (#"{"id":[null]}"#, "1: a key field holds a list with null in it; "),
    (#"{"id":{"$bin":"f"}}"#, "1: a key field holds an object; "),
    (#"["id"]"#, "1: record 1: a record is a JSON object, and here one is a string\n"),
    ("{\"id\":\"a\"}\n{\"id\":\"b\",\"x\":{\"$ext\":1}}\n", "2: {\"$ext\": "),
  ])
  func `a record without a key, or with one that is none, is refused`(record: String, message: String) {
    let refusal = Scratch().refusal(of: record, ["--key", "id"])
    #expect(refusal.hasPrefix("standard input:" + message), "\(refusal)")
  }

  @Test func `only the kept fields stay, in the order of the record, the key among them when it is named`() {
    let record = #"{"id":"a","x":1,"y":2,"z":3}"#
    #expect(
      Scratch().dump(of: record, "--key", "id", "--keep", "z", "--keep", "x")
        == #"{"keys":["a"],"value":{"x":1,"z":3}}"# + "\n")
    #expect(Scratch().dump(of: record, "--key", "id", "--keep", "id") == #"{"keys":["a"],"value":{"id":"a"}}"# + "\n")
  }

  @Test func `a field that is named twice counts once`() {
    let words = ["--key", "id", "--key", "id", "--keep", "x", "--keep", "x"]
    let scratch = Scratch()
    let result = scratch.run(["build", "@x.fsdb"] + words, input: #"{"id":"a","x":1,"y":2}"#)
    #expect(result == Scratch.Result(0, err: "@x.fsdb: 1 key -> 1 object, 384 bytes\n"))
    #expect(scratch.run("dump", "@x.fsdb").out == #"{"keys":["a"],"value":{"x":1}}"# + "\n")
    let table = scratch.run(["build", "@x.fsdb", "--format", "csv"] + words, input: "id,x,y\na,,2\n")
    #expect(table == Scratch.Result(0, err: "@x.fsdb: 1 key (before: 1) -> 1 object, 384 bytes\n"))
    let refused = scratch.run(["build", "@x.fsdb"] + words, input: #"{"x":1}"#)
    #expect(
      refused
        == Scratch.Result(
          65, err: "fusedb: standard input:1: the record gives no key: \"id\" is missing, null or empty\n"))
  }

  // MARK: Tables

  @Test(
    arguments: [
      ("id,x,y\na,1,\n", [], #"{"keys":["a"],"value":{"x":"1","y":""}}"#),
      (
        "x,id\n\"two\r\nlines, \"\"quoted\"\"\",a\r\n", [],
        ##"{"keys":["a"],"value":{"x":"two\r\nlines, \"quoted\""}}"##
      ),
      ("\u{FEFF}id,x\na,é\n", [], #"{"keys":["a"],"value":{"x":"é"}}"#),
      ("id,\"\"\"é\"\"\",x\na,\"é\"\"é\",z", [], ##"{"keys":["a"],"value":{"\"é\"":"é\"é","x":"z"}}"##),
      (
        "id,i,f,b,j\na,015,15,true,\"[1,{\"\"$bin\"\":\"\"00\"\"}]\"\n", ["i=int", "f=float", "b=bool", "j=json"],
        #"{"keys":["a"],"value":{"i":15,"f":15.0,"b":true,"j":[1,{"$bin":"00"}]}}"#
      ),
      (
        "id,i,f,b,j,s\na,,,,,\n", ["i=int", "f=float", "b=bool", "j=json", "s=string"],
        #"{"keys":["a"],"value":{"i":null,"f":null,"b":null,"j":null,"s":""}}"#
      ),
      ("id,a=b\nk,1\n", ["a=b=int"], #"{"keys":["k"],"value":{"a=b":1}}"#),
      ("id\na\n", [], #"{"keys":["a"],"value":{}}"#),
      ("id\na\r", [], #"{"keys":["a"],"value":{}}"#),
      ("id,x\r\na,\"1\"\r", [], #"{"keys":["a"],"value":{"x":"1"}}"#),
    ] as [(String, [String], String)])
  func `a row gives an object of its columns`(table: String, types: [String], dumped: String) {
    let words = ["--format", "csv", "--key", "id"] + types.flatMap { ["--type", $0] }
    let scratch = Scratch()
    #expect(scratch.run(["build", "@x.fsdb", "--quiet"] + words, input: table) == Scratch.Result(0))
    #expect(scratch.run("dump", "@x.fsdb").out == dumped + "\n")
  }

  @Test func `cells of several columns are keys, and empty ones are none`() {
    let table = "ip,x,host\n1.1.1.1,1,one\n2.2.2.2,2,\n,3,three\n"
    let dumped = Scratch().dump(
      of: table, "--format", "csv", "--key", "ip", "--key", "host", "--keep", "x", "--type", "x=int")
    #expect(
      dumped == """
        {"keys":["1.1.1.1","one"],"value":{"x":1}}
        {"keys":["2.2.2.2"],"value":{"x":2}}
        {"keys":["three"],"value":{"x":3}}

        """)
  }

  @Test func `tabs separate the cells of TSV, and quotes can be taken as they are`() {
    let table = "id\tx\na\t\"1,\t2\"\nb\t3\n"
    #expect(
      Scratch().dump(of: table, "--format", "tsv", "--key", "id") == """
        {"keys":["a"],"value":{"x":"1,\\t2"}}
        {"keys":["b"],"value":{"x":"3"}}

        """)
    let plain = Scratch().dump(of: "id\tx\na\t\"1\n", "--format", "tsv", "--key", "id", "--no-quotes")
    #expect(plain == ##"{"keys":["a"],"value":{"x":"\"1"}}"## + "\n")
  }

  @Test func `columns may be named outside of the table`() {
    let dumped = Scratch().dump(of: "a,1\nb,2\n", "--format", "csv", "--key", "id", "--columns", "id,x")
    #expect(dumped == "{\"keys\":[\"a\"],\"value\":{\"x\":\"1\"}}\n{\"keys\":[\"b\"],\"value\":{\"x\":\"2\"}}\n")
  }

  @Test func `a table may have tens of thousands of columns`() {
    let names = (0..<50_000).map { "c\($0)" }
    let table = (["id"] + names).joined(separator: ",") + "\na" + String(repeating: ",1", count: names.count) + "\n"
    let words = ["--format", "csv", "--key", "id", "--keep", "c49999"]
    #expect(Scratch().dump(of: table, words) == #"{"keys":["a"],"value":{"c49999":"1"}}"# + "\n")
  }

  @Test(
    arguments: [
      ("", [], "1: the row that names the columns is missing; "),
      ("\u{FEFF}", [], "1: the row that names the columns is missing; "),
      ("id,x,id\n", [], "1: columns 1 and 3 are both called \"id\"; "),
      (
        "ip,x\n", [],
        "1: there is no column \"id\", which --key names; the columns are \"ip\" and \"x\"; did you mean 'ip'?\n"
      ),
      ("id,x\n", ["--keep", "y"], "1: there is no column \"y\", which --keep names; "),
      ("id,x\n", ["--type", "y=int"], "1: there is no column \"y\", which --type names; "),
      (
        "id,x\na,1\nb\n", [],
        "3: the row has 1 cell and there are 2 columns; if rows may lack their last cells, say --pad-rows\n"
      ),
      ("id,x\na,\"1\n2\"\nb,1,2\n", [], "4: the row has 3 cells and there are 2 columns\n"),
      ("id,x\na,\"1\n", [], "2: the row begins here, and a cell in quotes in it does not end; "),
      ("id,x\na,\"1\"2\n", [], "2: in the row that begins here, text follows the closing quote of cell 2; "),
      ("id,x\na,1\n,2\n", [], "3: the row gives no key: the cell of \"id\" is empty\n"),
      (
        "id,x\na,1.5\n", ["--type", "x=int"],
        "2: column \"x\": \"1.5\" is not a decimal integer from -2^63 to 2^64 - 1; "
      ),
      (
        "id,x\na,1e400\n", ["--type", "x=float"],
        "2: column \"x\": \"1e400\" is not a decimal number within the range of a float64, nan or inf; "
      ),
      ("id,x\na,yes\n", ["--type", "x=bool"], "2: column \"x\": \"yes\" is not true or false; "),
      ("id,x\na,{\n", ["--type", "x=json"], "2: column \"x\": \"{\": not JSON: "),
      ("id,x\na,{\"$ext\":0}\n", ["--type", "x=json"], "2: column \"x\": \"{\\\\\"$ext"),
    ] as [(String, [String], String)])
  func `a table that is not what it should be is refused with the line`(table: String, words: [String], message: String)
  {
    let refusal = Scratch().refusal(of: table, ["--format", "csv", "--key", "id"] + words)
    #expect(refusal.hasPrefix("standard input:" + message.replacing("\\\\\"", with: "\"")), "\(refusal)")
  }

  @Test(
    arguments: [[0x61, 0x2C, 0xFF], [0xFF, 0x2C, 0x61], [0x22, 0x22, 0x22, 0xE2, 0x82, 0x22, 0x2C, 0x61]] as [[UInt8]])
  func `a cell that is not UTF-8 is refused`(row: [UInt8]) {
    let scratch = Scratch()
    scratch.write(Array("id,x\n".utf8) + row, to: "in.csv")
    let result = scratch.run("build", "@x.fsdb", "@in.csv", "--key", "id")
    #expect(result.status == 65)
    #expect(result.err.hasPrefix("fusedb: @in.csv:2: cell \(row[0] == 0x61 ? 2 : 1) is not UTF-8: "))
    #expect(scratch.names == ["in.csv"])
  }

  // MARK: Options

  private static let duplicates = """
    {"keys":["k"],"value":1}
    {"keys":["a","k"],"value":2}
    {"keys":["k"],"value":3}
    """

  @Test(arguments: [([], "3"), (["--on-duplicate", "last"], "3"), (["--on-duplicate", "first"], "1")])
  func `a key that comes again gets the object that the option says`(words: [String], value: String) {
    let scratch = Scratch()
    let result = scratch.run(["build", "@x.fsdb"] + words, input: Self.duplicates)
    #expect(result.status == 0)
    let first = "standard input:1"
    let last = "standard input:3"
    let isFirst = words.last == "first"
    #expect(
      result.err.contains(
        """

          2 additions of a key that was there already; the \(words.last ?? "last") one counts
            "k": \(isFirst ? "\(first), not standard input:2" : "standard input:2, not \(first)")
            "k": \(isFirst ? "\(first), not \(last)" : "\(last), not standard input:2")

        """))
    #expect(scratch.run("get", "@x.fsdb", "k").out == value + "\n")
  }

  @Test func `a key that comes again can be an error, which names its input and line`() {
    let scratch = Scratch()
    scratch.write("{\"keys\":[\"z\"],\"value\":0}\n\n{\"keys\":[\"b\",\"c\"],\"value\":0}\n", to: "a.ndjson")
    scratch.write("id,x\n\"b\n\",1\nc,2\n", to: "b.csv")
    let first = scratch.run("build", "@x.fsdb", "@a.ndjson", "--on-duplicate", "error")
    #expect(first.status == 0)
    scratch.write("{\"keys\":[\"z\"],\"value\":0}\n\n{\"keys\":[\"b\",\"z\"],\"value\":0}\n", to: "a.ndjson")
    let second = scratch.run("build", "@y.fsdb", "@a.ndjson", "--on-duplicate", "error")
    #expect(second.status == 65)
    #expect(
      second.err.hasPrefix("fusedb: @a.ndjson:3: a key comes twice: the key \"z\" was added before, at @a.ndjson:1; "))
    scratch.write("{\"id\":\"z\"}\n{\"id\":[\"b\",\"c\"]}\n", to: "a.ndjson")
    let third = scratch.run("build", "@y.fsdb", "@a.ndjson", "@b.csv", "--key", "id", "--on-duplicate", "error")
    #expect(third.status == 65)
    #expect(
      third.err.hasPrefix("fusedb: @b.csv:4: a key comes twice: the key \"c\" was added before, at @a.ndjson:2; "))
    scratch.write("{\"id\":\"z\"}\n{\"id\":[\"b\",\"z\"]}\n", to: "a.ndjson")
    scratch.write("id,x\nc,2\n", to: "b.csv")
    let fourth = scratch.run("build", "@y.fsdb", "@a.ndjson", "@b.csv", "--key", "id", "--on-duplicate", "error")
    #expect(fourth.err.hasPrefix("fusedb: @a.ndjson:2: a key comes twice: the key \"z\" "))
    #expect(scratch.names == ["a.ndjson", "b.csv", "x.fsdb"])
  }

  @Test(arguments: [
    ([], [#"{"keys":["a"],"value":2}"#, #"{"keys":["b","c"],"value":1}"#]),
    (
      ["--objects", "every"],
      [#"{"keys":["a"],"value":2}"#, #"{"keys":["b"],"value":1}"#, #"{"keys":["c"],"value":1}"#]
    ),
    (
      ["--order", "insertion"],
      [
        #"{"keys":["c"],"value":1}"#, #"{"keys":["a"],"value":2}"#, #"{"keys":[],"value":3}"#,
        #"{"keys":["b"],"value":1}"#,
      ]
    ),
    (
      ["--order", "insertion", "--objects", "shared"],
      [#"{"keys":["b","c"],"value":1}"#, #"{"keys":["a"],"value":2}"#, #"{"keys":[],"value":3}"#]
    ),
    (["--order", "key", "--plain"], [#"{"keys":["a"],"value":2}"#, #"{"keys":["b","c"],"value":1}"#]),
  ])
  func `objects stand in the order, and as often, as the options say`(words: [String], lines: [String]) {
    let scratch = Scratch()
    let input = """
      {"keys":["c"],"value":1}
      {"keys":["a"],"value":2}
      {"keys":[],"value":3}
      {"keys":["b"],"value":1}
      """
    #expect(scratch.run(["build", "@x.fsdb", "--quiet"] + words, input: input) == Scratch.Result(0))
    #expect(scratch.run("dump", "@x.fsdb").out.lines == lines)
  }

  @Test func `several inputs of several forms make one file, in their order`() {
    let scratch = Scratch()
    scratch.write(#"{"id":"a","x":"1"}"#, to: "a.json")
    scratch.write("id,x\nb,2\nk,2\n", to: "b.csv")
    scratch.write("id\tx\nc\t3\n", to: "c.tsv")
    let words = ["build", "@x.fsdb", "@a.json", "@b.csv", "-", "@c.tsv", "--key", "id", "--quiet"]
    #expect(scratch.run(words, input: #"{"id":"k","x":"4"}"#) == Scratch.Result(0))
    #expect(
      scratch.run("prefix", "@x.fsdb", "").out == """
        a\t{"x":"1"}
        b\t{"x":"2"}
        c\t{"x":"3"}
        k\t{"x":"4"}

        """)
  }

  @Test(arguments: [
    (["build"], "OUTPUT is missing"), (["build", "-"], "OUTPUT is a file"),
    (["build", "x.csv", "--key", "id"], "'x.csv' looks like an INPUT"),
    (["build", "", "i.nd"], "OUTPUT is empty"), (["build", "x", "i.nd", ""], "INPUT is empty"),
    (["build", "x", "-", "-"], "standard input can be read only once"),
    (["build", "x", "--languages", "en"], "--languages is for MaxMind DB files, and no input is one"),
    (["build", "x", "y.mmdb", "--languages", "en,"], "--languages takes languages with commas between them"),
    (["build", "x", "y.mmdb", "--family", "--compact"], "--family and --compact are two forms"),
    (["build", "x", "a.csv"], "a table needs --key FIELD"),
    (["build", "x", "--format", "csv"], "a table needs --key FIELD"),
    (["build", "x", "--format", "xml"], "the option --format takes ndjson, json, csv, tsv, msgpack or mmdb"),
    (["build", "x", "--columns", "a,b"], "--columns is for tables"),
    (["build", "x", "--no-quotes"], "--no-quotes is for tables"),
    (["build", "x", "--type", "a=int"], "--type is for tables"),
    (["build", "x", "a.csv", "--key", "a", "--type", "a"], "--type takes FIELD=TYPE"),
    (
      ["build", "x", "a.csv", "--key", "a", "--type", "a=flaot"],
      "there is no type 'flaot'; there are string, int, float, bool and json; did you mean 'float'?"
    ),
    (
      ["build", "x", "a.csv", "--key", "a", "--type", "a=int", "--type", "a=int"], "--type names the field \"a\" twice"
    ),
    (["build", "x", "a.csv", "--key", "a", "--columns", "a,a"], "--columns gives two columns the same name"),
    (
      ["build", "x", "a.csv", "--key", "a", "--columns", "b,c"],
      "--columns names no column \"a\", and another option does"
    ),
    (["build", "x", "--order", "keys"], "the option --order takes key or insertion"),
    (["build", "x", "--objects", "all"], "the option --objects takes"),
    (["build", "x", "--on-duplicate", "fail"], "the option --on-duplicate takes"),
  ])
  func `wrong usage is named`(words: [String], message: String) {
    let result = Scratch().run(words)
    #expect(result.status == 64)
    #expect(result.err.hasPrefix("fusedb: build: " + message), "\(result.err)")
    #expect(result.out == "")
  }

  // MARK: What is written

  @Test func `an input that is missing ends the build before it begins`() {
    let scratch = Scratch()
    scratch.write("nonsense", to: "a.ndjson")
    let result = scratch.run("build", "@x.fsdb", "@a.ndjson", "@absent")
    #expect(result == Scratch.Result(66, err: "fusedb: @absent: cannot open the input: No such file or directory\n"))
    #expect(scratch.names == ["a.ndjson"])
  }

  @Test func `a build that fails leaves the old file as it was`() {
    let scratch = Scratch()
    #expect(scratch.run("build", "@x.fsdb", input: native).status == 0)
    let old = scratch.read("x.fsdb")
    #expect(scratch.run("build", "@x.fsdb", input: native + "nonsense").status == 65)
    #expect(scratch.read("x.fsdb") == old)
    #expect(scratch.names == ["x.fsdb"])
  }

  @Test func `an output that cannot be written is a failure of its own`() {
    let result = Scratch().run("build", "@absent/x.fsdb", input: native)
    #expect(result.status == 74)
    #expect(result.err.hasPrefix("fusedb: @absent/x.fsdb: "))
  }

  @Test(
    arguments: ["csv", "tsv", "ndjson", "jsonl", "json", "msgpack", "mpk"].flatMap {
      [$0, $0 + ".gz", $0 + ".zst", $0.uppercased()]
    })
  func `an output that is named like an input is refused, whatever follows it`(ending: String) {
    let scratch = Scratch()
    scratch.write(native, to: "i.nd")
    let message = "fusedb: build: '@x.\(ending)' looks like an INPUT, and OUTPUT comes first; "
    for words in [[], ["-"], ["@i.nd"], ["@absent"]] {
      let result = scratch.run(["build", "@x.\(ending)"] + words, input: native)
      #expect(result.status == 64)
      #expect(result.err.hasPrefix(message), "\(result.err)")
    }
    #expect(scratch.names == ["i.nd"])
  }

  @Test(arguments: [native, "FSD", "fsdb", "\u{0}"])
  func `a file that is no database is not overwritten`(text: String) {
    let scratch = Scratch()
    scratch.write(native, to: "i.nd")
    scratch.write(text, to: "notes.txt")
    for words in [["@i.nd"], ["@notes.txt"], ["@absent"], []] {
      #expect(
        scratch.run(["build", "@notes.txt"] + words, input: native)
          == Scratch.Result(
            64,
            err: """
              fusedb: build: '@notes.txt' is a file of \(Humans.size(text.utf8.count)) that is no database, and would be \
              overwritten; OUTPUT comes first: give it another name, or remove that file
              'fusedb help build' explains the command.

              """))
    }
    #expect(scratch.read("notes.txt") == Array(text.utf8))
  }

  @Test(arguments: ["", "FSDB", "FSDB and what is left of it"])
  func `a database and an empty file may be replaced`(text: String) {
    let scratch = Scratch()
    scratch.write(text, to: "x")
    #expect(scratch.run("build", "@x", "--quiet", input: native) == Scratch.Result(0))
    #expect(scratch.run("dump", "@x").out == nativeDump)
  }

  @Test func `the order of the lines changes no byte`() {
    let scratch = Scratch()
    let lines = (0..<50).map { #"{"keys":["\#($0)","k\#($0)"],"value":{"n":\#($0 % 7)}}"# }
    #expect(scratch.run("build", "@x.fsdb", input: lines.joined(separator: "\n")).status == 0)
    #expect(scratch.run("build", "@y.fsdb", input: lines.reversed().joined(separator: "\n")).status == 0)
    #expect(scratch.read("x.fsdb") == scratch.read("y.fsdb"))
  }

  @Test func `the report says what was written`() {
    // Objects of 4 and 5 bytes: 40 + (8 + 4) + (8 + 5) + 3 * (2 + 1 + 8) bytes, and one object shared. Then from 128 on
    // three lines of 64 (header, pilots, slots), 12 for the order, 4 zeros, a directory of 64 and a footer of 48.
    let scratch = Scratch()
    let human = "@x.fsdb: 3 keys -> 2 objects, 448 bytes; sharing saved 12 bytes\n"
    #expect(scratch.run("build", "@x.fsdb", input: native) == Scratch.Result(0, err: human))
    #expect(scratch.run("build", "@x.fsdb", "--quiet", input: native) == Scratch.Result(0))
    let json = """
      {"output":"@x.fsdb","keys":3,"replaced":{"keys":3},"objects":2,"objectsShared":0,"unreachedObjects":0,"bytes":448,"bytesSavedBySharing":12,"duplicateKeys":0,"duplicates":[],"networks":null,"literalKeys":0,"records":2,"seconds":
      """
    let first = scratch.run("build", "@x.fsdb", "--json", "--memory", "32M", "--threads", "2", input: native)
    #expect(first.status == 0)
    #expect(first.out.hasPrefix(json), "\(first.out)")
    #expect(first.out.contains(",\"threads\":2,\"memory\":33554432,\"peakMemory\":"), "\(first.out)")
    let more = native + native + #"{"keys":[],"value":1}"#
    let duplicates = """
      [{"key":"a","kept":"standard input:3","dropped":"standard input:1"},\
      {"key":"b","kept":"standard input:3","dropped":"standard input:1"},\
      {"key":"c","kept":"standard input:4","dropped":"standard input:2"}]
      """
    let second = scratch.run("build", "@x.fsdb", "--json", input: more)
    #expect(
      second.out.hasPrefix(
        json
          .replacing("\"objectsShared\":0,\"unreachedObjects\":0", with: "\"objectsShared\":2,\"unreachedObjects\":1")
          .replacing("\"duplicateKeys\":0,\"duplicates\":[]", with: "\"duplicateKeys\":3,\"duplicates\":\(duplicates)")
          .replacing("\"records\":2", with: "\"records\":5")), "\(second.out)")
    #expect(
      scratch.run("build", "@x.fsdb", input: more).err == human.replacing("3 keys", with: "3 keys (before: 3)") + """
          3 additions of a key that was there already; the last one counts
            "a": standard input:3, not standard input:1
            "b": standard input:3, not standard input:1
            "c": standard input:4, not standard input:2
          1 object without a key left out

        """)
  }

  @Test func `of many keys that come again the first few are named`() {
    let lines = (0..<9).map { #"{"keys":["k\#($0)"],"value":1}"# }.joined(separator: "\n") + "\n"
    let result = Scratch().run("build", "@x.fsdb", input: lines + lines)
    #expect(
      result.err.hasSuffix(
        """
          9 additions of a key that was there already; the last one counts
            "k0": standard input:10, not standard input:1
            "k1": standard input:11, not standard input:2
            "k2": standard input:12, not standard input:3
            "k3": standard input:13, not standard input:4
            "k4": standard input:14, not standard input:5
            …

        """), "\(result.err)")
  }

  @Test func `nothing makes a file of nothing, if that is allowed`() {
    let scratch = Scratch()
    #expect(
      scratch.run("build", "@x.fsdb")
        == Scratch.Result(
          65,
          err: """
            fusedb: @x.fsdb: the new file has 0 keys where 1 is the least; nothing has changed; look at the inputs, or let \
            --allow-empty say that it is meant

            """))
    #expect(scratch.names == [])
    #expect(
      scratch.run("build", "@x.fsdb", "--plain", "--allow-empty")
        == Scratch.Result(0, err: "@x.fsdb: 0 keys -> 0 objects, 40 bytes\n"))
    #expect(scratch.read("x.fsdb")?.count == 40)
    // From 64 on three lines of 64, then a directory and a footer.
    #expect(
      scratch.run("build", "-o", "@x.fsdb", "--allow-empty")
        == Scratch.Result(0, err: "@x.fsdb: 0 keys (before: 0) -> 0 objects, 368 bytes\n"))
    #expect(scratch.read("x.fsdb")?.count == 368)
  }
}
