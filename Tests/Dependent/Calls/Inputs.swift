let table = folder + "/orgs.csv"
write("id,name,asn\n8.8.8.8,Google LLC,15169\ngmail.com,Google LLC,15169\n", to: table)
var input = FuseInput(table)
input.keyFields = ["id"]
input.types = ["asn": .int]
input.commentPrefix = "#"
let fromTable = FuseWriter()
let counts = try fromTable.add(input, progress: { counts in expect(counts.keyCount <= 2) })
expect(counts.recordCount == 2 && counts.keyCount == 2)
try fromTable.build(to: folder + "/from-table.fsdb")
let address: Key = "8.8.8.8"
let fromTableReader = try FuseReader(path: folder + "/from-table.fsdb")
expect(try fromTableReader.view(forKey: address)?["asn"]?.int == 15169)

/// A function of its own: the compiler gives up at code with so many variables.
func readAsSaid() throws {
  let semicolons = folder + "/semicolons.txt"
  write("id;n;more\na;1;x;y\nb;NA\n;2\nid;n;more\n", to: semicolons)
  var said = FuseInput(semicolons)
  said.keyFields = ["id"]
  said.delimiter = .byte(UInt8(ascii: ";"))
  said.padsRows = true
  said.nullWords = ["NA"]
  said.lastColumnIsList = true
  said.skipsRepeatedHeaders = true
  said.skipsBadRecords = true
  said.droppedFields = ["n"]
  said.languages = ["en"]
  let collecting = FuseWriter(.init(onDuplicate: .collect))
  let saidCounts = try collecting.add(said)
  expect(saidCounts.recordCount == 2 && saidCounts.skippedCount == 1)
  expect(saidCounts.firstSkipped.first?.path == semicolons + ":4")
  try collecting.build(to: folder + "/collected.fsdb")
  let collected = try FuseReader(path: folder + "/collected.fsdb")
  let collectedKey: Key = "a"
  let list: FuseValue? = try collected.value(forKey: collectedKey)
  expect(list == [["more": ["x", "y"]]])
  expect(FuseInput.Delimiter.whitespace != .byte(1) && FuseInput.Format.json.rawValue == "json")

  let document = folder + "/document.json"
  write(#"{"data":[{"id":{"main":"a"},"n":1}]}"#, to: document)
  var inside = FuseInput(document)
  inside.recordsPath = FusePath("data")
  inside.keyFields = ["id.main"]
  let fromDocument = FuseWriter()
  let documentCounts = try fromDocument.add(inside)
  expect(documentCounts.recordCount == 1)
}
try readAsSaid()

let both = FuseInput(paths: [table, table], format: .ndjson)
do {
  try FuseWriter().add(both)
  expect(false)
} catch {
  expect(error.code == .invalidValue && error.path == table + ":1")
}
expect(FuseInput.Format(rawValue: "tsv") == .tsv && FuseInput.FieldType(rawValue: "int") == .int)

let ranges = folder + "/ranges.csv"
write("first,last,who\n10.0.0.1,10.0.3.254,office\n10.0.0.0,10.0.0.3,printer\n", to: ranges)
var overlapping = FuseInput(ranges)
overlapping.addressRange = (first: "first", last: "last")
do {
  try FuseWriter().add(overlapping)
  expect(false)
} catch {
  expect(error.code == .invalidValue && error.path == ranges + ":3")
}
overlapping.overlap = FuseInput.Overlap(rawValue: "smallest")
expect(overlapping.overlap == .smallest && FuseInput.Overlap.allCases == [.first, .last, .smallest])
let cut = FuseWriter()
try cut.add(overlapping)
try cut.build(to: folder + "/cut.fsdb")
