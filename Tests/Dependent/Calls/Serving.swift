let path = folder + "/served.fsdb"
try makeFile(path)
let key: Key = "8.8.8.8"
let missing: Key = "nowhere"
let text = Array("1.1.1.1".utf8)
var rules = SwapRules()
rules.accept = { new, old in if new.keyCount == 0 { throw Own(text: "empty") } }
var options = ServingOptions()
options.rules = rules
options.keptFileCount = 1
options.countsLookups = true
let store = try Store(path: path, options: options)
expect(try store.withBytes(forKey: key) { $0.byteCount } == 24)
expect(try store.withBytes(forKey: text.keyBytes) { $0.byteCount } != nil)
expect(try store.contains(key) && !store.contains(missing) && store.contains(text.keyBytes))
expect(try store.contains(keys: [key, missing]) == [true, false])
expect(try store.withValue(forKey: key) { $0["asn"]?.int } == 15169)
expect(try store.withValue(forKey: text.keyBytes) { $0["asn"]?.int } == 13335)
expect(try store.value(Org.self, forKey: key)?.asn == 15169)
expect(try store.value(Org.self, forKey: text.keyBytes)?.asn == 13335)
expect(try store.values(Org.self, forKeys: [missing, key]).map { $0?.asn } == [nil, 15169])
expect(try store[key]?["asn"]?.int == 15169 && store[missing] == nil && store[UInt64.max] == nil)
var sum = 0
try store.withBytes(forKeys: [key, missing]) { number, bytes in sum += number + (bytes?.byteCount ?? 0) }
try store.withValues(forKeys: [key, missing]) { number, value in sum += number + (value?["asn"]?.int ?? 0) }
expect(sum == 24 + 1 + 15169 + 1)
do {
  try store.withBytes(forKeys: [missing]) { number, _ in throw Own(text: "\(number)") }
  expect(false)
} catch { expect(error as? Own == Own(text: "0")) }
do {
  try store.withValues(forKeys: [missing]) { number, _ in throw Own(text: "\(number)") }
  expect(false)
} catch { expect(error as? Own == Own(text: "0")) }
do throws(FuseError) {
  try store.withBytes(forKeys: [missing]) { (_, _) throws(FuseError) in throw FuseError(.refused, "bytes") }
  expect(false)
} catch { expect(error.message == "bytes") }
do throws(FuseError) {
  try store.withValues(forKeys: [missing]) { (_, _) throws(FuseError) in throw FuseError(.refused, "values") }
  expect(false)
} catch { expect(error.message == "values") }
do {
  try store.withReader { (reader) throws(Own) in throw Own(text: reader.path) }
  expect(false)
} catch { expect(error.text == path) }
expect(store.withReader { $0.keyCount } == 3 && store.keyCount == 3 && store.byteCount > 0)
let lookupCount = store.counters.lookupCount
store.countLookups(hits: 1, misses: 1, failures: 1)
expect(store.counters.lookupCount > lookupCount && store.countsLookups && store.path == path)
expect(try store.entries(from: key).count == 2 && store.prefix("8." as Key).count == 1)
var objects = store.objects()
expect(try objects.next() != nil)
expect(try store.statistics().keyCount == 3 && store.metadata.isEmpty && store.verify().isSound)

expect(try store.withLongestSuffix(ofDomain: key) { try $0.view["asn"]?.int } == 15169)
expect(try store.withLongestPrefix(of: key) { $0.bytes.byteCount } == 24)
expect(try store.withLongestMatch(ofEmail: missing) { $0.bytes.byteCount } == nil)
do {
  _ = try store.withLongestPrefix(of: key) { match -> Int? in throw Own(text: "\(match.key.byteCount)") }
  expect(false)
} catch { expect(error as? Own == Own(text: "7")) }

let view = store.snapshot()
try makeFile(path, "Alphabet Inc.")
expect(try store.reloadIfChanged() && !store.reloadIfChanged() && !store.reloadIfChanged(unless: { true }))
try store.reload()
expect(view.generation == 1 && store.generation == 3)
try store.rollback()
try store.swap(to: path)
do {
  try store.swap(to: folder + "/nowhere.fsdb")
  expect(false)
} catch { expect(error.code == .notFound) }

var watching = FuseWatcher.Options()
watching.usesFileEvents = false
let watcher = try FuseWatcher(store, options: watching, onReload: { _ in }, onFailure: { print($0) })
_ = watcher.events
watcher.stop()

let pool = try FusePool(path: path, size: 2, options: options)
expect(try pool.withBytes(forKey: key) { $0.byteCount } ?? 0 > 0 && pool.contains(text.keyBytes) && pool.size == 2)
expect(try pool.withBytes(forKey: text.keyBytes) { $0.byteCount } ?? 0 > 0)
expect(pool.withReader { $0.keyCount } == 3 && pool.snapshot().keyCount == 3)
pool.countLookups(hits: 0, misses: 0, failures: 0)
try pool.reload()
try pool.rollback()
expect(try !pool.reloadIfChanged(unless: { false }))
try pool.swap(to: path)
let stores: [any Reloadable] = [store, pool]
for store in stores { expect(try store.withValue(forKey: key) { $0["asn"]?.int } == 15169) }
