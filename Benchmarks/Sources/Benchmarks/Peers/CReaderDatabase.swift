import CReader

/// A reader of our files in C, with the same duties: how quick their layout can be read.
final class CReaderDatabase: LocalDatabase {
  private let reader: UnsafeMutablePointer<c_reader>
  var other: (any Session)?

  init(_ path: String, checks: Bool) throws {
    guard let reader = c_reader_open(path, checks) else { throw PeerFailure("the C reader does not open \(path)") }
    self.reader = reader
  }

  deinit { c_reader_close(reader) }

  func value(forKey key: UnsafeRawBufferPointer) throws -> [UInt8]? {
    var bytes = c_bytes()
    guard try CReaderLookUp(reader: reader).get(key, &bytes) else { return nil }
    return [UInt8](UnsafeRawBufferPointer(start: bytes.start, count: bytes.size))
  }

  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally {
    try CReaderLookUp(reader: reader).tally(keys, range)
  }

  func anotherSession() throws -> any Session { self }

  func batchTally(_ keys: ByteList, _ range: Range<Int>, size: Int) throws -> Tally? {
    var tally = Tally()
    let group = Int(C_GROUP)
    try withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: group) { starts in
      try withUnsafeTemporaryAllocation(of: Int.self, capacity: group) { sizes in
        try withUnsafeTemporaryAllocation(of: c_bytes.self, capacity: group) { bytes in
          var first = range.lowerBound
          while first < range.upperBound {
            let count = min(group, range.upperBound - first)
            for i in 0..<count {
              let key = keys[first + i]
              starts[i] = key.baseAddress!.assumingMemoryBound(to: UInt8.self)
              sizes[i] = key.count
            }
            let status = c_reader_get_group(
              reader, starts.baseAddress!, sizes.baseAddress!, Int32(count), bytes.baseAddress!)
            guard status != C_DAMAGED.rawValue else { throw WrongAnswer("the C reader finds damage") }
            for i in 0..<count {
              if let start = bytes[i].start { tally.add(UnsafeRawPointer(start).loadUnaligned(as: UInt64.self)) }
            }
            first += count
          }
        }
      }
    }
    return tally
  }

  func scanTally() throws -> Tally? {
    let found = c_reader_scan(reader)
    return Tally(found: Int(found.found), sum: found.sum)
  }

  func prefixTally(_ prefixes: ByteList, _ range: Range<Int>) throws -> Tally? {
    var tally = c_tally()
    for i in range {
      guard c_reader_prefix(reader, prefixes[i].baseAddress, prefixes[i].count, &tally) else {
        throw WrongAnswer("the C reader finds damage")
      }
    }
    return Tally(found: Int(tally.found), sum: tally.sum)
  }
}

struct CReaderLookUp: LookUp {
  let reader: UnsafeMutablePointer<c_reader>

  @inline(__always)
  func get(_ key: UnsafeRawBufferPointer, _ bytes: inout c_bytes) throws -> Bool {
    let status = UInt32(c_reader_get(reader, key.baseAddress, key.count, &bytes))
    guard status != C_DAMAGED.rawValue else { throw WrongAnswer("the C reader finds damage") }
    return status == C_FOUND.rawValue
  }

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    var bytes = c_bytes()
    return try get(key, &bytes) ? UnsafeRawPointer(bytes.start).loadUnaligned(as: UInt64.self) : nil
  }
}
