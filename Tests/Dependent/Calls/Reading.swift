let path = folder + "/read.fsdb"
try makeFile(path)
let key: Key = "8.8.8.8"
let missing: Key = "nowhere"
let text = Array("1.1.1.1".utf8)
let access = FuseAccess(memory: .mapped, advice: .random, prefault: .none, isLocked: false)
let reader = try FuseReader(path: path, checksums: .verified, access: access)
expect(try reader.bytes(forKey: key)?.byteCount == 24)
expect(try reader.bytes(forKey: text.keyBytes) != nil)
expect(try reader.withBytes(forKey: key) { $0.byteCount } == 24)
expect(try reader.withBytes(forKey: text.keyBytes) { $0.byteCount } ?? 0 > 0)
expect(try reader.contains(key) && !reader.contains(missing) && reader.contains(text.keyBytes))
expect(try reader.contains(keys: [key, missing]) == [true, false])
expect(try reader.view(forKey: key)?["asn"]?.int == 15169)
expect(try reader.view(forKey: text.keyBytes)?["asn"]?.int == 13335)
expect(try reader.withValue(forKey: key) { $0["name"]?.string } == "Google LLC")
expect(try reader.withValue(forKey: text.keyBytes) { $0["asn"]?.int } == 13335)
expect(try reader.value(Org.self, forKey: key) == Org(name: "Google LLC", asn: 15169))
expect(try reader.value(Org.self, forKey: text.keyBytes)?.asn == 13335)
expect(try reader.values(Org.self, forKeys: [key, missing]).map { $0?.asn } == [15169, nil])
expect(try reader[key]?["asn"]?.int == 15169 && reader[missing] == nil && reader[42] == nil)
try reader.checkNotShrunk()
FuseSignals.use(.inFront)

// The key that covers a question best.
expect(try reader.longestSuffix(ofDomain: key)?.bytes.byteCount == 24)
expect(try reader.longestSuffix(ofDomain: text.keyBytes)?.key.byteCount == text.count)
expect(try reader.longestMatch(ofEmail: missing) == nil)
expect(try reader.longestMatch(ofEmail: text.keyBytes) == nil)
expect(try reader.longestPrefix(of: key)?.view["asn"]?.int == 15169)
expect(try reader.longestPrefix(of: text.keyBytes)?.objectOffset ?? 0 > 0)
if let match = try reader.longestSuffix(ofDomain: key) {
  let asn = try match.view["asn"]?.int
  expect(asn == 15169 && String(keyBytes: match.key) == "8.8.8.8")
}

// Many keys, with bodies that throw anything, only FuseError, and nothing.
var sum = 0
try reader.withBytes(forKeys: [key, missing]) { number, bytes in sum += number + (bytes?.byteCount ?? 0) }
try reader.withValues(forKeys: [key, missing]) { number, value in sum += number + (value?["asn"]?.int ?? 0) }
expect(sum == 24 + 1 + 15169 + 1)
do {
  try reader.withBytes(forKeys: [key, missing]) { number, bytes in
    if bytes == nil { throw Own(text: "\(number)") }
  }
  expect(false)
} catch { expect(error as? Own == Own(text: "1")) }
do {
  try reader.withValues(forKeys: [key, missing]) { number, value in
    if value == nil { throw Own(text: "\(number)") }
  }
  expect(false)
} catch { expect(error as? Own == Own(text: "1")) }
do throws(FuseError) {
  try reader.withBytes(forKeys: [missing]) { (number, bytes) throws(FuseError) in throw FuseError(.refused, "bytes") }
  expect(false)
} catch { expect(error.message == "bytes") }
do throws(FuseError) {
  try reader.withValues(forKeys: [missing]) { (number, value) throws(FuseError) in throw FuseError(.refused, "values") }
  expect(false)
} catch { expect(error.message == "values") }

// Without a path.
let file = try reader.withBytes(forKey: key) { _ in [UInt8](repeating: 0, count: 40) } ?? []
do {
  _ = try FuseReader(bytes: file)
  expect(false)
} catch { expect(error.code == .notADatabase) }
do {
  _ = try FuseReader(bytes: file.keyBytes, isLocked: false)
  expect(false)
} catch { expect(error.code == .notADatabase) }
do {
  _ = try FuseReader(descriptor: -1)
  expect(false)
} catch { expect(error.code == .notFound || error.code == .inputOutput) }
