import FuseDB
import ProgramSupport
import Testing

struct LayeredReaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func reader(_ name: String, _ values: KeyValuePairs<String, Int>) throws -> FuseReader {
    let path = folder.path(name)
    let writer = FuseWriter()
    for (key, value) in values { try writer.add(key, value) }
    try writer.build(to: path)
    return try FuseReader(path: path)
  }

  @Test func `the uppermost layer that has a key answers`() throws {
    let stack = LayeredReader([
      .file(try reader("a", ["x": 1, "y": 2])), .file(try reader("b", ["y": 3, "z": 4])),
    ])
    #expect(try ["x", "y", "z", "none"].map { try stack.value(Int.self, forKey: $0) } == [1, 2, 4, nil])
    #expect(try stack.contains("z") && !stack.contains("none") && stack["y"]?.int == 2 && stack["none"] == nil)
    #expect(try stack.withBytes(forKey: "z") { $0.byteCount } == 1 && stack.withBytes(forKey: "none") { _ in 1 } == nil)
    #expect(try stack.withValue(forKey: "x") { $0.int } == 1)
  }

  @Test func `a closure combines what all layers have, the upper one's first`() throws {
    let layers: [LayeredReader.Layer] = [
      .file(try reader("a", ["k": 1, "10.0.0.0/8": 8])), .file(try reader("b", ["k": 2, "10.1.0.0/16": 16])),
      .file(try reader("c", ["other": 3, "10.1.0.0/16": 17])),
    ]
    let stack = LayeredReader(layers) { values in .int(values.map { Int64($0.int!) }.reduce(0) { $0 * 100 + $1 }) }
    #expect(try stack["k"]?.int == 102 && stack.value(forKey: "other") == 3 && stack["none"] == nil)
    let address = FuseAddress("10.1.2.3")!
    #expect(try stack.value(ofLongestMatch: address)?.int == 161_708)
    #expect(try stack.value(ofLongestMatch: FuseAddress("11.0.0.0")!) == nil)
    #expect(try LayeredReader(layers).value(ofLongestMatch: address)?.int == 16)
  }

  @Test(arguments: [
    ("10.1.2.3", 2), ("10.1.9.9", 3), ("10.2.0.0", 1), ("11.0.0.0", 5), ("2001:db8::1", 6), ("12.0.0.0", nil),
  ])
  func `the longest block of all layers wins, and of equal ones the upper layer's`(text: String, answer: Int?) throws {
    let stack = LayeredReader([
      .file(try reader("a", ["10.0.0.0/8": 1, "10.1.2.0/24": 2])),
      .file(try reader("b", ["10.1.0.0/16": 3, "10.1.2.0/24": 4, "11.0.0.0/8": 5, "2001:db8::/32": 6])),
    ])
    #expect(try stack.withLongestMatch(of: FuseAddress(text)!) { try $0.view.int } == answer)
  }

  /// Beside one file of all keys, where those of the upper layers count.
  @Test func `names, addresses and prefixes have the answer of one file of all keys`() throws {
    var random = SeededRandom.announced()
    let labels = ["a", "b", "cc"]
    let forms = ["", "*.", "."]
    func name(_ random: inout SeededRandom) -> String {
      (0...random.below(3)).map { _ in random.element(labels) }.joined(separator: ".")
    }
    for round in 0..<40 {
      var layers: [[String: Int]] = []
      for number in 0..<3 {
        var keys: [String: Int] = [:]
        for _ in 0...random.below(8) {
          let key = random.element(forms) + name(&random)
          keys[random.below(6) == 0 ? "j@" + key.drop { $0 == "*" || $0 == "." } : key] = 100 * number + keys.count
        }
        layers.append(keys)
      }
      let merged = layers.reduce(into: [String: Int]()) { all, layer in all.merge(layer) { upper, _ in upper } }
      func make(_ name: String, _ keys: [String: Int]) throws -> FuseReader {
        let writer = FuseWriter()
        for (key, value) in keys { try writer.add(key, value) }
        try writer.build(to: folder.path(name))
        return try FuseReader(path: folder.path(name))
      }
      let stack = LayeredReader(try layers.enumerated().map { .file(try make("\(round)-\($0.offset)", $0.element)) })
      let one = try make("\(round)", merged)
      for _ in 0..<60 {
        let asked = name(&random) + (random.below(4) == 0 ? "." : "")
        let suffix = try Self.suffix(of: asked, in: one)
        #expect(try stack.withLongestSuffix(ofDomain: asked) { try $0.view.int } == suffix, "\(asked) \(layers)")
        let email = try Self.email("j@" + asked, in: one)
        #expect(try stack.withLongestMatch(ofEmail: "j@" + asked) { try $0.view.int } == email, "\(asked) \(layers)")
        let prefix = try Self.prefix(of: asked, in: one)
        #expect(try stack.withLongestPrefix(of: asked) { try $0.view.int } == prefix, "\(asked) \(layers)")
      }
    }
  }

  private static func suffix(of text: String, in reader: FuseReader) throws -> Int? {
    guard let match = try reader.longestSuffix(ofDomain: text) else { return nil }
    return try match.view.int
  }

  private static func email(_ text: String, in reader: FuseReader) throws -> Int? {
    guard let match = try reader.longestMatch(ofEmail: text) else { return nil }
    return try match.view.int
  }

  private static func prefix(of text: String, in reader: FuseReader) throws -> Int? {
    guard let match = try reader.longestPrefix(of: text) else { return nil }
    return try match.view.int
  }

  @Test func `a layer that reloads is the newest in each call, and stays in a snapshot`() throws {
    let path = folder.path("r")
    func build(_ value: Int) throws {
      let writer = FuseWriter()
      try writer.add("8.0.0.0/8", value)
      try writer.build(to: path)
    }
    try build(1)
    let store = try ReloadableReader(path: path)
    let stack = LayeredReader([.file(try reader("a", ["9.0.0.0/8": 9])), .reloadable(store)])
    let before = stack.snapshot()
    try build(2)
    try store.reload()
    let address = FuseAddress("8.8.8.8")!
    #expect(try stack.withLongestMatch(of: address) { try $0.view.int } == 2 && stack.value(forKey: "8.0.0.0/8") == 2)
    #expect(try before.withLongestMatch(of: address) { try $0.view.int } == 1 && before.layers.count == 2)
  }

  @Test func `what a body throws comes out, and a damaged layer is not passed over`() throws {
    struct Own: Error {}
    let stack = LayeredReader([.file(try reader("a", ["k": 1]))])
    #expect(throws: Own.self) { try stack.withBytes(forKey: "k") { _ in throw Own() } }
    let path = folder.path("b")
    let writer = FuseWriter()
    try writer.add("k", "a text that is damaged")
    try writer.build(to: path)
    var bytes = try #require(Scratch.bytes(of: path))
    bytes[60] ^= 1
    let damaged = LayeredReader([.file(try FuseReader(bytes: bytes)), .file(try reader("c", ["k": 1]))])
    #expect { try damaged["k"] } throws: { ($0 as? FuseError)?.code == .corrupted }
  }

  @Test func `a stack needs a layer`() async {
    await #expect(processExitsWith: .failure) { _ = LayeredReader([]) }
  }
}
