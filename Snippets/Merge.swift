// Merges two files, and makes one value of two where both have a key.
import FuseDB

struct Org: Codable {
  var name: String
  var tags: [String]
}

for (day, tag) in [("monday", "cdn"), ("tuesday", "dns")] {
  let writer = FuseWriter()
  try writer.add("8.8.8.8", Org(name: "Google LLC", tags: [tag]))
  try writer.build(to: "\(day).fsdb")
}

var options = MergeOptions()
options.onConflict = .combine { key, first, second in
  var org = try FuseDecoder().decode(Org.self, from: first)
  org.tags += try FuseDecoder().decode(Org.self, from: second).tags
  return .value(try FuseEncoder().encode(org))
}
let report = try FuseWriter.merge(["monday.fsdb", "tuesday.fsdb"], to: "week.fsdb", options: options)
print(report.keyCount, report.conflictCount)  // 1 1

let week = try FuseReader(path: "week.fsdb")
print(try week.value(Org.self, forKey: "8.8.8.8")!.tags)  // ["cdn", "dns"]
