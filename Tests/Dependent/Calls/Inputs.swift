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
