import FuseDB
import ProgramSupport

extension Tally {
  /// Asks a reader for several things, in one of many ways. Its file's build is known then.
  mutating func read(_ reader: FuseReader, _ random: inout SeededRandom) throws {
    let key = random.below(NumberedFile.leastKeyCount)
    try readOne(reader, key)
    switch random.below(5) {
    case 0:
      for key in [random.below(NumberedFile.leastKeyCount), random.below(NumberedFile.leastKeyCount)] {
        try readOne(reader, key)
      }
    case 1:
      try reader.withBytes(forKeys: NumberedFile.keys[..<NumberedFile.leastKeyCount]) { number, bytes in
        try count(number, bytes, from: "batch of a reader")
      }
    case 2:
      try count(try reader.contains(NumberedFile.keys[key]), from: "contains")
      try count(try !reader.contains(NumberedFile.absentKeys[key]), from: "contains, absent key")
      // What only one of the two kinds has.
      let hasLast = try reader.contains(NumberedFile.keys.last!)
      try count(hasLast == (reader.keyCount == NumberedFile.keys.count), from: "contains, last key")
    case 3:
      try read(try reader.prefix("key 1"), from: "prefix scan")
    default:
      try count(try reader.statistics().keyCount == reader.keyCount, from: "statistics")
      try readOne(reader, key)
    }
    try count(reader.keyCount == NumberedFile.keyCount(ofBuild: build!), from: "number of keys")
  }

  /// Asks a store for something, in one call. Some answers say the build.
  mutating func readOnce(_ store: some Reloadable, _ random: inout SeededRandom) throws {
    let key = random.below(NumberedFile.leastKeyCount)
    switch random.below(8) {
    case 0..<3:
      let answer = try store.withBytes(forKey: NumberedFile.keys[key]) { bytes in
        try NumberedFile.build(saidBy: bytes, key: key)
      }
      guard let answer else { throw Violation("look-up: key \(key) is missing") }
      try count(answer, from: "look-up")
    case 3:
      let keys = NumberedFile.keys[..<(1 + random.below(NumberedFile.leastKeyCount))]
      try store.withBytes(forKeys: keys) { number, bytes in try count(number, bytes, from: "batch") }
    case 4:
      try count(try store.contains(NumberedFile.keys[key]), from: "contains")
      try count(try !store.contains(NumberedFile.absentKeys[key]), from: "contains, absent key")
    case 5:
      let isThere = try store.contains(keys: NumberedFile.keys)
      let isOfOneFile = Set(isThere[NumberedFile.leastKeyCount...]).count == 1
      try count(isOfOneFile && isThere[..<NumberedFile.leastKeyCount].allSatisfy { $0 }, from: "contains, batch")
    case 6:
      let found = try store.withBytes(forKey: NumberedFile.absentKeys[key]) { $0.byteCount }
      try count(found == nil, from: "look-up, absent key")
    default:
      try read(try store.prefix("key 1"), from: "prefix scan")
    }
  }

  private mutating func readOne(_ reader: FuseReader, _ key: Int) throws {
    let answer = try reader.withBytes(forKey: NumberedFile.keys[key]) { bytes in
      try NumberedFile.build(saidBy: bytes, key: key)
    }
    guard let answer else { throw Violation("look-up of a reader: key \(key) is missing") }
    try count(answer, from: "look-up of a reader")
  }

  /// The scan has the eleven keys that begin with "key 1".
  private mutating func read(_ scan: Scan, from way: String) throws {
    var scan = scan
    var number = 0
    while let entry = try scan.next() {
      let key = number == 0 ? 1 : 9 + number
      number += 1
      let found = try entry.key
      guard found == Array(NumberedFile.keys[key].utf8) else { throw Violation("\(way): another key than \(key)") }
      let bytes = try entry.bytes
      try count(try NumberedFile.build(saidBy: bytes, key: key), from: way)
    }
    guard number == 11 else { throw Violation("\(way): \(number) keys instead of 11") }
  }

  private mutating func count(_ key: Int, _ bytes: RawSpan?, from way: String) throws {
    guard let bytes else { throw Violation("\(way): key \(key) is missing") }
    try count(try NumberedFile.build(saidBy: bytes, key: key), from: way)
  }
}
