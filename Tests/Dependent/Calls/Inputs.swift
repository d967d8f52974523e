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
