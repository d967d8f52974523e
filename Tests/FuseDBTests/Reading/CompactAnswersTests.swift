import ProgramSupport
import Testing

import FuseDB

/// The same mapping as a file of version 2 and as one of version 3.
private struct BothForms: ~Copyable {
  let folder: TemporaryFolder
  let mapping: [Key: [UInt8]]
  let two: FuseReader
  let three: FuseReader

  init(
    _ mapping: [Key: [UInt8]], _ form: FuseWriter.Form, networks: FuseWriter.Networks = .automatic
  ) throws {
    folder = try TemporaryFolder()
    self.mapping = mapping
    for form in [FuseWriter.Form.family, form] {
      var options = FuseWriter.Options()
      options.form = form
      options.networks = networks
      options.keyLengths = true
      let writer = FuseWriter(options)
      for (key, object) in mapping { try writer.add([key.bytes], messagePack: object) }
      try writer.build(to: folder.path("\(form).fsdb"))
    }
    two = try FuseReader(path: folder.path("family.fsdb"))
    three = try FuseReader(path: folder.path("\(form).fsdb"))
    let versions = [try two.statistics().version, try three.statistics().version]
    #expect(versions == [2, 3])
  }
}

/// Keys and objects that a scan has still to give.
private func rest(of scan: inout Scan) throws -> [[[UInt8]]] {
  var rows: [[[UInt8]]] = []
  while let entry = try scan.next() {
    let row = [try entry.key, try entry.bytes.array()]
    #expect(try row[0] == entry.keyBytes.array())
    rows.append(row)
  }
  return rows
}

private func row(_ match: borrowing FuseMatch?) -> [[UInt8]]? {
  switch match {
  case .some(let match): [match.key.array(), match.bytes.array()]
  case .none: nil
  }
}

/// Objects that share shapes and parts, and some that have neither.
private func objects(_ random: inout SeededRandom) throws -> [[UInt8]] {
  var objects = (0..<40).map { _ in ReferenceValue.random(&random, depth: 3).bytes }
  for number in 0..<60 {
    let city = ["Berlin", "a rather long name of a city", "Zürich"][number % 3]
    let json = """
      {"name":"number \(number % 7)","geo":{"city":"\(city)","at":[\(number).25,13.405,-7]},\
      "tags":["one tag of all",\(number)],\
      "a name of a member that is longer than most":\(number % 2 == 0),\
      "none":null,"big":\(UInt64.max - UInt64(number))}
      """
    objects.append(try FuseJSON.messagePack(from: json))
  }
  return objects
}

private func mapping(_ random: inout SeededRandom, count: Int = 600) throws -> [Key: [UInt8]] {
  let objects = try objects(&random)
  return Samples.mapping(count, &random).mapValues { _ in random.element(objects) }
}

private let forms = [FuseWriter.Form.compact, .compactFast]

struct `Compact files` {
  private struct City: Decodable, Equatable {
    struct Place: Decodable, Equatable {
      var city: String
      var at: [Double]
    }
    var name: String
    var geo: Place
  }

  @Test(arguments: forms)
  func `give for each key what went in, by every way to ask`(form: FuseWriter.Form) throws {
    var random = SeededRandom.announced()
    let both = try BothForms(try mapping(&random), form)
    let keys = Array(both.mapping.keys) + Samples.absent(from: both.mapping, &random)
    for key in keys {
      let expected = both.mapping[key]
      #expect(try both.three.copy(of: key.bytes) == expected)
      #expect(try both.three.object(of: key.bytes) == expected)
      #expect(try both.three.contains(key.bytes) == (expected != nil))
      let texts = [
        try both.two.withValue(forKey: key.bytes) { $0.transcript() },
        try both.three.withValue(forKey: key.bytes) { $0.transcript() },
        try both.three.view(forKey: key.bytes)?.transcript(),
      ]
      #expect(texts[0] == texts[1] && texts[0] == texts[2] && (texts[0] != nil) == (expected != nil))
      let values = [try both.two[key.bytes], try both.three[key.bytes]]
      #expect(values[0] == values[1])
      let long = "a name of a member that is longer than most"
      for path in ["geo.city", "geo.at.1", "tags.0", long, "0", "x.y", "none"] {
        let path = FusePath(path)
        let found = try both.three.withValue(forKey: key.bytes) { $0[path: path]?.transcript() }
        #expect(try found == both.two.withValue(forKey: key.bytes) { $0[path: path]?.transcript() }, "\(path)")
      }
      let name = try both.three.withValue(forKey: key.bytes) { $0["geo"]?["city"]?.string }
      #expect(try name == both.two.withValue(forKey: key.bytes) { $0["geo"]?["city"]?.string })
      let at = try both.three.withValue(forKey: key.bytes) { $0["geo"]?["at"]?[0]?.double }
      #expect(try at == both.two.withValue(forKey: key.bytes) { $0["geo"]?["at"]?[0]?.double })
    }
    // Batches answer in the order of the keys.
    let asked = keys.map(\.bytes)
    var found: [[UInt8]?] = []
    try both.three.withBytes(forKeys: asked) { (number: Int, bytes: RawSpan?) in
      #expect(number == found.count)
      if let bytes { found.append(bytes.array()) } else { found.append(nil) }
    }
    #expect(found == keys.map { both.mapping[$0] })
    var said: [[String?]] = [[], []]
    try both.two.withValues(forKeys: asked) { _, value in said[0].append(value?.transcript()) }
    try both.three.withValues(forKeys: asked) { _, value in said[1].append(value?.transcript()) }
    #expect(said[0] == said[1] && said[0].count == keys.count)
    #expect(try both.three.contains(keys: asked) == keys.map { both.mapping[$0] != nil })
  }

  @Test(arguments: forms)
  func `decode types as the others do`(form: FuseWriter.Form) throws {
    var random = SeededRandom.announced()
    let objects = try objects(&random).suffix(60)
    var mapping: [Key: [UInt8]] = [:]
    for (number, object) in objects.enumerated() { mapping[Key("k\(number)")] = object }
    let both = try BothForms(mapping, form)
    let keys = (0..<61).map { Array("k\($0)".utf8) }
    for (number, key) in keys.enumerated() {
      let city = try both.three.value(City.self, forKey: key)
      #expect(try city == both.two.value(City.self, forKey: key))
      #expect(city?.name == (number < 60 ? "number \(number % 7)" : nil))
    }
    #expect(try both.three.values(City.self, forKeys: keys) == both.two.values(City.self, forKeys: keys))
  }

  @Test(arguments: forms)
  func `are walked through both ways, between bounds, and from where a copy stands`(form: FuseWriter.Form) throws {
    var random = SeededRandom.announced()
    let both = try BothForms(try mapping(&random), form)
    let sorted = both.mapping.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
      .map { [$0.key.bytes, $0.value] }
    var bounds = (0..<12).map { _ in random.element(sorted)[0] }
    bounds += [[], [0xFF, 0xFF], Array("8.8.".utf8)]
    for low in bounds {
      for high in bounds {
        let expected = sorted.filter { !$0[0].lexicographicallyPrecedes(low) && $0[0].lexicographicallyPrecedes(high) }
        var up = try both.three.entries(from: low, upTo: high)
        #expect(up.count == expected.count)
        #expect(try rest(of: &up) == expected)
        var down = try both.three.entries(from: low, upTo: high, .descending)
        #expect(try rest(of: &down) == expected.reversed())
      }
      let expected = sorted.filter { $0[0].starts(with: low.prefix(2)) }
      var prefixed = try both.three.prefix(Array(low.prefix(2)))
      #expect(try rest(of: &prefixed) == expected)
      var back = try both.three.prefix(Array(low.prefix(2)), .descending)
      #expect(try rest(of: &back) == expected.reversed())
    }
    for direction in [FuseReader.Direction.ascending, .descending] {
      let expected = direction == .ascending ? sorted : sorted.reversed()
      var scan = try both.three.entries(direction)
      for _ in 0..<100 { _ = try scan.next() }
      var copy = scan
      try copy.skip(50)
      let later = try rest(of: &copy)
      let first = try scan.next(30).map { [try $0.key, try $0.bytes.array()] }
      #expect(first == Array(expected[100..<130]))
      #expect(try rest(of: &scan) == Array(expected[130...]))
      #expect(later == Array(expected[150...]))
    }
    var inPlace: [[[UInt8]]] = []
    try both.three.entries().forEachInPlace { key, object in inPlace.append([key.array(), object.array()]) }
    #expect(inPlace == sorted)
    var stored: [[[UInt8]]] = [[], []]
    try both.two.objects().forEach { stored[0].append(try $0.bytes.array()) }
    try both.three.objects().forEach { stored[1].append(try $0.bytes.array()) }
    #expect(stored[0] == stored[1] && Set(stored[1]) == Set(both.mapping.values))
  }

  @Test(arguments: forms)
  func `are walked through by tasks`(form: FuseWriter.Form) async throws {
    var random = SeededRandom.announced()
    let both = try BothForms(try mapping(&random, count: 300), form)
    let (two, three) = (both.two, both.three)
    var keys: [[[UInt8]]] = [[], []]
    for try await entry in try two.entries().async { keys[0].append(try entry.key) }
    for try await entry in try three.entries().async { keys[1].append(try entry.key) }
    #expect(keys[0] == keys[1] && keys[1].count == 300)
  }

  @Test(arguments: forms)
  func `count and share as the others do`(form: FuseWriter.Form) throws {
    var random = SeededRandom.announced()
    let both = try BothForms(try mapping(&random), form)
    let (two, three) = (try both.two.statistics(), try both.three.statistics())
    #expect(three.keyCount == both.mapping.count && three.objectCount == Set(both.mapping.values).count)
    #expect(three.keyByteCount == two.keyByteCount && three.objectByteCount == two.objectByteCount)
    #expect(three.mostKeysPerObject == two.mostKeysPerObject && three.unreachedObjectCount == 0)
    #expect(three.fewestKeysPerObject == two.fewestKeysPerObject)
    for key in both.mapping.keys.shuffled(using: &random).prefix(20) {
      let expected = both.mapping.filter { $0.value == both.mapping[key] }.map(\.key.bytes)
      var sharing = try both.three.keys(sharing: key.bytes)
      var found: [[UInt8]] = []
      while let entry = try sharing?.next() { found.append(try entry.key) }
      #expect(found == expected.sorted { $0.lexicographicallyPrecedes($1) })
    }
    #expect(try both.three.keys(sharing: Array("nowhere".utf8)) == nil)
  }

  @Test(arguments: forms)
  func `match names, addresses and texts as the others do`(form: FuseWriter.Form) throws {
    var mapping: [Key: [UInt8]] = [:]
    for number in 0..<200 {
      mapping[Key("a\(number).example.com")] = [0x91, UInt8(number % 5)]
      mapping[Key("user\(number)@example.org")] = [0x92, 1, UInt8(number % 5)]
    }
    for name in ["example.com", "com", "org", "example.org", "a", "use"] { mapping[Key(name)] = [0xA1, 0x61] }
    let both = try BothForms(mapping, form)
    let texts = ["x.a7.example.com", "a7.example.com", "b.example.com", "net", "user5@example.org", "no@example.org"]
    for text in texts + ["use", ""] {
      let text = Array(text.utf8)
      #expect(try row(both.three.longestSuffix(ofDomain: text)) == row(both.two.longestSuffix(ofDomain: text)))
      #expect(try row(both.three.longestMatch(ofEmail: text)) == row(both.two.longestMatch(ofEmail: text)))
      #expect(try row(both.three.longestPrefix(of: text)) == row(both.two.longestPrefix(of: text)))
    }
    let name = try row(both.three.longestSuffix(ofDomain: Array("x.a7.example.com".utf8)))
    #expect(name == [Array("a7.example.com".utf8), [0x91, 2]])
  }

  @Test(arguments: forms)
  func `find blocks of addresses as the others do`(form: FuseWriter.Form) throws {
    var random = SeededRandom.announced()
    var mapping: [Key: [UInt8]] = [:]
    for _ in 0..<300 {
      let length = 8 + random.below(25)
      let around = FuseAddress(ipv4: 0x0A00_0000 | UInt32(random.below(1 << 24)))
      mapping[Key("\(FuseNetwork(around: around, prefixLength: length))")] = [0x91, UInt8(length)]
    }
    mapping[Key("2001:db8::/32")] = [0x01]
    let both = try BothForms(mapping, form, networks: .always)
    let count = both.three.networkCount
    #expect(count == mapping.count)
    for _ in 0..<300 {
      let address = FuseAddress(ipv4: 0x0A00_0000 | UInt32(random.below(1 << 24)))
      var around: [[[String]]] = [[], []]
      for match in try both.two.containing(address) {
        around[0].append(["\(match.network)", try match.bytes.array().hex])
      }
      for match in try both.three.containing(address) {
        around[1].append(["\(match.network)", try match.bytes.array().hex])
      }
      #expect(around[0] == around[1])
      let longest = try both.three.withLongestMatch(of: address) { ["\($0.key)", try $0.bytes.array().hex] }
      #expect(longest == around[1].first)
    }
    var inside: [[String]] = [[], []]
    var scan = try both.two.networks(within: FuseNetwork("10.0.0.0/9")!)
    while let entry = try scan.next() { inside[0].append("\(entry.network) \(try entry.bytes.array().hex)") }
    scan = try both.three.networks(within: FuseNetwork("10.0.0.0/9")!)
    while let entry = try scan.next() { inside[1].append("\(entry.network) \(try entry.bytes.array().hex)") }
    #expect(inside[0] == inside[1] && !inside[1].isEmpty)
  }
}
