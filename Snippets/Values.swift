// Stores typed values and reads them: whole, field by field, and as a table.
import FuseDB

struct Org: Codable {
  var name: String
  var asn: UInt32?
  var tags: [String] = []
}

let writer = FuseWriter()
try writer.add(["8.8.8.8", "gmail.com"], Org(name: "Google LLC", asn: 15169, tags: ["cdn", "dns"]))
try writer.add("example.org", Org(name: "IANA"))
try writer.build(to: "orgs.fsdb")

let reader = try FuseReader(path: "orgs.fsdb")

// Whole: any Decodable type.
if let org = try reader.value(Org.self, forKey: "8.8.8.8") {
  print(org.name, org.asn ?? 0, org.tags)  // Google LLC 15169 ["cdn", "dns"]
}

// One field: nothing else is decoded, and nothing allocated.
let asn = try reader.withValue(forKey: "gmail.com") { $0["asn"]?.int }
print(asn as Any)  // Optional(15169)
try reader.withValue(forKey: "8.8.8.8") { value in
  print(value["tags"]?[1]?.string as Any)  // Optional("dns")
  print(value["asn"]?.string as Any)  // nil: it is an integer, and nothing is converted
}

// A dictionary that is a file.
let orgs = FuseTable<String, Org>(reader)
print(try orgs["example.org"]?.name as Any, try orgs["nowhere"] as Any)  // Optional("IANA") nil
var rows = try orgs.prefix("g")
while let (key, org) = try rows.next() { print(key, org.name) }  // gmail.com Google LLC

// Any value, when no type is known; it is kept to the last byte.
let value = try FuseValue(json: #"{"seen":{"$ext":[-1,"00000001"]},"ports":[80,443]}"#)
print(value["seen"]?.timestamp as Any, value["ports"]?[0]?.int as Any)  // Optional(1970-01-01T00:00:01Z) Optional(80)

// What is wrong says where.
do { _ = try reader.value([String: Int].self, forKey: "8.8.8.8") } catch {
  print(error)  // orgs.fsdb: offset 6 of the value: name: an integer was expected, and here is a string, …
}
