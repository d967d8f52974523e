// Keys of Foundation's types, and of the program's own: a line each, without a flag of the compiler.
import Foundation
import FuseDB

extension Data: @retroactive FuseKey {
  /// Its bytes.
  public var keySpelling: [UInt8] { Array(self) }
}
extension UUID: @retroactive FuseKey {
  /// Its text in lower case.
  public var keySpelling: FuseKeyText { FuseUUID(bytes: uuid).keySpelling }
}
extension UUID: @retroactive FuseTableKey {
  /// The UUID of a key.
  public init?(keyBytes: RawSpan) {
    guard let uuid = FuseUUID(keyBytes: keyBytes) else { return nil }
    self.init(uuidString: uuid.description)
  }
}
struct UserID: RawRepresentable, FuseKey { var rawValue: UInt32 }
enum Country: String, FuseKey { case germany = "de" }
struct Endpoint: FuseKey {
  var host: String
  var port: Int
  var keySpelling: String { "\(host):\(port)" }
}

func expect(_ isTrue: Bool, _ line: UInt = #line) { precondition(isTrue, "not as expected", line: line) }

func ask(_ path: String) throws {
  let (uuid, data) = (UUID(), Data([0, 0xFF, 7]))
  let writer = FuseWriter()
  try writer.add(uuid, ["name": "uuid"])
  try writer.add(data, ["name": "data"])
  try writer.add([42, -7], ["name": "integer"])
  try writer.addKey(UserID(rawValue: 7), for: writer.addObject(encoding: ["name": "user"]))
  try writer.add([Country.germany], ["name": "country"])
  try writer.add(Endpoint(host: "example.org", port: 443), ["name": "endpoint"])
  try writer.build(to: path)

  let reader = try FuseReader(path: path)
  let store = try ReloadableReader(path: path)
  func name(_ key: some FuseKey) throws -> String? {
    let found = try reader[key]?["name"]?.string
    expect(try reader.withValue(forKey: key) { $0["name"]?.string } == found)
    expect(try reader.value([String: String].self, forKey: key)?["name"] == found)
    expect(try store[key]?["name"]?.string == found && store.contains(key) == (found != nil))
    return found
  }
  expect(try name(uuid) == "uuid" && name(uuid.uuidString.lowercased()) == "uuid" && name(uuid.uuidString) == nil)
  expect(try name(data) == "data" && name([0, 0xFF, 7]) == "data" && name(Data()) == nil)
  expect(try name(42) == "integer" && name("42") == "integer" && name(UInt64(42)) == "integer" && name(43) == nil)
  expect(try name(UserID(rawValue: 7)) == "user" && name(Country.germany) == "country" && name("de") == "country")
  expect(try name(Endpoint(host: "example.org", port: 443)) == "endpoint")
  expect(try reader.contains(keys: [uuid, UUID()]) == [true, false])
  expect(try reader.values([String: String].self, forKeys: [data, Data()]).map { $0?["name"] } == ["data", nil])
  expect(try reader.prefix(Data([0])).count == 1 && reader.entries(from: data, upTo: uuid).count >= 1)
  expect(try FuseTable<UUID, [String: String]>(reader)[uuid]?["name"] == "uuid")
}

// The bytes of a text. Not in Calls: Swift 6.3 crashes on `text.keyBytes` of a variable where a function has the wrong
// number of variables, some fifty or more.
func askBytes(_ path: String) throws {
  let reader = try FuseReader(path: path)
  let text = "42"
  expect(try reader.contains(text.keyBytes) && reader.bytes(forKey: text.keyBytes) != nil)
  expect(try reader.view(forKey: text.keyBytes)?["name"]?.string == "integer")
  expect(try reader.withValue(forKey: text.keyBytes) { $0["name"]?.string } == "integer")
}

let folder = CommandLine.arguments[1]
try ask(folder + "/sync.fsdb")
try askBytes(folder + "/sync.fsdb")
expect(try FuseReader(path: folder + "/sync.fsdb")[42]?["name"]?.string == "integer")
let task = Task.detached {
  await Task.yield()
  try ask(folder + "/async.fsdb")
  let reader = try FuseReader(path: folder + "/async.fsdb")
  await Task.yield()
  expect(try reader[Country.germany]?["name"]?.string == "country")
}
try await task.value
