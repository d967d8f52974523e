let path = folder + "/scanned.fsdb"
try makeFile(path, options: FuseWriter.Options(metadata: ["source": "calls"]))
let bound: Key = "1.1.1.1"
let reader = try FuseReader(path: path, access: .copied)
expect(try reader.metadata == ["source": "calls"] && reader.statistics().keyCount == 3)
var scan = try reader.entries(from: bound)
try scan.skip(1)
while let entry = try scan.next() {
  expect(try entry.key.count == entry.keyBytes.byteCount && entry.bytes.byteCount == entry.view.messagePack.byteCount)
  expect(entry.objectOffset > 0)
}
expect(try reader.entries(upTo: bound, .descending).count == 0)
expect(try reader.prefix("8." as Key).count == 1)
var count = 0
try reader.entries().forEach { count += try $0.bytes.byteCount }
var byteCount = 0
try reader.entries().forEachInPlace { key, object in byteCount += key.byteCount + object.byteCount }
expect(byteCount > count)
do {
  try reader.prefix(bound).forEachInPlace { _, object in throw Own(text: "\(object.byteCount)") }
  expect(false)
} catch { expect(error as? Own == Own(text: "30")) }
try reader.objects().forEach { (object) throws(FuseError) in count += try object.bytes.byteCount }
try reader.entries().forEach { entry, isDone in isDone = try entry.key == Array("gmail.com".utf8) }
try reader.entries().forEach { (entry, isDone) throws(FuseError) in isDone = try entry.key.count > 7 }
do {
  try reader.prefix(bound).forEach { entry in throw Own(text: "\(try entry.bytes.byteCount)") }
  expect(false)
} catch { expect(error as? Own == Own(text: "30")) }
do throws(FuseError) {
  try reader.prefix(bound).forEach { (entry) throws(FuseError) in throw FuseError(.refused, "\(try entry.key.count)") }
  expect(false)
} catch { expect(error.message == "7") }
var pages = try reader.entries()
expect(try pages.next(2).count == 2 && pages.next(2).count == 1 && pages.next(2).isEmpty)
var sharing = try reader.keys(sharing: bound)
while let entry = try sharing?.next() {
  var same = try reader.keys(sharing: entry, .descending)
  var again = try reader.keys(ofObjectAt: entry.objectOffset)
  expect(try same.next()?.objectOffset == same.objectOffset)
  expect(try again.next()?.objectOffset == again.objectOffset)
}
expect(try reader.keys(sharing: Array("1.1.1.1".utf8).keyBytes)?.objectOffset == sharing?.objectOffset)
var objects = reader.objects()
while let object = try objects.next() {
  expect(try object.offset > 0 && object.bytes.byteCount > 0 && object.view["asn"]?.int != nil)
}

try makeFile(folder + "/scanned-new.fsdb", "Alphabet Inc.")
let new = try FuseReader(path: folder + "/scanned-new.fsdb", access: .mapped)
var differences = try new.differences(from: reader)
var changes: [Difference] = []
while let difference = try differences.next() { changes.append(difference) }
expect(changes.count == 2 && differences.equalCount == 1)
expect(try changes.first?.entry.key == Array("8.8.8.8".utf8))

let made = try FusePatch.make(from: reader, to: new, at: folder + "/patch")
precondition(FusePatch.usualGreatestByteCount(oldByteCount: reader.byteCount, patchByteCount: made.byteCount) > 1 << 28)
let patched = try FusePatch.apply(folder + "/patch", to: reader, output: folder + "/patched.fsdb")
expect(made.byteCount > 0 && patched.keyCount == 3)
let passed = try FusePatch.apply([folder + "/patch"], to: reader, output: folder + "/patched.fsdb")
expect(passed.keyCount == 3)

expect(try reader.verify().isSound)
expect(try FuseReader.verify(path: path, level: .full, progress: nil).isSound)
let summary = try FuseReader.verify(path: path) { (damage) throws(FuseError) in
  throw FuseError(.corrupted, damage.description)
}
expect(summary.isSound && Damage.Kind(rawValue: "nothing") == nil)
