import FuseDB
import FuseDBInput
import ProgramSupport
import Testing

struct `Files of records` {
  private let scratch = Scratch()

  /// What the database says that is built from an input.
  private func build(_ input: FuseInput, _ options: FuseWriter.Options = FuseWriter.Options()) throws -> FuseReader {
    let writer = FuseWriter(options)
    try writer.add(input)
    try writer.build(to: scratch.path("out.fsdb"))
    return try FuseReader(path: scratch.path("out.fsdb"))
  }

  private func value(_ key: some FuseKey, _ reader: FuseReader) throws -> FuseValue? {
    try reader.value(forKey: key)
  }

  private func failure(_ input: FuseInput) -> FuseError? {
    do throws(FuseError) {
      try FuseWriter().add(input)
      return nil
    } catch { return error }
  }

  @Test func `are known by their names, and each has its own format`() throws {
    let table = scratch.write("id,asn,name\na,1,Ann\nb,,\"B, C\"\n", to: "x.csv")
    let lines = scratch.write(#"{"id":["c","d"],"asn":2}"# + "\n", to: "x.ndjson")
    var input = FuseInput(table, lines)
    input.keyFields = ["id"]
    input.types = ["asn": .int]
    let writer = FuseWriter()
    let counts = try writer.add(input)
    #expect(counts.recordCount == 3)
    #expect(counts.keyCount == 4)
    try writer.build(to: scratch.path("out.fsdb"))
    let reader = try FuseReader(path: scratch.path("out.fsdb"))
    #expect(try value("a", reader) == ["asn": 1, "name": "Ann"])
    #expect(try value("b", reader) == ["asn": nil, "name": "B, C"])
    #expect(try value("c", reader) == ["asn": 2])
    #expect(try value("d", reader) == ["asn": 2])
  }

  @Test func `with ranges that overlap say who has an address, or are refused [R13] [R14]`() throws {
    let rows = "10.0.0.1,10.0.3.254,office\n10.0.0.0,10.0.0.3,printer\n10.0.0.0,10.0.0.3,"
    var input = FuseInput(scratch.write("a,b,who\n" + rows + "printer\n", to: "x.csv"))
    input.addressRange = ("a", "b")
    let error = failure(input)
    #expect(error?.path == scratch.path("x.csv") + ":3")
    #expect(error?.message.hasSuffix("or let overlap say whose the addresses of both are") == true)
    input.overlap = .smallest
    #expect(try value("10.0.0.0/30", build(input)) == ["who": "printer"])
    input.overlap = .first
    #expect(try value("10.0.0.0/32", build(input)) == ["who": "printer"])
    #expect(try value("10.0.0.1/32", build(input)) == ["who": "office"])
  }

  @Test func `with a range twice follow a writer that says which one counts [R13]`() throws {
    var input = FuseInput(scratch.write("a,b,who\n1,1,a\n1,1,b\n", to: "x.csv"))
    input.addressRange = ("a", "b")
    #expect(failure(input)?.code == .duplicateKey)
    #expect(try value("0.0.0.1/32", build(input, .init(onDuplicate: .first))) == ["who": "a"])
  }

  @Test func `keep the writer's rule for keys [F1] [F2]`() throws {
    var input = FuseInput(scratch.write("id\nExample.COM.\n8.8.8.8/16\n", to: "x.csv"))
    input.keyFields = ["id"]
    let reader = try build(input, .init(normalisation: .domain, masksHostBits: true))
    #expect(try reader.metadata == ["normalise": "domain"])
    for key in ["example.com", "8.8.0.0/16"] { #expect(try value(key, reader) == [:]) }
    let error = #expect(throws: FuseError.self) { try build(input, .init(networks: .always)) }
    #expect(error?.path == scratch.path("x.csv") + ":3")
    #expect(error?.message.hasSuffix("write 8.8.0.0/16, or let the writer's masksHostBits do that") == true)
  }

  @Test func `may have keys in their records, and be written as they were dumped`() throws {
    let lines = scratch.write(#"{"keys":["8.8.8.8",{"$bin":"00ff"}],"value":[1,2]}"# + "\n", to: "x")
    let reader = try build(FuseInput(lines))
    #expect(try value("8.8.8.8", reader) == [1, 2])
    #expect(try value([0, 0xFF] as [UInt8], reader) == [1, 2])
  }

  @Test func `take every choice that the command has`() throws {
    let table = scratch.write("# two lines\nx|y\n10.0.0.0\t10.0.0.3\t\"q\t1\n", to: "x.txt")
    var input = FuseInput(paths: [table], format: .tsv)
    input.addressRange = ("first", "last")
    input.columns = ["first", "last", "name", "n"]
    input.keptFields = ["name"]
    input.commentPrefix = "#"
    input.takesQuotes = false
    #expect(failure(input)?.path == "\(table):2", "x|y is no row of four cells")
    scratch.write("# one line\n10.0.0.0\t10.0.0.3\t\"q\t1\n", to: "x.txt")
    let reader = try build(input)
    #expect(reader.keyCount == 1)
    #expect(try value("10.0.0.0/30", reader) == ["name": "\"q"])
  }

  @Test func `are refused with file, line and what to do, in the words of the library`() {
    let missing = scratch.path("missing.csv")
    #expect(failure(FuseInput(missing))?.code == .notFound)

    let lines = scratch.write(#"{"id":"a","x":1}"# + "\n" + #"{"id":"b"}"# + "\n", to: "x.ndjson")
    let native = failure(FuseInput(lines))
    #expect(native?.path == "\(lines):1")
    #expect(native?.message.contains(#"as in keyFields = ["id"]"#) == true)

    var misspelt = FuseInput(lines)
    misspelt.keyFields = ["id"]
    misspelt.keptFields = ["y"]
    #expect(failure(misspelt)?.message.contains("keptFields names") == true)
    misspelt.allowsMissingFields = true
    #expect(failure(misspelt) == nil)

    var short = FuseInput(lines)
    short.keyFields = ["id"]
    short.recordLimit = 12
    #expect(failure(short)?.code == .limitExceeded)
    #expect(failure(short)?.message.contains("raise recordLimit") == true)

    let table = scratch.write("id;x\n1;2\n", to: "x.csv")
    var semicolons = FuseInput(table)
    semicolons.keyFields = ["id"]
    #expect(failure(semicolons)?.message.contains("which keyFields names") == true)
    #expect(failure(semicolons)?.message.contains("delimiter = .byte(UInt8(ascii: \";\"))") == true)
  }

  @Test func `are described without the options of the command`() {
    let table = scratch.write("a,b\n1,\"2\n", to: "x.csv")
    var input = FuseInput(table)
    input.keyFields = ["a"]
    #expect(failure(input)?.message.contains("takesQuotes = false") == true)
    #expect(failure(input)?.message.contains("--") == false)
  }

  @Test func `give the same bytes on one thread and on several`() throws {
    let lines = scratch.write((0..<20_000).map { "{\"id\":\($0),\"x\":\($0 % 7)}\n" }.joined(), to: "x.ndjson")
    var input = FuseInput(lines)
    input.keyFields = ["id"]
    let files = try [1, 3].map { threadCount in
      _ = try build(input, FuseWriter.Options(memory: 16 << 20, threadCount: threadCount))
      return try #require(scratch.read("out.fsdb"))
    }
    #expect(files[0] == files[1])
  }
}
