import FuseDB
import ProgramSupport

/// A set beside one file of the same keys, which is its model.
struct SetSample {
  let folder: TemporaryFolder
  let file: FuseReader
  let set: FuseReader
  let keys: [String]

  static let countries = ["AD", "BE", "CH", "DE"]

  /// Blocks, domains, addresses and names, many of which share objects.
  static func keys(_ random: inout SeededRandom, count: Int) -> [String] {
    var keys: Set<String> = [
      "", "com", ".example.com", "*.cdn.example.com", "example.com", "joe@example.com", "user:", "user:1",
    ]
    while keys.count < count {
      switch random.below(4) {
      case 0: keys.insert("10.\(random.below(4)).\(random.below(256)).\(random.below(256))")
      case 1: keys.insert("user:\(random.below(1_000_000))")
      case 2: keys.insert("\(random.below(50)).\(["a", "b", "example"][random.below(3)]).com")
      default: keys.insert(String(repeating: "k", count: random.below(60)) + String(random.below(1000)))
      }
    }
    return keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
  }

  /// Blocks alone.
  static func networks(_ random: inout SeededRandom, count: Int) -> [String] {
    var keys: Set<String> = ["10.0.0.0/8", "2001:db8::/32", "2001:db8:1::/48"]
    while keys.count < count {
      let length = 9 + random.below(24)
      let bits = UInt32(10) << 24 | UInt32(random.below(1 << 24))
      keys.insert(FuseNetwork(around: FuseAddress(ipv4: bits), prefixLength: length).description)
    }
    return keys.sorted()
  }

  static func value(_ number: Int) -> FuseValue {
    [
      "country": .string(countries[number % 4]), "number": .int(Int64(number % 37)),
      "text": .string(String(repeating: "x", count: number % 90)),
    ]
  }

  init(
    _ keys: [String], rule: ShardRule, form: FuseWriter.Form = .family,
    options: FuseWriter.Options = FuseWriter.Options()
  ) throws {
    folder = try TemporaryFolder()
    self.keys = keys
    var options = options
    options.form = form
    let writer = FuseWriter(options)
    for (number, key) in keys.enumerated() { try writer.add(key, Self.value(number)) }
    try writer.build(to: folder.path("one.fsdb"))
    file = try FuseReader(path: folder.path("one.fsdb"))
    try FuseSet.split(file, into: folder.path("set"), by: rule, options: options)
    set = try FuseReader(path: folder.path("set"))
  }
}
