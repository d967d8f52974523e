let path = folder + "/table.fsdb"
try makeFile(path)
let key: Key = "8.8.8.8"
let missing: Key = "nowhere"
let table = try FuseTable<Key, Org>(path: path)
expect(try table[key]?.name == "Google LLC" && table[missing] == nil)
expect(try table.values(forKeys: [key, missing]).map { $0?.asn } == [15169, nil])
expect(try table.contains(key) && !table.contains(missing) && table.count == 3)
var rows = try table.rows(from: key)
expect(rows.count == 2)
while let (key, org) = try rows.next() { expect(key != missing && org.asn == 15169) }
var prefixed = try table.prefix("1." as Key, .descending)
expect(try prefixed.next()?.value.asn == 13335 && prefixed.next() == nil)
expect(try table.longestSuffix(ofDomain: key)?.value.asn == 15169 && table.longestSuffix(ofDomain: missing) == nil)
expect(try table.longestPrefix(of: key)?.key == key && table.longestMatch(ofEmail: missing) == nil)
let snapshot = FuseTable<Key, Org>(try ReloadableReader(path: path)).snapshot()
expect(try snapshot[key]?.asn == 15169)
expect(try FuseTable<[UInt8], Org>(try FuseReader(path: path))[Array("1.1.1.1".utf8)]?.asn == 13335)
let wrong = FuseTable<Key, [Org]>(try FuseReader(path: path), decoder: FuseDecoder())
do {
  _ = try wrong[key]
  expect(false)
} catch { expect((error as? FuseError)?.code == .invalidValue) }
