import FuseDB
import ProgramSupport
import Testing

/// A set answers as one file of the same keys does. [GA4]
struct ShardedReaderTests {
  static let rules: [ShardRule] = [
    .hash(count: 1), .hash(count: 7), .hash(count: 64),
    .ranges(lowerBounds: [[], Array("10.2".utf8), Array("k".utf8), Array("user:5".utf8), Array("zz".utf8)]),
  ]

  private func sample(_ rule: ShardRule, _ form: FuseWriter.Form, count: Int = 900) throws -> SetSample {
    var random = SeededRandom.announced()
    return try SetSample(SetSample.keys(&random, count: count), rule: rule, form: form)
  }

  @Test(arguments: rules, [FuseWriter.Form.family, .compact])
  func `[GA1] keys and misses`(rule: ShardRule, form: FuseWriter.Form) throws {
    let sample = try sample(rule, form)
    let (file, set) = (sample.file, sample.set)
    let sharded = try #require(set.shards)
    #expect(set.keyCount == file.keyCount && sharded.shardCount == rule.count)
    for key in sample.keys + ["nowhere", "user:x", "10.9.9.9"] {
      let wanted = try file[key]
      #expect(try set[key] == wanted && sharded[key] == wanted)
      #expect(try set.contains(key) == (wanted != nil) && sharded.contains(key) == (wanted != nil))
      let bytes = try file.withBytes(forKey: key) { $0.byteCount }
      #expect(
        try set.withBytes(forKey: key) { $0.byteCount } == bytes
          && sharded.withBytes(forKey: key) { $0.byteCount } == bytes)
      #expect(try set.bytes(forKey: key)?.byteCount == bytes)
      let country = try file.withValue(forKey: key) { $0["country"]?.string }
      #expect(try set.withValue(forKey: key) { $0["country"]?.string } == country)
      #expect(try sharded.withValue(forKey: key) { $0["country"]?.string } == country)
      #expect(try set.view(forKey: key)?["country"]?.string == country)
    }
  }

  @Test(arguments: rules, [FuseWriter.Form.family, .compact])
  func `batches`(rule: ShardRule, form: FuseWriter.Form) throws {
    let sample = try sample(rule, form)
    let keys = sample.keys.shuffled() + ["nowhere"]
    var wanted: [Int?] = []
    try sample.file.withBytes(forKeys: keys) { _, bytes in wanted.append(bytes?.byteCount) }
    var found: [Int?] = []
    try sample.set.withBytes(forKeys: keys) { number, bytes in
      #expect(number == found.count)
      found.append(bytes?.byteCount)
    }
    #expect(found == wanted)
    #expect(try sample.set.contains(keys: keys) == sample.file.contains(keys: keys))
    let all = keys.flatMap { Array($0.utf8) }
    var ranges: [Range<Int>] = []
    for key in keys { ranges.append((ranges.last?.upperBound ?? 0)..<(ranges.last?.upperBound ?? 0) + key.utf8.count) }
    var sizes: [Int?] = []
    try sample.set.forEachObjectOffset(ofKeys: ranges, in: all.rawSpan) { _, object throws(FuseError) in
      var bytes: [UInt8] = []
      if let object { try sample.set.copyObject(at: object, into: &bytes) }
      sizes.append(object == nil ? nil : bytes.count)
    }
    #expect(sizes == wanted)
  }

  private func rows(_ scan: Scan) throws -> [String] {
    var rows: [String] = []
    try scan.forEach { entry in
      rows.append(String(decoding: try entry.key, as: UTF8.self) + " \(try entry.bytes.byteCount)")
    }
    return rows
  }

  @Test(arguments: rules, [FuseWriter.Form.family, .compact])
  func `[GA2] scans, in both directions, from bounds, by prefixes and by numbers`(
    rule: ShardRule, form: FuseWriter.Form
  ) throws {
    let sample = try sample(rule, form)
    let (file, set) = (sample.file, sample.set)
    for direction in [FuseReader.Direction.ascending, .descending] {
      #expect(try rows(set.entries(direction)) == rows(file.entries(direction)))
      for (from, to) in [("10.1", "k"), ("", "user:5"), ("user:2", "user:3"), ("z", "a")] {
        let wanted = try file.entries(from: from, upTo: to, direction)
        let found = try set.entries(from: from, upTo: to, direction)
        #expect(found.count == wanted.count)
        #expect(try rows(found) == rows(wanted))
      }
      for prefix in ["", "10.2.", "user:", "kkkk", "nowhere"] {
        let found = try set.prefix(prefix, direction)
        #expect(try found.count == file.prefix(prefix, direction).count)
        #expect(try rows(found) == rows(file.prefix(prefix, direction)))
      }
      for numbers in [0..<0, 0..<1, 5..<17, 300..<900, 899..<900, 0..<900] {
        #expect(try rows(set.entries(numbered: numbers, direction)) == rows(file.entries(numbered: numbers, direction)))
      }
    }
    var inPlace: [String] = []
    try set.entries().forEachInPlace { key, object in inPlace.append("\(key.byteCount) \(object.byteCount)") }
    var wanted: [String] = []
    try file.entries().forEachInPlace { key, object in wanted.append("\(key.byteCount) \(object.byteCount)") }
    #expect(inPlace == wanted)
    // A copy goes on by itself.
    var scan = try set.prefix("user:")
    for _ in 0..<40 { _ = try scan.next() }
    let copy = scan
    #expect(try rows(scan) == rows(copy) && rows(copy).count == file.prefix("user:").count - 40)
    #expect(
      try set.position(ofFirstKeyNotBefore: Array("k".utf8).rawSpan).number
        == file.position(ofFirstKeyNotBefore: Array("k".utf8).rawSpan).number)
  }

  @Test(arguments: rules, [FuseWriter.Form.family, .compact])
  func `[GA3] domains, e-mail addresses and prefixes of texts`(rule: ShardRule, form: FuseWriter.Form) throws {
    let sample = try sample(rule, form)
    func key(_ match: borrowing FuseMatch?) -> String? {
      guard let match = copy match else { return nil }
      return String(decoding: match.key.array(), as: UTF8.self)
    }
    for name in ["a.b.example.com", "x.cdn.example.com", "example.com", "7.a.com", "nowhere.org", "b.com", ""] {
      #expect(
        try key(sample.set.longestSuffix(ofDomain: name)) == key(sample.file.longestSuffix(ofDomain: name)), "\(name)")
      #expect(
        try key(sample.set.longestMatch(ofEmail: "joe@\(name)"))
          == key(sample.file.longestMatch(ofEmail: "joe@\(name)")))
      #expect(
        try sample.set.longestSuffix(ofDomain: name)?.bytes.byteCount
          == sample.file.longestSuffix(ofDomain: name)?.bytes.byteCount)
    }
    for text in ["user:123456789", "kkkkkkkkkk9999", "10.1.2.3.4", "", "zzz"] {
      #expect(try key(sample.set.longestPrefix(of: text)) == key(sample.file.longestPrefix(of: text)), "\(text)")
    }
  }

  @Test(arguments: [ShardRule.hash(count: 1), .hash(count: 7), .hash(count: 64)], [FuseWriter.Form.family, .compact])
  func `[GA3] the longest block of all shards answers`(rule: ShardRule, form: FuseWriter.Form) throws {
    var random = SeededRandom.announced()
    let sample = try SetSample(SetSample.networks(&random, count: 300), rule: rule, form: form)
    let (file, set) = (sample.file, sample.set)
    #expect(set.hasNetworks && set.networkCount == file.networkCount)
    var addresses = ["11.0.0.0", "2001:db8::1", "2001:db8:1::1", "2002::"].map { FuseAddress($0)! }
    for _ in 0..<400 { addresses.append(FuseAddress(ipv4: UInt32(10) << 24 | UInt32(random.below(1 << 24)))) }
    var batch: [FuseNetwork?] = []
    try set.withLongestMatches(of: addresses) { _, match in batch.append(match?.key) }
    for (number, address) in addresses.enumerated() {
      let wanted = try file.longestMatch(of: address)
      let found = try set.longestMatch(of: address)
      #expect(found?.key == wanted?.key && batch[number] == wanted?.key, "\(address)")
      #expect(try found?.bytes.byteCount == wanted?.bytes.byteCount)
      #expect(
        try set.withLongestMatch(of: address) { try $0.view["number"]?.int }
          == file.withLongestMatch(of: address) { try $0.view["number"]?.int })
      #expect(try set.containing(address).map(\.network) == file.containing(address).map(\.network))
      // All of its addresses have this answer, though it may not be all that have it.
      if let found, let wanted {
        #expect(wanted.scope.contains(found.scope.address) && found.scope.prefixLength >= wanted.scope.prefixLength)
      }
    }
    var networks: [FuseNetwork] = []
    try set.networks(within: FuseNetwork("10.0.0.0/9")!).forEach { networks.append($0.network) }
    var wanted: [FuseNetwork] = []
    try file.networks(within: FuseNetwork("10.0.0.0/9")!).forEach { wanted.append($0.network) }
    #expect(networks == wanted && wanted.count > 10)
  }

  @Test(arguments: [FuseWriter.Form.family, .compact])
  func `statistics, metadata, objects and verification are those of all shards`(form: FuseWriter.Form) throws {
    var random = SeededRandom.announced()
    var options = FuseWriter.Options()
    options.metadata = ["source": "registry", "built": "2026-11-30T00:00:00Z"]
    let sample = try SetSample(SetSample.keys(&random, count: 500), rule: .hash(count: 5), form: form, options: options)
    let sharded = try #require(sample.set.shards)
    let statistics = try sample.set.statistics()
    #expect(
      statistics.keyCount == 500 && statistics.byteCount == sharded.byteCount
        && sample.set.byteCount == sharded.byteCount)
    #expect(try statistics.keyByteCount == sample.file.statistics().keyByteCount)
    #expect(try sample.set.metadata == options.metadata)
    var objects: Set<[UInt8]> = []
    try sample.set.objects().forEach { object in objects.insert(try object.bytes.array()) }
    var wanted: Set<[UInt8]> = []
    try sample.file.objects().forEach { object in wanted.insert(try object.bytes.array()) }
    #expect(objects == wanted)
    let report = try sample.set.verify()
    #expect(report.isSound && report.keyCount == 500)
    #expect(try FuseReader.verify(path: sample.folder.path("set")).isSound)
  }

  @Test func `shards are opened when they are needed, and all of them at once when that is asked for`() throws {
    let sample = try sample(.hash(count: 16), .family)
    let set = try ShardedReader(path: sample.folder.path("set"))
    #expect((0..<16).allSatisfy { set.openedShard($0) == nil })
    _ = try set["user:1"]
    #expect((0..<16).count { set.openedShard($0) != nil } == 1)
    try set.openAll(threadCount: 4)
    #expect((0..<16).allSatisfy { set.openedShard($0) != nil })
  }

  @Test func `an empty set answers, and empty shards are files`() throws {
    let folder = try TemporaryFolder()
    let files = try (0..<3).map { try FuseWriter().buildShard($0, by: .hash(count: 3), in: folder.path) }
    #expect(try FuseSet.publish(files, by: .hash(count: 3), in: folder.path, after: 0).generation == 1)
    let reader = try FuseReader(path: folder.path)
    #expect(try reader.keyCount == 0 && reader["a"] == nil && reader.entries().count == 0 && reader.verify().isSound)
    #expect(try reader.longestMatch(of: FuseAddress("10.0.0.1")!) == nil)
  }
}
