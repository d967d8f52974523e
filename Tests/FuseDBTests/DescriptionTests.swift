import FuseDB
import Testing

struct `A description` {
  private static func file(_ folder: TemporaryFolder) throws -> String {
    let path = folder.path("described.fsdb")
    let writer = FuseWriter(FuseWriter.Options(networks: .never))
    try writer.add(["8.8.8.0/24", "gmail.com"], ["asn": 15169])
    try writer.add("1.1.1.0/24", ["asn": 13335])
    try writer.build(to: path)
    return path
  }

  @Test func `of what reads is a line that names the file`() throws {
    let folder = try TemporaryFolder()
    let path = try Self.file(folder)
    let reader = try FuseReader(path: path)
    let bytes = reader.byteCount
    #expect("\(reader)" == "FuseReader(\(path): 3 keys, \(bytes) bytes)")
    #expect("\(try ReloadableReader(path: path))" == "ReloadableReader(\(path): 3 keys, \(bytes) bytes, generation 1)")
    #expect(
      "\(try FusePool(path: path, size: 2))" == "FusePool(\(path): 3 keys, \(bytes) bytes, generation 1, 2 readers)")
    let table = FuseTable<String, [String: Int]>(reader)
    #expect("\(table)" == "FuseTable<String, Dictionary<String, Int>>(\(path): 3 keys, \(bytes) bytes)")
    #expect("\(try table.rows())" == "Rows(3 rows to come)")
    let watcher = try FuseWatcher(try ReloadableReader(path: path))
    #expect("\(watcher)" == "FuseWatcher(\(path))")
    watcher.stop()
    #expect("\(try reader.verify())" == "\(path): sound (3 keys, 2 objects, \(bytes) bytes)")
  }

  @Test func `of what goes through a file shows where it is, and of what it finds the key`() throws {
    let folder = try TemporaryFolder()
    let reader = try FuseReader(path: try Self.file(folder))
    var scan = try reader.prefix("8.")
    #expect("\(scan)" == "Scan(1 key to come)")
    let entry = try #require(try scan.next())
    #expect("\(entry)" == "\"8.8.8.0/24\" -> object at \(entry.objectOffset)")
    #expect("\(try reader.keys(sharing: entry))" == "SharingScan(object at \(entry.objectOffset))")
    var objects = reader.objects()
    #expect("\(objects)" == "ObjectScan")
    #expect("\(try #require(try objects.next()))" == "object at 40, 8 bytes")
    let network = try #require(try reader.containing(FuseAddress("8.8.8.8")!).first)
    #expect("\(network)" == "8.8.8.0/24 -> object at \(network.objectOffset)")
    let nothing = try FuseReader(bytes: ReferenceFile(canonical: [:]).bytes)
    var differences = try reader.differences(from: nothing)
    #expect("\(differences)" == "Differences(0 equal keys so far)")
    #expect("\(try #require(try differences.next()))".hasPrefix("+ \"1.1.1.0/24\" -> object at "))
  }

  @Test func `stays short, whatever the file holds`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("long.fsdb")
    let writer = FuseWriter()
    #expect("\(writer)" == "FuseWriter(0 keys added)")
    let object = try writer.addObject(encoding: String(repeating: "x", count: 10_000))
    #expect("\(object)".hasPrefix("ObjectID("))
    try writer.addKey(String(repeating: "k", count: 60_000), for: object)
    try writer.build(to: path)
    let reader = try FuseReader(path: path)
    var scan = try reader.entries()
    let entry = try #require(try scan.next())
    #expect("\(entry)".utf8.count < 100)
    #expect(try #require(try reader[entry.key]).debugDescription.count == 1001)
    var report = try reader.verify()
    var bad = try folder.read("long.fsdb")
    bad.replaceSubrange(0..<4, with: [0, 0, 0, 0])
    let damage = try #require(try FuseReader.verify(path: try folder.write(bad)).damage.first)
    report.damage = Array(repeating: damage, count: 1000)
    report.summary.damageCount = 1000
    #expect("\(report)".split(separator: "\n").count == 12)
    #expect("\(report)".hasSuffix("and 990 more"))
    for shown in [String(reflecting: reader), String(reflecting: scan), String(reflecting: writer)] {
      #expect(shown.utf8.count < 300, "\(shown)")
    }
    var dumped = ""
    dump(reader, to: &dumped)
    #expect(dumped.contains("keyCount: 1") && dumped.utf8.count < 1000)
  }

  @Test func `of an error says its code to a debugger`() {
    let error = FuseError(.corrupted, "the checksum is wrong", offset: 32, path: "geo.fsdb")
    #expect(String(reflecting: error) == "FuseError.corrupted(geo.fsdb: offset 32: the checksum is wrong)")
    #expect(Mirror(reflecting: error).children.map { $0.label } == ["code", "message", "offset", "path"])
  }

  @Test(arguments: ["geo.city.0", "a\\.b.c", "", "a\\\\b"]) func `of a path is the text that it was made of`(
    text: String
  ) {
    #expect(FusePath(text).description == text && FusePath(FusePath(text).description) == FusePath(text))
  }
}
