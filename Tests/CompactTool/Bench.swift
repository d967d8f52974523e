import FuseDB
import FuseDBCompact
import FuseDBFormat
import FuseDBReading
import FuseDBSystem
import Glibc

/// `bench FILE OTHER [FIELD [objects]]`: how long a compact file takes for what is asked for most, beside a file of version 2 with the same keys.
struct Bench {
  private let reader: CompactReader
  private let other: FuseReader
  /// All keys one after the other, and where each stands, in no order.
  private var bytes: [UInt8] = []
  private var keys: [Range<Int>] = []
  /// Keys that are in neither.
  private var missing: [Range<Int>] = []
  static func run(_ words: [String]) {
    do {
      let bench = try Bench(words[1], words[2])
      try bench.measure(field: words.count > 3 ? words[3] : nil, objectsAlone: words.count > 4)
    } catch {
      print("error \(error)")
      exit(1)
    }
  }

  /// `addresses FILE PATH`: how long the field at a path takes for each address of standard input, and how many there are.
  static func runAddresses(_ words: [String]) {
    do {
      let reader = try FuseReader(path: words[1])
      let path = FusePath(words[2])
      var addresses: [FuseAddress] = []
      while let line = readLine() { if let address = FuseAddress(line) { addresses.append(address) } }
      let single = try time(addresses.count) {
        var sum: UInt64 = 0
        for address in addresses {
          let count = try reader.longestMatch(of: address)?.withValue { $0[path: path]?.stringBytes?.byteCount }
          sum &+= UInt64(count ?? 0)
        }
        return sum
      }
      let batch = try time(addresses.count) {
        var sum: UInt64 = 0
        try reader.withLongestMatches(of: addresses) { _, match in
          sum &+= UInt64(try match?.withValue { $0[path: path]?.stringBytes?.byteCount } ?? 0)
        }
        return sum
      }
      print("\(addresses.count) addresses; ns each: one by one \(single), together \(batch)")
    } catch {
      print("error \(error)")
      exit(1)
    }
  }

  init(_ path: String, _ otherPath: String) throws(FuseError) {
    reader = try CompactReader(path: path)
    other = try FuseReader(path: otherPath)
    var walk = CompactWalk(reader)
    var isThere = try walk.seekFirst()
    while isThere {
      let key = walk.key
      keys.append(bytes.count..<bytes.count + key.count)
      bytes += key
      isThere = try walk.next()
    }
    var random = Harm.Random(state: 1)
    for number in stride(from: keys.count - 1, to: 0, by: -1) { keys.swapAt(number, random.below(number + 1)) }
    for key in keys.prefix(100_000) {
      missing.append(bytes.count..<bytes.count + key.count + 1)
      bytes += Array(bytes[key])
      bytes.append(0xFE)
    }
  }

  /// The shortest of some rounds, in nanoseconds for each of `count`.
  private static func time(_ count: Int, _ body: () throws -> UInt64) rethrows -> Double {
    var best = Double.infinity
    var total: UInt64 = 0
    for _ in 0..<7 {
      let clock = ContinuousClock()
      let start = clock.now
      let sum = try body()
      let taken = start.duration(to: clock.now)
      total &+= sum
      let nanoseconds = Double(taken.components.seconds) * 1e9 + Double(taken.components.attoseconds) / 1e9
      best = min(best, nanoseconds / Double(max(1, count)))
    }
    // So that nothing is left out.
    if total == 1 { print(total) }
    return best
  }

  private func row(_ name: String, _ compact: Double, _ other: Double) {
    func text(_ number: Double) -> String { String(Int((number * 100).rounded())) }
    func padded(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    func number(_ value: Double) -> String {
      let digits = text(value)
      let whole = digits.count > 2 ? String(digits.dropLast(2)) : "0"
      let rest = String(digits.suffix(2))
      return whole + "." + (rest.count == 2 ? rest : "0" + rest)
    }
    print(padded(name, 24), padded(number(compact), 10), padded(number(other), 10), padded(number(compact / other), 7))
  }

  private func measure(field: String?, objectsAlone: Bool) throws {
    print("\(keys.count) keys; ns each: compact, version 2, ratio")
    if !objectsAlone { try measureKeys() }
    try measureObjects(field: field)
  }

  private func measureKeys() throws {
    row("find, independent", try Self.time(keys.count, findAll), try Self.time(keys.count, findAllInOther))
    row(
      "find, dependent", try Self.time(keys.count, findOneAfterOther),
      try Self.time(keys.count, findOneAfterOtherInOther))
    row("find, absent", try Self.time(missing.count, missAll), try Self.time(missing.count, missAllInOther))
    row("find, many at once", try Self.time(keys.count, findTogether), try Self.time(keys.count, findTogetherInOther))
  }

  private func measureObjects(field: String?) throws {
    row("find, independent", try Self.time(keys.count, findAll), try Self.time(keys.count, findAllInOther))
    row("object", try Self.time(keys.count, getAll), try Self.time(keys.count, getAllInOther))
    row("object, in the cache", try Self.time(256_000, getSomeAgain), try Self.time(256_000, getSomeAgainInOther))
    if let field {
      let path = FusePath(field)
      let same = try FuseReader(path: reader.path)
      row(
        "view of \(field)", try Self.time(keys.count) { try fieldViews(path, of: same) },
        try Self.time(keys.count) { try fieldViews(path, of: other) })
      row(
        "field \(field)", try Self.time(keys.count) { try fields(path) },
        try Self.time(keys.count) { try fieldsInOther(path) })
    }
    let same = try FuseReader(path: reader.path)
    row(
      "withBytes", try Self.time(keys.count) { try bytes(of: same) }, try Self.time(keys.count) { try bytes(of: other) }
    )
    if try five(FiveOfBenchmark.self, same) != nil {
      row(
        "struct of five", try Self.time(keys.count) { try fives(FiveOfBenchmark.self, same) },
        try Self.time(keys.count) { try fives(FiveOfBenchmark.self, other) })
    } else {
      row(
        "struct of five", try Self.time(keys.count) { try fives(FiveOfCity.self, same) },
        try Self.time(keys.count) { try fives(FiveOfCity.self, other) })
    }
    if try five(FiveOfBenchmark.self, same) != nil {
      row(
        "the same, in the cache", try Self.time(256_000) { try fivesAgain(FiveOfBenchmark.self, same) },
        try Self.time(256_000) { try fivesAgain(FiveOfBenchmark.self, other) })
    } else {
      row(
        "the same, in the cache", try Self.time(256_000) { try fivesAgain(FiveOfCity.self, same) },
        try Self.time(256_000) { try fivesAgain(FiveOfCity.self, other) })
    }
    row(
      "scan of entries, keys", try Self.time(keys.count) { try entries(of: same, keysAlone: true) },
      try Self.time(keys.count) { try entries(of: other, keysAlone: true) })
    row(
      "scan of entries", try Self.time(keys.count) { try entries(of: same) },
      try Self.time(keys.count) { try entries(of: other) })
    row("scan, keys alone", try Self.time(keys.count, scanKeys), try Self.time(keys.count, scanKeysInOther))
    row("scan", try Self.time(keys.count, scanAll), try Self.time(keys.count, scanAllInOther))
  }

  // MARK: What programs call

  private struct FiveOfBenchmark: Decodable {
    var id: UInt64
    var network: String
    var asn: UInt32
    var organization: String
    var country: String
  }

  private struct FiveOfCity: Decodable {
    struct Country: Decodable {
      var iso_code: String?
    }
    struct Location: Decodable {
      var latitude: Double?
      var longitude: Double?
      var time_zone: String?
    }
    struct City: Decodable {
      var geoname_id: UInt32?
    }
    var city: City?
    var country: Country?
    var location: Location?
  }

  private func bytes(of reader: FuseReader) throws -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for key in keys { sum &+= UInt64(try reader.withBytes(forKey: span.extracting(key)) { $0.byteCount } ?? 0) }
    return sum
  }

  private func five<Value: Decodable>(_ type: Value.Type, _ reader: FuseReader) throws -> Value? {
    try? reader.value(type, forKey: bytes.rawSpan.extracting(keys[0]))
  }

  private func fives<Value: Decodable>(_ type: Value.Type, _ reader: FuseReader) throws -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for key in keys where try reader.value(type, forKey: span.extracting(key)) != nil { sum &+= 1 }
    return sum
  }

  private func fivesAgain<Value: Decodable>(_ type: Value.Type, _ reader: FuseReader) throws -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for _ in 0..<1000 {
      for key in keys.prefix(256) where try reader.value(type, forKey: span.extracting(key)) != nil { sum &+= 1 }
    }
    return sum
  }

  private func entries(of reader: FuseReader, keysAlone: Bool = false) throws -> UInt64 {
    var sum: UInt64 = 0
    var scan = try reader.entries()
    while let entry = try scan.next() {
      sum &+= UInt64(try entry.key.count)
      if !keysAlone { sum &+= UInt64(try entry.bytes.byteCount) }
    }
    return sum
  }

  // MARK: The parts of it

  private func findAll() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for key in keys { sum &+= try reader.reference(forKey: span.extracting(key)) ?? 1 }
    return sum
  }

  private func findAllInOther() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for key in keys { sum &+= try other.objectOffset(forKey: span.extracting(key)) ?? 1 }
    return sum
  }

  /// Which key comes next depends on what was found.
  private func findOneAfterOther() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var (sum, number): (UInt64, Int) = (0, 0)
    for _ in 0..<keys.count {
      let found = try reader.reference(forKey: span.extracting(keys[number])) ?? 1
      sum &+= found
      number += 1 + Int(truncatingIfNeeded: found >> 60)
    }
    return sum
  }

  private func findOneAfterOtherInOther() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var (sum, number): (UInt64, Int) = (0, 0)
    for _ in 0..<keys.count {
      let found = try other.objectOffset(forKey: span.extracting(keys[number])) ?? 1
      sum &+= found
      number += 1 + Int(truncatingIfNeeded: found >> 60)
    }
    return sum
  }

  private func missAll() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for key in missing { sum &+= try reader.reference(forKey: span.extracting(key)) ?? 1 }
    return sum
  }

  private func missAllInOther() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for key in missing { sum &+= try other.objectOffset(forKey: span.extracting(key)) ?? 1 }
    return sum
  }

  private func findTogether() throws(FuseError) -> UInt64 {
    var found: [UInt64?] = []
    try reader.references(forKeys: keys, of: bytes.rawSpan, into: &found)
    return UInt64(found.count)
  }

  private func findTogetherInOther() throws(FuseError) -> UInt64 {
    var sum: UInt64 = 0
    try other.forEachObjectOffset(ofKeys: keys, in: bytes.rawSpan) { (_, found) throws(FuseError) in sum &+= found ?? 1
    }
    return sum
  }

  private func getAll() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    var out: [UInt8] = []
    for key in keys {
      guard let reference = try reader.reference(forKey: span.extracting(key)) else { continue }
      try reader.expand(reference, into: &out)
      sum &+= UInt64(out.count)
    }
    return sum
  }

  private func getAllInOther() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for key in keys {
      guard let found = try other.bytes(forKey: span.extracting(key)) else { continue }
      sum &+= UInt64(found.byteCount)
    }
    return sum
  }

  /// Few objects, so that nothing is waited for.
  private func getSomeAgain() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var references: [UInt64] = []
    for key in keys.prefix(256) { references.append(try reader.reference(forKey: span.extracting(key)) ?? 0) }
    var sum: UInt64 = 0
    var out: [UInt8] = []
    for _ in 0..<1000 {
      for reference in references {
        try reader.expand(reference, into: &out)
        sum &+= UInt64(out.count)
      }
    }
    return sum
  }

  private func getSomeAgainInOther() throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for _ in 0..<1000 {
      for key in keys.prefix(256) { sum &+= UInt64(try other.bytes(forKey: span.extracting(key))?.byteCount ?? 0) }
    }
    return sum
  }

  private func fields(_ path: FusePath) throws(FuseError) -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    var out: [UInt8] = []
    for key in keys {
      guard let reference = try reader.reference(forKey: span.extracting(key)) else { continue }
      out.removeAll(keepingCapacity: true)
      if try reader.field(path, ofReference: reference, into: &out) { sum &+= UInt64(out.count) }
    }
    return sum
  }

  private func fieldViews(_ path: FusePath, of reader: FuseReader) throws -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for key in keys {
      let count = try reader.withValue(forKey: span.extracting(key)) { $0[path: path]?.stringBytes?.byteCount }
      sum &+= UInt64(count ?? 0)
    }
    return sum
  }

  private func fieldsInOther(_ path: FusePath) throws -> UInt64 {
    let span = bytes.rawSpan
    var sum: UInt64 = 0
    for key in keys {
      let count = try other.withValue(forKey: span.extracting(key)) { $0[path: path] == nil ? 0 : 1 }
      sum &+= UInt64(count ?? 0)
    }
    return sum
  }

  private func scanKeys() throws(FuseError) -> UInt64 {
    var walk = CompactWalk(reader)
    var sum: UInt64 = 0
    var isThere = try walk.seekFirst()
    while isThere {
      sum &+= UInt64(walk.keyBytes.byteCount)
      isThere = try walk.next()
    }
    return sum
  }

  private func scanKeysInOther() throws -> UInt64 {
    var sum: UInt64 = 0
    try other.entries().forEachInPlace { key, _ in sum &+= UInt64(key.byteCount) }
    return sum
  }

  private func scanAll() throws(FuseError) -> UInt64 {
    var walk = CompactWalk(reader)
    var out: [UInt8] = []
    var sum: UInt64 = 0
    var isThere = try walk.seekFirst()
    while isThere {
      try reader.expand(walk.reference, into: &out)
      sum &+= UInt64(walk.keyBytes.byteCount + out.count)
      isThere = try walk.next()
    }
    return sum
  }

  private func scanAllInOther() throws -> UInt64 {
    var sum: UInt64 = 0
    try other.entries().forEachInPlace { key, object in sum &+= UInt64(key.byteCount + object.byteCount) }
    return sum
  }
}
