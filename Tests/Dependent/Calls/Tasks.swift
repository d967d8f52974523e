let path = folder + "/tasks.fsdb"
try makeFile(path)
let key: Key = "8.8.8.8"
let reader = try FuseReader(path: path)
let (built, merged, patch) = (folder + "/tasks-built.fsdb", folder + "/tasks-merged.fsdb", folder + "/tasks.patch")
runToEnd {
  let writer = FuseWriter()
  try writer.add(key, Org(name: "Alphabet Inc.", asn: 15169))
  let report = try await writer.buildInBackground(to: built) { share in expect(share <= 1) }
  expect(report.keyCount == 1)
  try await writer.buildInBackground(to: built)
  expect(try await FuseWriter.mergeInBackground([path, built], to: merged, progress: { _ in }).keyCount == 3)
  expect(try await FuseWriter.reindexInBackground(merged).keyCount == 3)
  expect(try await FuseReader.verifyInBackground(path: merged).isSound)
  expect(try await reader.verifyInBackground(level: .checksums) { _ in }.isSound)
  let new = try FuseReader(path: merged)
  try await FusePatch.makeInBackground(from: reader, to: new, at: patch)
  let made = try await FusePatch.applyInBackground(patch, to: reader, output: built)
  try await FusePatch.applyInBackground([patch], to: reader, output: built)
  expect(made.keyCount == 3)
}
runToEnd {
  var count = 0
  for try await entry in try reader.entries(from: key).async { count += try entry.bytes.byteCount }
  for try await object in reader.objects().async { count += try object.bytes.byteCount }
  for try await (_, org) in try FuseTable<Key, Org>(reader).rows().async { count += Int(org.asn) }
  var iterator = try reader.prefix(key).async.makeAsyncIterator()
  if let entry = try await iterator.next() { count += try entry.bytes.byteCount }
  let end = try await iterator.next()
  expect(end == nil && count > 15169 + 13335)
}
runToEnd {
  expect(try await FuseBackground.run { try reader.statistics().keyCount } == 3)
  expect(await FuseBackground.run { 42 } == 42)
  do throws(FuseError) {
    try await FuseBackground.run { () throws(FuseError) in throw FuseError(.refused, "no") }
    expect(false)
  } catch { expect(error.message == "no") }
  let task = Task { try await FuseReader.verifyInBackground(path: path) }
  task.cancel()
  do { expect(try await task.value.isSound) } catch { expect((error as? FuseError)?.code == .cancelled) }
}
