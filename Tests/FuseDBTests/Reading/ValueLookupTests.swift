import Testing

import FuseDB

struct `A look-up of a value` {
  /// Objects under keys, and under "broken" one that is cut short.
  private static let mapping: [Key: [UInt8]] = [
    Key("8.8.8.8"): [0x82, 0xA3, 0x6F, 0x72, 0x67, 0xA6] + Array("Google".utf8) + [
      0xA3, 0x61, 0x73, 0x6E, 0xCD, 0x3B, 0x41,
    ],
    Key("list"): [0x92, 0xC3, 0xC0],
    // Of a type that takes the long way of checking.
    Key("ext"): [0xD4, 0x05, 0x00],
    Key("broken"): [0x81, 0xA1, 0x61],
  ]

  private static func stores(_ folder: TemporaryFolder) throws -> (FuseReader, [any Reloadable]) {
    let plain = ReferenceFile(canonical: mapping)
    let path = try folder.write(ReferenceBlock(after: plain).bytes)
    var options = ServingOptions()
    options.countsLookups = true
    return (
      try FuseReader(path: path),
      [try ReloadableReader(path: path, options: options), try FusePool(path: path, size: 2, options: options)]
    )
  }

  @Test func `calls its body with the value, and returns what that returns`() throws {
    let folder = try TemporaryFolder()
    let (reader, stores) = try Self.stores(folder)
    #expect(try reader.withValue(forKey: "8.8.8.8") { $0["org"]?.string } == "Google")
    #expect(try reader.withValue(forKey: "8.8.8.8") { $0["asn"]?.int ?? 0 } == 15169)
    #expect(try reader.withValue(forKey: "ext") { $0.extensionType } == 5)
    #expect(try reader.withValue(forKey: "nowhere") { _ in 1 } == nil)
    // One optional, whichever of the two is missing.
    let none: Int? = try reader.withValue(forKey: "8.8.8.8") { $0["org"]?.int }
    #expect(none == nil)
    #expect(try reader.view(forKey: "8.8.8.8")?["org"]?.string == "Google")
    let isAbsent = try reader.view(forKey: "nowhere") == nil
    #expect(isAbsent)
    for store in stores {
      #expect(try store.withValue(forKey: "8.8.8.8") { $0["org"]?.string } == "Google")
      #expect(try store.withValue(forKey: "8.8.8.8") { $0["asn"]?.int ?? 0 } == 15169)
      #expect(try store.withValue(forKey: "ext") { $0.extensionType } == 5)
      #expect(try store.withValue(forKey: "nowhere") { _ in 1 } == nil)
      #expect(store.counters.hitCount == 3 && store.counters.missCount == 1)
    }
  }

  @Test func `of many keys gives each its value, and scans show theirs`() throws {
    let folder = try TemporaryFolder()
    let (reader, stores) = try Self.stores(folder)
    let keys = ["list", "nowhere", "8.8.8.8", "ext", "list"]
    let expected = [
      "0 [true,null]", "1 -", #"2 {"org":"Google","asn":15169}"#, #"3 {"$ext":[5,"00"]}"#, "4 [true,null]",
    ]
    var said: [String] = []
    try reader.withValues(forKeys: keys) { number, value in said.append("\(number) \(value?.json ?? "-")") }
    #expect(said == expected)
    for store in stores {
      said = []
      try store.withValues(forKeys: keys) { number, value in said.append("\(number) \(value?.json ?? "-")") }
      #expect(said == expected)
    }
    var scan = try reader.prefix("8.")
    let entry = try #require(try scan.next())
    #expect(try entry.view["asn"]?.int == 15169)
    var objects = reader.objects()
    said = []
    while let object = try objects.next() { said.append((try? object.view.json) ?? "broken") }
    #expect(said == [#"{"org":"Google","asn":15169}"#, "broken", #"{"$ext":[5,"00"]}"#, "[true,null]"])
  }

  @Test func `whose object is no value throws, with file, offset and reason, before the body runs [W9]`() throws {
    let folder = try TemporaryFolder()
    let (reader, stores) = try Self.stores(folder)
    func check(_ error: FuseError?, _ call: String) {
      #expect(error?.code == .invalidValue && error?.offset == 3 && error?.path == folder.path("file.fsdb"), "\(call)")
      #expect(error?.message.contains("ends in its middle") == true, "\(call)")
    }
    check(failure { _ = try reader.withValue(forKey: "broken") { _ in Issue.record("the body ran") } }, "withValue")
    check(failure { _ = try reader.view(forKey: "broken") }, "view")
    var scan = try reader.prefix("broken")
    let entry = try #require(try scan.next())
    check(failure { _ = try entry.view }, "scan")
    var seen = 0
    check(failure { try reader.withValues(forKeys: ["list", "broken", "ext"]) { _, _ in seen += 1 } }, "withValues")
    #expect(seen == 1)
    for store in stores {
      check(failure { _ = try store.withValue(forKey: "broken") { _ in Issue.record("the body ran") } }, "a store")
      check(failure { try store.withValues(forKeys: ["broken"]) { _, _ in } }, "many of a store")
      #expect(store.counters.failureCount == 2)
    }
  }

  @Test func `in a file that was cut says so, and not that the value is none [M2]`() throws {
    let sample = `A file that is truncated while it is open`.sample
    let folder = try TemporaryFolder()
    let path = try folder.write(sample.bytes)
    let reader = try FuseReader(path: path)
    let store = try ReloadableReader(path: path)
    `A file that is truncated while it is open`.cut(path, to: `A file that is truncated while it is open`.pageByteCount)
    var failures = 0
    for key in sample.keys {
      for ask in [reader.withValue(forKey:_:), store.withValue(forKey:_:)]
        as [([UInt8], (FuseView) throws -> [UInt8]?) throws -> [UInt8]?]
      {
        do {
          #expect(try ask(key.bytes) { $0.messagePack.array() } == sample.mapping[key])
        } catch let error as FuseError {
          failures += 1
          #expect(error.code == .truncated, "\(error)")
        }
      }
    }
    #expect(failures > 500)
  }

  @Test func `and of fields of it allocates nothing [W20]`() async {
    await #expect(processExitsWith: .exitCode(44)) { try `A look-up of a value`.countAllocations() }
  }
}
