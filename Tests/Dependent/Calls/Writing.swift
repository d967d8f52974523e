let org = Org(name: "Google LLC", asn: 15169)
let key: Key = "8.8.8.8"
let text = Array("text".utf8)
let writer = FuseWriter(FuseWriter.Options(metadata: ["source": "calls"]))
let bytes = try FuseEncoder().encode(org)
let first = try writer.addObject(bytes)
let second = try writer.addObject(bytes.keyBytes)
let third = try writer.addObject(encoding: org)
expect(first == second && second == third)
try writer.addKey(key, for: first)
try writer.addKey(text.keyBytes, for: first)
try writer.addKey("a substring".dropFirst(2), for: first)
try writer.add(key, org)
try writer.add(["a", "b"] as [Key], org)
try writer.add(["c"] as [Key], messagePack: bytes)
try writer.add([[0, 255]] as [[UInt8]], Own.Coded(text: "bytes"), encoder: FuseEncoder(dates: .own))
// Keys of other types.
let uuid = FuseUUID("123E4567-E89B-12D3-A456-426614174000")!
expect(FuseUUID(bytes: uuid.bytes.keyBytes) == uuid && FuseUUID(keyBytes: uuid.description.keyBytes) == uuid)
expect(FuseUUID(bytes: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)).bytes.last == 16)
expect(Int(keyBytes: "-7".keyBytes) == -7 && UInt32(keyBytes: "-7".keyBytes) == nil)
try FuseWriter().add([1, -2], org)
try FuseWriter().add(uuid, org)
let report = try writer.build(to: folder + "/written.fsdb", progress: { share in expect(share <= 1) })
expect(report.keyCount == 7 && report.objectCount == 2)
let reindexed = try FuseWriter.reindex(folder + "/written.fsdb", metadata: ["source": "again"], progress: nil)
expect(reindexed.keyCount == 7 && !reindexed.wasPlain)

// The compact form, and back.
var forms: [FuseWriter.Form] = [.family, .compact]
forms.append(.compactFast)
for form in forms {
  var options = FuseWriter.Options()
  options.form = form
  let writer = FuseWriter(options)
  try writer.add(key, org)
  try writer.build(to: folder + "/form.fsdb")
  let version = try FuseReader(path: folder + "/form.fsdb").statistics().version
  expect(version == (form == .family ? 2 : 3))
  let other: FuseWriter.Form = form == .family ? .compact : .family
  try FuseWriter.reindex(folder + "/form.fsdb", form: other)
  let after = try FuseReader(path: folder + "/form.fsdb").statistics().version
  expect(after == (form == .family ? 3 : 2))
}

let normalising = FuseWriter(FuseWriter.Options(normalisation: .domain, masksHostBits: true))
try normalising.addKey("Example.COM.", for: normalising.addObject(bytes))
try normalising.build(to: folder + "/normalised.fsdb")
let rule = KeyNormalisation(rawValue: try FuseReader(path: folder + "/normalised.fsdb").metadata["normalise"] ?? "")
expect(rule == .domain && KeyNormalisation.allCases.count == 4)
expect(rule?.apply(to: "EXAMPLE.com") ?? [] == Array("example.com".utf8))
expect(KeyNormalisation.mac.apply(to: text.keyBytes) == nil)

let compatible = FuseWriter(.compatible)
do {
  _ = try compatible.addObject([0xC1])
  expect(false)
} catch {
  expect(error.code == FuseError.Code(rawValue: "invalidValue"))
  expect(error == error && Set([error]).count == 1 && error.path == nil && error.errno == nil)
  expect(error.offset == 0 && error.codingPath == nil && error.message != "" && error.description != "")
}
expect(FuseError(.refused, "no").message == "no")
