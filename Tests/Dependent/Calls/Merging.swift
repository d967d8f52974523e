try makeFile(folder + "/monday.fsdb", "Google LLC")
try makeFile(folder + "/tuesday.fsdb", "Alphabet Inc.")
let inputs = [folder + "/monday.fsdb", folder + "/tuesday.fsdb"]
let output = folder + "/week.fsdb"
let key: Key = "8.8.8.8"
expect(try FuseWriter.merge(inputs, to: output).conflictCount == 2)

// Two typed values become one.
var options = MergeOptions(prefixes: [Array("8.8.8.8".utf8)])
options.onConflict = .combine { key, first, second in
  let (old, new) = (try FuseDecoder().decode(Org.self, from: first), try FuseDecoder().decode(Org.self, from: second))
  return .value(try FuseEncoder().encode(Org(name: "\(new.name), once \(old.name)", asn: new.asn)))
}
try FuseWriter.merge(inputs, to: output, options: options, progress: nil)
expect(try FuseReader(path: output).value(Org.self, forKey: key)?.name == "Alphabet Inc., once Google LLC")
options.onConflict = .combine { _, _, _ in throw Own(text: "no") }
do {
  try FuseWriter.merge(inputs, to: output, options: options)
  expect(false)
} catch { expect(error.code == .invalidValue) }
