import ProgramSupport
import Testing

@testable import FuseDBCommands

/// `[["b", bin 61], {"n": 1}]`, and `[["c"], uint16 5]`, whose encoding is not the shortest.
private let first = bytes("92 92 a1 62 c4 01 61 81 a1 6e 01")
private let second = bytes("92 91 a1 63 cd 00 05")
private let dumped =
  #"{"keys":["a","b"],"value":{"n":1}}"# + "\n" + #"{"keys":["c"],"value":{"$msgpack":"cd0005"}}"# + "\n"

/// Inputs in MessagePack, and inputs of several formats in one build.
struct BuildInputsTests {
  private let scratch = Scratch()

  private func build(_ input: [UInt8], _ words: [String] = []) -> Scratch.Result {
    scratch.run((["build", "@x.fsdb", "--quiet", "--format", "msgpack"] + words).map(path), input: input)
  }

  private func path(_ word: String) -> [UInt8] { Array(word.replacing("@", with: scratch.folder + "/").utf8) }

  private func dump(_ input: [UInt8], _ words: [String] = []) -> String {
    #expect(build(input, words) == Scratch.Result(0))
    return scratch.run("dump", "@x.fsdb").out
  }

  // MARK: Arrays of keys and a value

  @Test func `arrays of keys and a value make a file, and values stay as they are`() {
    #expect(dump(first + second) == dumped)
    #expect(dump([], ["--allow-empty"]) == "")
    // Heads of arrays and keys that are not the shortest, no keys, a key of no bytes.
    #expect(
      dump(bytes("dc0002 dd00000002 d90161 c500016 2 01") + bytes("92 90 07") + bytes("92 91 a0 c0"))
        == #"{"keys":[""],"value":null}"# + "\n" + #"{"keys":["a","b"],"value":1}"# + "\n")
  }

  @Test(
    arguments: [
      ("01", 1, 0, "a record is an array of keys and a value, and here one is an integer"),
      ("93 90 01 01", 1, 0, "a record is an array of keys and a value, and here one is an array of 3 values"),
      ("81 a1 61 01", 1, 0, "a record is an array of keys and a value, and here one is a map; name the field"),
      (
        "92 a1 61 01", 1, 1,
        "a record is an array of keys and a value, and instead of the array of keys there is a string"
      ),
      ("92 91 05 01", 1, 2, "a key is a string or binary, and here one is an integer"),
      ("92 92 a1 61 c0 01", 1, 4, "a key is a string or binary, and here one is nil"),
      ("92 90 01 92 90 02 c1", 3, 6, "the byte 0xc1 begins no MessagePack value"),
      ("92 90 01 92 90 c1", 2, 5, "the byte 0xc1 begins no MessagePack value"),
      ("92 90 01 92 90", 2, 5, "the record ends in its middle"),
      ("92 90 01 0a", 2, 3, "a record is an array of keys and a value, and here one is an integer"),
      ("92 90 db ffffffff 61", 1, 8, "the record ends in its middle"),
      ("dd ffffffff 90", 1, 6, "the record ends in its middle"),
      ("92 dd ffffffff a0", 1, 7, "the record ends in its middle"),
      ("dfffffffff dfffffffff dfffffffff", 1, 10, "arrays and maps count more values than any input holds"),
    ] as [(String, Int, Int, String)])
  func `what is no such array is named with its number and place`(
    input: String, number: Int, offset: Int, message: String
  ) {
    let result = build(bytes(input))
    #expect(result.status == 65)
    #expect(
      result.err.hasPrefix("fusedb: standard input: record \(number): offset \(offset): \(message)"), "\(result.err)")
    #expect(scratch.names == [])
  }

  @Test func `values may be nested 128 deep and no deeper`() {
    let levels = [UInt8](repeating: 0x91, count: 128)
    #expect(build(bytes("92 91 a1 61") + levels + [0xC0]).status == 0)
    let result = build(second + bytes("92 90") + levels + [0x91, 0xC0])
    #expect(result.status == 65)
    #expect(result.err.hasPrefix("fusedb: standard input: record 2: offset 137: arrays and maps are nested deeper"))
    let bottomless = build([UInt8](repeating: 0x91, count: 1 << 20))
    #expect(bottomless.status == 65)
    #expect(bottomless.err.contains("record 1: offset 1048576: the record ends in its middle"))
  }

  @Test func `a stream cut anywhere but between records is refused`() {
    for count in 1..<first.count + second.count where count != first.count {
      let result = build(Array((first + second)[..<count]))
      #expect(result.status == 65, "cut after \(count) bytes")
      let number = count < first.count ? 1 : 2
      #expect(
        result.err.contains(": record \(number): offset \(count): the record ends in its middle"), "\(result.err)")
    }
  }

  @Test func `records longer than the buffer, and on its ends, are read whole`() {
    // 300,000 bytes in one value; then some thousand records of all small sizes.
    var input = bytes("92 91 a1 61 c6 000493e0") + [UInt8](repeating: 7, count: 300_000)
    for number in 0..<4000 {
      let key = Array("k\(number)".utf8)
      input += [0x92, 0x91, 0xA0 | UInt8(key.count)] + key + [0xD9, UInt8(number % 250)]
      input += [UInt8](repeating: 0x78, count: number % 250)
    }
    let dump = dump(input).lines
    #expect(dump.contains { $0.hasPrefix(#"{"keys":["a"],"value":{"$bin":"0707"#) && $0.utf8.count > 600_000 })
    #expect(scratch.run("keys", "@x.fsdb").out.lines.count == 4001)
  }

  @Test func `a key that comes again can be an error, which names its record`() {
    let result = build(first + second + first, ["--on-duplicate", "error"])
    #expect(result.status == 65)
    #expect(result.err.hasPrefix("fusedb: standard input: record 3: a key comes twice: the key "), "\(result.err)")
  }

  // MARK: Maps

  @Test(
    arguments: [
      // {"id": "a", "x": uint8 1}
      ("82 a2 6964 a1 61 a1 78 cc01", ["--key", "id"], #"{"keys":["a"],"value":{"x":{"$msgpack":"cc01"}}}"#),
      // {1: 2, "id": ["a", 5, -5, bin ff]}
      (
        "82 01 02 a2 6964 94 a1 61 05 fb c4 01 ff", ["--key", "id"],
        #"{"keys":["-5","5","a",{"$bin":"ff"}],"value":{"$map":[[1,2]]}}"#
      ),
      // {"id": nil, "also": "b"}
      ("82 a2 6964 c0 a4 616c736f a1 62", ["--key", "id", "--key", "also"], #"{"keys":["b"],"value":{}}"#),
      // {"id": "a", 1: 2, "x": 3}
      ("83 a2 6964 a1 61 01 02 a1 78 03", ["--key", "id", "--keep", "x"], #"{"keys":["a"],"value":{"x":3}}"#),
      // {"f": 16777216, "l": "16777217"}
      ("82 a1 66 ce01000000 a1 6c a8 3136373737323137", ["--range", "f,l"], #"{"keys":["1.0.0.0/31"],"value":{}}"#),
      ("92 91 a1 61 05", ["--key", "id"], #"{"keys":["a"],"value":5}"#),
    ] as [(String, [String], String)])
  func `maps are records with key fields`(input: String, words: [String], line: String) {
    #expect(dump(bytes(input), words) == line + "\n")
  }

  @Test(
    arguments: [
      ("81 a1 78 01", ["--key", "id"], "offset 0: the record gives no key: \"id\" is missing, nil or empty"),
      ("81 a2 6964 90", ["--key", "id"], "offset 0: the record gives no key"),
      ("81 a2 6964 c3", ["--key", "id"], "offset 4: a key field holds a boolean; it can hold a string"),
      (
        "81 a2 6964 92 a1 61 91 a1 62", ["--key", "id"],
        "offset 7: a key field holds an array with an array in it; each element can be "
      ),
      ("81 a1 66 a1 31", ["--range", "f,l"], "offset 0: \"l\" is missing or empty"),
      ("82 a1 66 c0 a1 6c 01", ["--range", "f,l"], "offset 0: \"f\" is missing or empty"),
      ("82 a1 66 c3 a1 6c 01", ["--range", "f,l"], "offset 3: \"f\" holds a boolean; "),
      ("82 a1 66 01 a1 66 01", ["--range", "f,l"], "offset 6: a field of the range comes twice"),
      ("82 a1 66 02 a1 6c 01", ["--range", "f,l"], "offset 0: the range from \"2\" in \"f\" to \"1\" in \"l\" ends"),
    ] as [(String, [String], String)])
  func `a map without a key, or with one that is none, is refused`(input: String, words: [String], message: String) {
    let result = build(bytes(input), words)
    #expect(result.status == 65)
    #expect(result.err.hasPrefix("fusedb: standard input: record 1: " + message), "\(result.err)")
  }

  // MARK: Several formats

  @Test func `a dump, tables and MessagePack go into one build`() {
    scratch.write(#"{"keys":["a"],"value":{"x":1}}"# + "\n" + #"{"id":"b","x":2}"#, to: "a.ndjson")
    scratch.write("id,x\nc,3\n", to: "b.csv")
    scratch.write(first + second, to: "c.mpk")
    scratch.write("id\tx\nd\t4\n", to: "table")
    scratch.write("id,x\ne,5\n", to: "csv:e")
    let words = ["build", "@x.fsdb", "@a.ndjson", "@b.csv", "@c.mpk", "tsv:@table", "@csv:e", "csv:-"]
    // The file whose name begins like a format is NDJSON by its ending, which it is not.
    let result = scratch.run(words + ["--key", "id"], input: "id,x\nf,6\n")
    #expect(result.status == 65)
    #expect(result.err.hasPrefix("fusedb: @csv:e:1: not JSON at column "))
    let fixed = words.map { $0 == "@csv:e" ? "csv:@csv:e" : $0 }
    #expect(scratch.run(fixed + ["--key", "id", "--quiet"], input: "id,x\nf,6\n") == Scratch.Result(0))
    #expect(
      scratch.run("prefix", "@x.fsdb", "").out == """
        a\t{"n":1}
        b\t{"n":1}
        c\t{"$msgpack":"cd0005"}
        d\t{"x":"4"}
        e\t{"x":"5"}
        f\t{"x":"6"}

        """)
  }

  @Test(arguments: [
    (#"{"keys":["a"],"value":1}"#, "id", #"{"keys":["a"],"value":1}"#),
    (#"{"value":1,"keys":[{"$bin":"61"}]}"#, "id", #"{"keys":["a"],"value":1}"#),
    // The named field is there, so these are records.
    (#"{"keys":["a"],"value":1}"#, "keys", #"{"keys":["a"],"value":{"value":1}}"#),
    (#"{"keys":["a"],"value":"v"}"#, "value", #"{"keys":["v"],"value":{"keys":["a"]}}"#),
    (#"{"keys":["a"],"value":1,"id":"b"}"#, "id", #"{"keys":["b"],"value":{"keys":["a"],"value":1}}"#),
  ])
  func `a line of keys and a value among records is what it looks like, unless it has a key field`(
    input: String, key: String, dumped: String
  ) {
    #expect(scratch.run("build", "@x.fsdb", "--quiet", "--key", key, input: input).status == 0)
    #expect(scratch.run("dump", "@x.fsdb").out == dumped + "\n")
  }

  @Test(arguments: [
    (["build", "x", "csv:"], "INPUT is empty"), (["build", "x", "csv:a"], "a table needs --key FIELD"),
    (["build", "x", "csv:-", "-", "--key", "a"], "standard input can be read only once"),
    (["build", "x", "ndjson:a.csv", "--key", "a", "--columns", "a"], "--columns is for tables"),
  ])
  func `wrong usage is named`(words: [String], message: String) {
    let result = scratch.run(words)
    #expect(result.status == 64)
    #expect(result.err.hasPrefix("fusedb: build: " + message), "\(result.err)")
  }
}
