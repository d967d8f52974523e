import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBCommands

/// Fields of all kinds.
private let records = #"""
  {"keys":["int"],"value":{"asn":15169,"geo":{"city":"Zürich","at":[47.4,8.5]},"a=b":1,"a":{"b":2}}}
  {"keys":["text","text too"],"value":{"asn":"15169","geo":{"city":"Bern","at":[47.4,7.4]}}}
  {"keys":["double"],"value":{"asn":15169.0,"geo":{"city":"Zürich"}}}
  {"keys":["nil"],"value":{"asn":null}}
  {"keys":["text nil"],"value":{"asn":"null"}}
  {"keys":["empty"],"value":{"asn":""}}
  {"keys":["flag"],"value":{"asn":true,"geo":{}}}
  {"keys":["none"],"value":{"as":1}}
  {"keys":["\u0001\\x"],"value":{"asn":"\\=\n"}}
  {"keys":["number"],"value":15169}
  {"keys":[{"$bin":"ff00"}],"value":{"asn":{"$str":"ff"}}}
  """#

private func database(_ options: String...) -> Scratch {
  let scratch = Scratch()
  #expect(scratch.run(["build", "@x.fsdb", "--quiet"] + options, input: records) == Scratch.Result(0))
  return scratch
}

struct `keys --where` {
  @Test(arguments: [
    ("asn=15169", ["int", "text", "text too"]), ("asn=15169.0", ["double"]), ("asn=null", ["nil", "text nil"]),
    ("asn=", ["empty"]), ("asn=true", ["flag"]), ("asn=True", []), ("asn=015169", []), ("asn= 15169", []),
    ("geo.city=Zürich", ["double", "int"]), ("geo.at.1=8.5", ["int"]), ("geo.at=[47.4,8.5]", ["int"]),
    ("geo.at=[47.4, 8.5]", []), ("geo={}", ["flag"]), (#"geo={"city":"Zürich"}"#, ["double"]), ("geo=", []),
    (#"a\=b=1"#, ["int"]), ("a=b=1", []), ("a.b=2", ["int"]), (#"a={"b":2}"#, ["int"]),
    ("asn=\\=\n", [#"\x01\\x"#]), (#"asn="15169""#, []),
  ])
  func `prints the keys whose field is as get prints it [Y10] [Y11]`(condition: String, keys: [String]) {
    let scratch = database()
    let out = keys.map { $0 + "\n" }.joined()
    #expect(scratch.run("keys", "@x.fsdb", "--where", condition) == Scratch.Result(0, out: out))
    #expect(
      scratch.run("keys", "@x.fsdb", "--where", condition, "--count") == Scratch.Result(0, out: "\(keys.count)\n"))
    for key in keys where !key.contains("\\") {
      let path = condition.prefix { $0 != "=" && $0 != "\\" }
      guard condition.hasPrefix(path + "=") else { continue }
      let text = condition.dropFirst(path.count + 1)
      #expect(scratch.run("get", "@x.fsdb", key, "--field", String(path)).out == text + "\n")
    }
  }

  @Test(arguments: [".", "asn.0"]) func `says where no value has the field`(field: String) {
    let scratch = database()
    let note = "fusedb: @x.fsdb: no value that was looked at has the field \"\(field)\", which --where names\n"
    #expect(scratch.run("keys", "@x.fsdb", "--where", "\(field)=15169") == Scratch.Result(0, err: note))
    let count = scratch.run("keys", "@x.fsdb", "--where", "\(field)=15169", "--count")
    #expect(count == Scratch.Result(0, out: "0\n", err: note))
  }

  @Test func `holds for all conditions, in a part of the keys, either way round, up to a limit`() {
    let scratch = database()
    func run(_ words: String...) -> String { scratch.run(["keys", "@x.fsdb", "--where", "asn=15169"] + words).out }
    #expect(run("--where", "geo.city=Bern") == "text\ntext too\n")
    #expect(run("--where", "geo.city=Bern", "--where", "geo.at.0=8") == "")
    #expect(run("--from", "text") == "text\ntext too\n")
    #expect(run("--reverse") == "text too\ntext\nint\n")
    #expect(run("--limit", "2") == "int\ntext\n")
    #expect(run("--limit", "2", "--count") == "2\n")
    #expect(run("--count", "--json") == "{\"count\":3}\n")
    #expect(run("--json") == "\"int\"\n\"text\"\n\"text too\"\n")
    #expect(run("-0") == "int\0text\0text too\0")
  }

  @Test func `takes bytes`() {
    let scratch = database()
    let words = ["keys", scratch.path("x.fsdb"), "--where"].map { Array($0.utf8) } + [Array("asn=".utf8) + [0xFF]]
    #expect(scratch.run(words) == Scratch.Result(0, out: "\\xff\\x00\n"))
  }

  @Test func `says what a condition is`() {
    let result = database().run("keys", "@x.fsdb", "--where", "asn")
    #expect(result.status == 64)
    #expect(result.err.contains("--where takes PATH=VALUE, as in asn=15169, and \"asn\" has no '='"))
    #expect(database().run("keys", "@x.fsdb", "--where", "a\\=1").status == 64)
  }

  @Test func `reads each object once, and again where it was forgotten`() throws {
    let scratch = Scratch()
    let many = (0..<400).map { #"{"keys":["\#($0 + 1000)"],"value":{"n":\#($0 * 7 % 40)}}"# }.joined(separator: "\n")
    #expect(scratch.run("build", "@x.fsdb", "--quiet", input: many) == Scratch.Result(0))
    let reader = try FuseReader(path: scratch.path("x.fsdb"))
    let condition = try #require(FieldCondition(Array("n=3".utf8)))
    for remembered in [1, 7, 1000] {
      var filter = FieldFilter([condition], reader, remembering: remembered)
      var found: [Int] = []
      var scan = try reader.entries()
      var number = 0
      while let entry = try scan.next() {
        if try filter.holds(for: entry) { found.append(number) }
        number += 1
      }
      #expect(found == (0..<400).filter { $0 * 7 % 40 == 3 })
      #expect(filter.readCount == (remembered == 1000 ? 40 : 400))
    }
  }

  @Test func `of a damaged object is an error`() throws {
    let scratch = database()
    var bytes = scratch.read("x.fsdb") ?? []
    bytes[50] ^= 1
    scratch.write(bytes, to: "x.fsdb")
    let result = scratch.run("keys", "@x.fsdb", "--where", "asn=1")
    #expect(result.status == 65)
    #expect(result.err.contains("checksum"))
  }
}

struct `keys --like` {
  @Test(arguments: [[], ["--reverse-index"], ["--plain"], ["--order", "insertion", "--objects", "shared"]])
  func `prints the keys that share a value`(options: [String]) {
    let scratch = Scratch()
    #expect(scratch.run(["build", "@x.fsdb", "--quiet"] + options, input: records) == Scratch.Result(0))
    func run(_ words: String...) -> Scratch.Result { scratch.run(["keys", "@x.fsdb", "--like"] + words) }
    #expect(run("text") == Scratch.Result(0, out: "text\ntext too\n"))
    #expect(run("text too", "--reverse") == Scratch.Result(0, out: "text too\ntext\n"))
    #expect(run("text too", "--limit", "1") == Scratch.Result(0, out: "text\n"))
    #expect(run("text too", "--limit", "0") == Scratch.Result(0))
    #expect(run("text", "--count") == Scratch.Result(0, out: "2\n"))
    #expect(run("text", "--count", "--json") == Scratch.Result(0, out: "{\"count\":2}\n"))
    #expect(run("text", "--json") == Scratch.Result(0, out: "\"text\"\n\"text too\"\n"))
    #expect(run("text", "-0") == Scratch.Result(0, out: "text\0text too\0"))
    #expect(run("nil") == Scratch.Result(0, out: "nil\n"))
    #expect(run("absent\n") == Scratch.Result(1, err: "fusedb: @x.fsdb: no such key: absent\\n\n"))
  }

  @Test func `does not go with --from and --where, nor --count with --null`() {
    for words in [["--like", "a", "--from", "a"], ["--like", "a", "--where", "a=1"], ["--count", "-0"]] {
      #expect(database().run(["keys", "@x.fsdb"] + words).status == 64)
    }
  }
}

struct `A reverse index by the command` {
  @Test func `is built, added and kept`() {
    let scratch = database("--reverse-index")
    #expect(scratch.run("build", "@y.fsdb", "--quiet", input: records).status == 0)
    let without = scratch.read("y.fsdb")
    #expect(scratch.run("reindex", "@y.fsdb", "--quiet", "--reverse-index").status == 0)
    #expect(scratch.read("y.fsdb") == scratch.read("x.fsdb"))
    #expect(scratch.read("y.fsdb") != without)
    #expect(scratch.run("reindex", "@y.fsdb", "--quiet").status == 0)
    #expect(scratch.read("y.fsdb") == scratch.read("x.fsdb"))
    #expect(scratch.run("verify", "@y.fsdb").status == 0)
  }

  @Test func `is not for plain files`() {
    let result = Scratch().run("build", "@x.fsdb", "--plain", "--reverse-index", input: records)
    #expect(result.status == 64 && result.err.contains("--reverse-index needs the index that --plain leaves out"))
  }
}
