// Builds a small database, opens it and asks it.
import FuseDB

let writer = FuseWriter()
let google = try writer.addObject(FuseJSON.messagePack(from: #"{"org": "Google LLC", "asn": 15169}"#))
try writer.addKey("8.8.8.8", for: google)
try writer.addKey("8.8.4.4", for: google)
try writer.addKey("gmail.com", for: google)
let report = try writer.build(to: "example.fsdb")
print(report.keyCount, report.objectCount)  // 3 1

let reader = try FuseReader(path: "example.fsdb")

// In place: the bytes are those of the mapped file, one MessagePack value, their checksum compared.
if let bytes = try reader.bytes(forKey: "gmail.com") {
  print(try FuseJSON.text(from: bytes))  // {"org":"Google LLC","asn":15169}
}
print(try reader.contains("gmail.co"))  // false

// In order, one entry a step.
var scan = try reader.prefix("8.8.")
while let entry = try scan.next() {
  print(String(decoding: try entry.key, as: UTF8.self))  // 8.8.4.4, then 8.8.8.8
}

// Many keys wait for memory together; the answers come in their order.
try reader.withBytes(forKeys: ["8.8.8.8", "nowhere"]) { number, bytes in
  print(number, bytes?.byteCount ?? 0)  // 0 23, then 1 0
}
