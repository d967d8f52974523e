import FuseDB
import FuseDBInput
import ProgramSupport
import Testing

struct `An input that says more of itself` {
  private let scratch = Scratch()

  /// What a database holds that is built from an input.
  private func values(
    _ input: FuseInput, _ onDuplicate: FuseWriter.DuplicatePolicy = .last, keys: [String] = ["a", "b", "c", "id"]
  ) throws -> (counts: FuseInput.Counts, values: [String: FuseValue]) {
    let writer = FuseWriter(.init(onDuplicate: onDuplicate))
    let counts = try writer.add(input)
    try writer.build(to: scratch.path("out.fsdb"))
    var values: [String: FuseValue] = [:]
    let reader = try FuseReader(path: scratch.path("out.fsdb"))
    for key in keys { values[key] = try reader.value(forKey: key) }
    #expect(reader.keyCount == values.count)
    return (counts, values)
  }

  @Test func `names what stands between its cells, what is null and what the last column is`() throws {
    var input = FuseInput(scratch.write("id;n;more\na;1;x;y\nb;NA\nid;n;more\n", to: "x.txt"))
    input.keyFields = ["id"]
    input.types = ["n": .int]
    input.delimiter = .byte(UInt8(ascii: ";"))
    input.nullWords = ["NA"]
    input.lastColumnIsList = true
    input.skipsRepeatedHeaders = true
    #expect(try values(input).values == ["a": ["n": 1, "more": ["x", "y"]], "b": ["n": nil, "more": []]])
  }

  @Test func `has rows that lack cells between spaces`() throws {
    var input = FuseInput(scratch.write("  id   n\n\ta 1 \nb\n", to: "x.txt"))
    input.keyFields = ["id"]
    input.delimiter = .whitespace
    input.padsRows = true
    #expect(try values(input).values == ["a": ["n": "1"], "b": ["n": nil]])
  }

  @Test func `has records inside of a document, and fields inside of others`() throws {
    let document =
      #"{"meta":{"n":2},"data":{"items":[{"id":{"main":"a"},"g":{"x":1,"y":2}},{"id":{"main":"a"},"g":3}]}}"#
    var input = FuseInput(scratch.write(document, to: "x.json"))
    input.recordsPath = FusePath("data.items")
    input.keyFields = ["id.main"]
    input.droppedFields = ["g.y", "id"]
    #expect(try values(input, .collect).values == ["a": [["g": ["x": 1]], ["g": 3]]])
  }

  @Test func `skips bad records and tells the first of them`() throws {
    let path = scratch.write("id,n\na,1\n,2\nb,x\nc,3\n", to: "x.csv")
    var input = FuseInput(path)
    input.keyFields = ["id"]
    input.types = ["n": .int]
    input.skipsBadRecords = true
    let found = try values(input)
    #expect(found.values == ["a": ["n": 1], "c": ["n": 3]])
    #expect(found.counts.recordCount == 2 && found.counts.skippedCount == 2)
    #expect(found.counts.firstSkipped.map { $0.path } == [path + ":3", path + ":4"])
  }

  @Test func `has a delimiter that is one`() async {
    await #expect(processExitsWith: .failure) {
      var input = FuseInput("x.csv")
      input.keyFields = ["id"]
      input.delimiter = .byte(UInt8(ascii: "\""))
      try FuseWriter().add(input)
    }
  }
}
