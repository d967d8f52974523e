// Keys that are no text: integers, UUIDs, types of one's own. Each has one spelling, which other programs find.
import FuseDB

struct UserID: RawRepresentable, FuseKey { var rawValue: UInt64 }

struct Endpoint: FuseKey {
  var host: String
  var port: Int
  var keySpelling: String { "\(host):\(port)" }
}

let session = FuseUUID("123E4567-E89B-12D3-A456-426614174000")!
let writer = FuseWriter()
try writer.add(UserID(rawValue: 42), ["name": "Ann"])
try writer.add(session, ["name": "Ann's session"])
try writer.add(Endpoint(host: "example.org", port: 443), ["name": "a server"])
try writer.build(to: "keys.fsdb")

let reader = try FuseReader(path: "keys.fsdb")
print(try reader[42]?["name"]?.string ?? "nobody")  // Ann
print(try reader["42"]?["name"]?.string ?? "nobody")  // Ann
print(try reader.contains(keys: [session, FuseUUID("00000000-0000-0000-0000-000000000000")!]))  // [true, false]
try reader.entries().forEach { entry in
  print(String(decoding: try entry.key, as: UTF8.self))  // 123e4567-…, then 42, then example.org:443
}
