import CMaxMindDB
import Glibc

/// Finds the entry of an address.
struct MaxMindFind: LookUp {
  let database: MaxMindDatabase

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? { try database.entry(key) == nil ? nil : 1 }
}

/// Finds the entry of an address and reads something of it.
struct MaxMindLookUp<Reading: MaxMindReading>: LookUp {
  let database: MaxMindDatabase
  let reading: Reading

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    guard var entry = try database.entry(key) else { return nil }
    return try reading.word(&entry)
  }
}

/// Reads something of an entry that was found before.
struct MaxMindFound<Reading: MaxMindReading>: LookUp {
  let reading: Reading

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    var entry = key.loadUnaligned(as: MMDB_entry_s.self)
    return try reading.word(&entry)
  }
}

extension MaxMindDatabase {
  /// The loops over what is wanted, from addresses and from entries.
  func loops(_ workload: ValueWorkload) throws -> [ValueLoop] {
    let find = MaxMindFind(database: self)
    let entries = try entries(workload)
    func both(_ subject: Subject, _ wanted: Wanted, _ reading: some MaxMindReading) -> [ValueLoop] {
      let lookUp = MaxMindLookUp(database: self, reading: reading)
      return ValueLoop.fromKeys(subject, wanted, workload.addresses, lookUp, over: find)
        + [ValueLoop(subject, wanted, found: entries, MaxMindFound(reading: reading))]
    }
    func field(_ wanted: Wanted, _ path: [String], _ part: some MaxMindPart) -> [ValueLoop] {
      // They live as long as the process.
      let names = path.map { UnsafePointer<CChar>(strdup($0)) }
      let array = UnsafeMutableBufferPointer<UnsafePointer<CChar>?>.allocate(capacity: names.count + 1)
      _ = array.initialize(from: names + [nil])
      let ofPath = both(.maxMindPaths, wanted, MaxMindField(way: PathWay(path: array.baseAddress!), part: part))
      return ofPath
        + (names.count == 1
          ? both(.maxMind, wanted, MaxMindField(way: MemberWay(name: names[0]!), part: part))
          : both(.maxMind, wanted, MaxMindField(way: ElementWay(name: names[0]!, index: names[1]!), part: part)))
    }
    return ValueLoop.fromKeys(.maxMind, .bytes, workload.addresses, find, over: find)
      + field(.string, ["org"], TextPart())
      + field(.int, ["asn"], IntPart())
      + field(.double, ["lat"], DoublePart())
      + field(.element, ["tags", "0"], TextPart())
      + both(.maxMind, .value, MaxMindList())
  }

  /// The entry of each question.
  private func entries(_ workload: ValueWorkload) throws -> ByteList {
    let entries = try (0..<workload.addresses.count).map { number in
      guard let entry = try entry(workload.addresses[number]) else {
        throw WrongAnswer("libmaxminddb misses a network")
      }
      return entry
    }
    return ByteList(count: entries.count) { number, bytes in withUnsafeBytes(of: entries[number]) { bytes += $0 } }
  }
}
