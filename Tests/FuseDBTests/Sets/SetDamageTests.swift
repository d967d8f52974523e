import FuseDB
import Foundation
import ProgramSupport
import Testing

struct SetDamageTests {
  private let folder: TemporaryFolder
  private let rule = ShardRule.hash(count: 4)
  private var path: String { folder.path("set") }
  private let files: [ShardFile]

  init() throws {
    folder = try TemporaryFolder()
    let writer = FuseWriter()
    for key in 0..<200 { try writer.add("key \(key)", ["value": key]) }
    try writer.build(to: folder.path("one.fsdb"))
    try FuseSet.split(FuseReader(path: folder.path("one.fsdb")), into: folder.path("set"), by: .hash(count: 4))
    files = try ShardedReader(path: folder.path("set")).files
  }

  private func place(_ number: Int) -> String { path + "/" + files[number].name }

  /// Asks for all keys; those of one shard are to fail, and all others to be there.
  private func expectFailure(of number: Int, _ code: FuseError.Code) throws {
    let reader = try FuseReader(path: path)
    let sharded = try ShardedReader(path: path)
    for key in 0..<200 {
      let isThere = rule.shard(of: "key \(key)") != number
      for ask in [{ try reader["key \(key)"]?["value"]?.int }, { try sharded["key \(key)"]?["value"]?.int }] {
        if isThere {
          #expect(try ask() == key)
        } else {
          let error = #expect(throws: FuseError.self) { try ask() }
          #expect(error?.code == code && error?.path == place(number), "\(String(describing: error))")
        }
      }
    }
    let keys = (0..<200).map { "key \($0)" }
    for ask in [{ _ = try reader.contains(keys: keys) }, { try reader.withBytes(forKeys: keys) { _, _ in } }] {
      let error = #expect(throws: FuseError.self) { try ask() }
      #expect(error?.code == code && error?.path == place(number), "\(String(describing: error))")
    }
    let others = keys.filter { rule.shard(of: $0) != number }
    #expect(try reader.contains(keys: others).allSatisfy { $0 })
    let error = #expect(throws: FuseError.self) { try reader.entries() }
    #expect(error?.path == place(number))
    let report = try FuseReader.verify(path: path)
    #expect(report.damage.contains { $0.kind == .shard && $0.message.hasPrefix(files[number].name) })
    #expect(report.damage.allSatisfy { $0.message.hasPrefix(files[number].name) })
  }

  @Test func `[GO2] a missing shard is an error that names it, and the others go on answering`() throws {
    try FileManager.default.removeItem(atPath: place(2))
    try expectFailure(of: 2, .notFound)
  }

  @Test func `[GO1] a shard that was cut is told before anything is read of it`() throws {
    let bytes = try contents(place(1))
    try folder.write(Array(bytes.dropLast(7)), as: "set/" + files[1].name)
    try expectFailure(of: 1, .truncated)
  }

  @Test func `[GO1] a shard that was exchanged for another is told in constant time`() throws {
    // Of the same length, whatever is in it.
    let other = FuseWriter()
    for key in 0..<200 where rule.shard(of: "key \(key)") == 3 {
      try other.add("key \(key)", ["value": key + 1 < 200 ? key : 0])
    }
    try other.add("key 0", 1)
    try folder.write(try contents(place(0)), as: "set/" + files[3].name)
    try expectFailure(of: 3, contents(place(0)).count < files[3].byteCount ? .truncated : .corrupted)
  }

  @Test func `[GO1] a shard of the same length with another header is another file`() throws {
    var bytes = try contents(place(0))
    bytes[35] ^= 1
    try folder.write(bytes, as: "set/" + files[0].name)
    try expectFailure(of: 0, .corrupted)
  }

  @Test func `damage inside a shard is an error of its keys, and verification names it`() throws {
    var bytes = try contents(place(0))
    for offset in 40..<bytes.count - 200 { bytes[offset] ^= 0x40 }
    try folder.write(bytes, as: "set/" + files[0].name)
    let reader = try FuseReader(path: path)
    for key in 0..<200 {
      if rule.shard(of: "key \(key)") == 0 {
        let error = #expect(throws: FuseError.self) { try reader.withBytes(forKey: "key \(key)") { $0.byteCount } }
        #expect(error?.path == place(0))
      } else {
        #expect(try reader["key \(key)"]?["value"]?.int == key)
      }
    }
    let report = try reader.verify()
    #expect(!report.isSound && report.damage.allSatisfy { $0.message.hasPrefix(files[0].name) })
    #expect(try reader.verify(level: .checksums).damage.contains { $0.kind == .shard })
  }

  @Test func `a shard that is cut while it is open is told after a look-up`() throws {
    let reader = try FuseReader(path: path)
    let key = (0..<200).first { rule.shard(of: "key \($0)") == 1 }!
    let error = #expect(throws: FuseError.self) {
      try reader.withBytes(forKey: "key \(key)") { bytes in
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: place(1)))
        try handle.truncate(atOffset: 4)
        return bytes.byteCount
      }
    }
    #expect(error?.code == .truncated && error?.path == place(1))
    #expect(throws: FuseError.self) { try reader.checkNotShrunk() }
    let other = (0..<200).first { rule.shard(of: "key \($0)") == 2 }!
    #expect(try reader["key \(other)"]?["value"]?.int == other)
  }

  @Test func `[GR4] verification tells keys that stand in a shard that they do not belong to`() throws {
    // Shards of a rule that is exchanged for another of as many.
    var manifest = try #require(try SetManifest.inFolder(path))
    manifest.rule = .ranges(lowerBounds: [[], Array("key 1".utf8), Array("key 5".utf8), Array("z".utf8)])
    try folder.write(manifest.bytes, as: "set/fusedb-set.json")
    let report = try FuseReader.verify(path: path)
    #expect(
      report.damage.count > 50
        && report.damage.allSatisfy { $0.kind == .shard && $0.message.contains("belongs to shard") })
    #expect(try FuseReader.verify(path: path, level: .checksums).isSound)
  }
}

struct SetManifestTests {
  private static let manifest = SetManifest(
    generation: 3, rule: .hash(count: 2),
    shards: (0..<2).map { number in
      ShardFile(
        name: ShardName(number: number, count: 2, checksum: UInt64(number) + 77).text, byteCount: 1000 + number,
        keyCount: 10 + number,
        header: Header(keyCount: UInt32(10 + number), objectCount: 1, indexOffset: 500, checksum: 0xABCD_EF01).bytes)
    }, former: [ShardName(number: 1, count: 2, checksum: 0xFFFF).text])

  /// Makes a manifest of a text, with the right checksum at its end.
  private func sealed(_ body: String) -> [UInt8] {
    let bytes = Array(body.utf8)
    let digits = String(Checksum.of(bytes.rawSpan), radix: 16)
    return bytes + Array(",\n\"crc32\":\"\(String(repeating: "0", count: 8 - digits.count))\(digits)\"}\n".utf8)
  }

  private func body(_ manifest: SetManifest = Self.manifest) -> String {
    String(decoding: manifest.bytes.dropLast(22), as: UTF8.self)
  }

  private func same(_ left: SetManifest, _ right: SetManifest) -> Bool {
    left.generation == right.generation && left.rule == right.rule && left.shards == right.shards
      && left.former == right.former
  }

  @Test func `[GM1] [GM3] [GM4] [GM5] [GM6] a manifest is read as it was written`() throws {
    #expect(same(try SetManifest(Self.manifest.bytes), Self.manifest))
    let ranges = SetManifest(
      generation: 1, rule: .ranges(lowerBounds: [[], [0xFF, 0]]), shards: Self.manifest.shards, former: [])
    #expect(same(try SetManifest(ranges.bytes), ranges))
  }

  @Test func `[GM1] a manifest with any bit flipped, or cut anywhere, is refused`() {
    let bytes = Self.manifest.bytes
    for offset in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[offset] ^= 1 << bit
        #expect(throws: FuseError.self) { try SetManifest(flipped) }
      }
      #expect(throws: FuseError.self) { try SetManifest(Array(bytes[..<offset])) }
    }
    #expect(throws: FuseError.self) { try SetManifest(bytes + [10]) }
  }

  @Test func `[GM7] members that nobody knows are passed over, with any white space`() throws {
    let text = body().replacingOccurrences(
      of: "\"generation\":3", with: " \t\"new\" : [1, -2.5e3, {\"a\":[true,null,\"\\\"]\"]}],\r\n\"generation\" : 3")
    #expect(same(try SetManifest(sealed(text)), Self.manifest))
  }

  @Test(arguments: [
    ("\"fusedb-set\":1", "\"fusedb-set\":2"), ("\"fusedb-set\":1,", ""), ("\"generation\":3", "\"generation\":0"),
    ("\"generation\":3", "\"generation\":-3"), ("\"generation\":3", "\"generation\":3.0"),
    ("\"generation\":3", "\"generation\":03"),
    ("\"generation\":3", "\"generation\":9007199254740993"), ("\"generation\":3", "\"generation\":3,\"generation\":3"),
    ("\"seed\":42", "\"seed\":43"), ("\"count\":2", "\"count\":3"), ("\"count\":2", "\"count\":2,\"salt\":1"),
    ("xxh64", "crc32"),
    ("\"bytes\":1000", "\"bytes\":39"), ("\"keys\":10", "\"keys\":11"), ("part-00000-of-00002", "part-00001-of-00002"),
    ("part-00000-of-00002-", "part-00000-of-00002/../"), ("46534442", "4653444A"),
    ("\"former\":[\"part-", "\"former\":[\"qart-"),
    ("\"keys\":10", "\"keys\":10,\"keys\":10"), ("\"shards\":[", "\"shards\":[[],"),
    ("{\"fusedb-set\"", "[\"fusedb-set\""),
  ])
  func `[GM2] [GM3] [GM4] [GM5] [GM6] [GM7] a manifest that breaks a rule under a right checksum is refused`(
    part: String, other: String
  ) {
    let text = body()
    #expect(text.contains(part))
    #expect(throws: FuseError.self) { try SetManifest(sealed(text.replacingOccurrences(of: part, with: other))) }
  }

  @Test func `[GM7] a manifest that is nested deep, or has too much, is refused`() {
    for depth in [16, 100_000] {
      let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      let text = body().replacingOccurrences(of: "\"generation\"", with: "\"new\":\(nested),\"generation\"")
      #expect((try? SetManifest(sealed(text))) != nil ? depth == 16 : depth > 16)
    }
    let many = Array(repeating: "\"\"", count: ShardRule.mostShards + 1).joined(separator: ",")
    #expect(throws: FuseError.self) {
      try SetManifest(sealed(body().replacingOccurrences(of: "\"former\":[", with: "\"former\":[\(many),")))
    }
  }

  @Test func `what a job says of a shard is read as it was written, and nothing else is taken for it`() throws {
    let shard = Self.manifest.shards[0]
    #expect(try ShardFile(json: shard.json) == shard)
    for text in [
      "", "{}", "[]", shard.json + " x", String(shard.json.dropLast()),
      shard.json.replacingOccurrences(of: "part-", with: "qart-"),
    ] {
      #expect(throws: FuseError.self) { try ShardFile(json: text) }
    }
  }

  @Test func `[GF2] names say number, count and checksum, in one spelling`() {
    #expect(ShardName("part-00003-of-00064-00000000000000ff.fsdb") == ShardName(number: 3, count: 64, checksum: 255))
    for name in [
      "part-00064-of-00064-00000000000000ff.fsdb", "part-3-of-64-00000000000000ff.fsdb",
      "part-00003-of-00064-00000000000000FF.fsdb",
      "part-00003-of-00064-00000000000000ff.fsdb ", "part-+0003-of-00064-00000000000000ff.fsdb",
      "part-00003-of-00064.fsdb",
      "part-00000-of-99999-00000000000000ff.fsdb",
    ] { #expect(ShardName(name) == nil, "\(name)") }
  }
}

struct SetReloadTests {
  private let folder: TemporaryFolder
  private let rule = ShardRule.hash(count: 4)
  private var path: String { folder.path("set") }

  init() throws { folder = try TemporaryFolder() }

  /// Publishes a set in which some keys have another value.
  private func publish(_ value: Int, except shard: Int? = nil) throws {
    var files: [ShardFile] = []
    for number in 0..<4 {
      let writer = FuseWriter()
      for key in 0..<40 where rule.shard(of: "key \(key)") == number {
        try writer.add("key \(key)", number == shard ? 0 : value)
      }
      files.append(try writer.buildShard(number, by: rule, in: path))
    }
    try FuseSet.publish(files, by: rule, in: path, after: FuseSet.generation(in: path))
  }

  @Test func `[GO3] all shards of a set are swapped, and those that did not change stay as they are`() throws {
    try publish(0)
    let store = try ReloadableReader(path: path)
    let before = store.snapshot()
    #expect(try store.value(Int.self, forKey: "key 1") == 0 && store.generation == 1)
    #expect(try !store.reloadIfChanged())
    try publish(1, except: 2)
    #expect(try store.reloadIfChanged())
    let after = store.snapshot()
    for key in 0..<40 {
      #expect(try before.value(Int.self, forKey: "key \(key)") == 0)
      #expect(try store.withBytes(forKey: "key \(key)") { $0.byteCount } == 1)
      #expect(try after.value(Int.self, forKey: "key \(key)") == (rule.shard(of: "key \(key)") == 2 ? 0 : 1))
    }
    for number in 0..<4 {
      #expect(try (before.shards!.shard(at: number) === after.shards!.shard(at: number)) == (number == 2))
    }
    #expect(try store.contains("key 3") && !store.contains("nowhere"))
  }

  @Test func `a set with a shard that is missing or damaged is refused, and the old one serves on`() throws {
    try publish(0)
    let store = try ReloadableReader(path: path)
    try publish(1)
    let file = try ShardedReader(path: path).files[3]
    var bytes = try contents(path + "/" + file.name)
    bytes[60] ^= 0x20
    try folder.write(bytes, as: "set/" + file.name)
    var error = #expect(throws: FuseError.self) { try store.reload() }
    #expect(error?.code == .corrupted && error?.message.hasPrefix(file.name) == true)
    try folder.remove("set/" + file.name)
    error = #expect(throws: FuseError.self) { try store.reload() }
    #expect(error?.code == .notFound)
    #expect(try store.value(Int.self, forKey: "key 1") == 0 && store.generation == 1)
    try publish(2)
    #expect(try store.reloadIfChanged() && store.value(Int.self, forKey: "key 1") == 2)
  }

  @Test func `a watcher takes the next generation`() throws {
    try publish(0)
    let store = try ReloadableReader(path: path)
    let watcher = try FuseWatcher(store)
    defer { watcher.stop() }
    try publish(1)
    eventually { store.generation == 2 }
    #expect(try store.value(Int.self, forKey: "key 1") == 1)
  }

  @Test func `a pool serves a set`() throws {
    try publish(0)
    let pool = try FusePool(path: path, size: 2)
    #expect(try pool.value(Int.self, forKey: "key 1") == 0)
    try publish(1)
    try pool.reload()
    #expect(try pool.value(Int.self, forKey: "key 1") == 1)
  }
}
