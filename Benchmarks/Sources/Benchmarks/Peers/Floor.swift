import FuseDB
import Glibc

/// What the memory itself costs: the three cache lines of each hit, touched with addresses known beforehand, so that
/// no load waits for another.
///
/// The lines are one of a table as large as a hash index of 64-byte buckets would be, chosen by a hash; the key's
/// entry; and its object. The last two are those of the mapped database file itself.
final class Floor: LocalDatabase {
  private struct Lines {
    var bucket: UnsafeRawPointer
    var entry: UnsafeRawPointer
    var object: UnsafeRawPointer
  }

  private let reader: FuseReader
  private let table: UnsafeMutableRawPointer
  private let tableByteCount: Int
  private let lines: UnsafeMutablePointer<Lines>
  var other: (any Session)?

  /// - Parameters:
  ///   - path: the database file.
  ///   - tablePath: where to put the table: in a file, so that it is mapped by pages as the database is.
  init(_ path: String, tablePath: String, _ workload: Workload) throws {
    let reader = try FuseReader(path: path, checksums: .skipped)
    self.reader = reader
    // Eight slots in a bucket, four fifths of them taken.
    let bucketCount = workload.keyCount * 10 / 64 + 1
    tableByteCount = bucketCount * 64
    table = try mappedFile(tablePath, byteCount: tableByteCount)

    let sorted = workload.keys.sortedOrder()
    var places = [(entry: UnsafeRawPointer, object: UnsafeRawPointer)?](repeating: nil, count: workload.keyCount)
    var scan = try reader.entries()
    for number in sorted {
      guard let entry = try scan.next() else { throw WrongAnswer("a scan of FuseDB ends early") }
      let key = try entry.keyBytes
      let object = try entry.bytes
      places[Int(number)] = (address(of: key) - 2, address(of: object))
    }

    lines = .allocate(capacity: workload.hits.count)
    for i in 0..<workload.hits.count {
      let number = Int(workload.keyOfHit[i])
      guard let place = places[number] else { throw WrongAnswer("a scan of FuseDB misses a key") }
      let bucket = SplitMix64.hash(UInt64(number), below: bucketCount)
      (lines + i).initialize(to: Lines(bucket: table + bucket * 64, entry: place.entry, object: place.object))
    }
  }

  deinit {
    munmap(table, tableByteCount)
    lines.deallocate()
  }

  func check(_ workload: Workload) throws {
    for i in 0..<workload.hits.count {
      let expected = workload.object(ofKey: Int(workload.keyOfHit[i]))
      guard memcmp(lines[i].object, expected.baseAddress!, expected.count) == 0 else {
        throw WrongAnswer("the floor has not the object under \(text(workload.hits[i]))")
      }
    }
    // Touches every line once, so that no page is mapped while the clock runs.
    _ = try tally(workload.hits, 0..<workload.hits.count)
  }

  func value(forKey key: UnsafeRawBufferPointer) throws -> [UInt8]? { nil }

  /// The range of questions tells which lines; the keys are not looked at.
  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally {
    var tally = Tally()
    for i in range {
      let lines = lines[i]
      // The table holds zeros, and the entry's first byte is that of a length below 256, so the sum is the object's.
      let word = lines.object.loadUnaligned(as: UInt64.self)
      tally.add(word &+ UInt64(lines.bucket.load(as: UInt8.self)) &+ UInt64(lines.entry.load(as: UInt8.self)))
    }
    return tally
  }

  func anotherSession() throws -> any Session { self }

  func run(_ job: Job, _ range: Range<Int>, _ workload: Workload) throws -> Outcome? {
    var tally = Tally()
    switch job {
    case .hit:
      let nanoseconds = try timed { tally = try self.tally(workload.hits, range) }
      return Outcome(nanoseconds: nanoseconds, found: tally.found, sum: tally.sum)
    case .twoThreads:
      let middle = range.lowerBound + range.count / 2
      return try onTwoThreads(
        { try self.tally(workload.hits, range.lowerBound..<middle) },
        { try self.tally(workload.hits, middle..<range.upperBound) })
    default: return nil
    }
  }
}

extension SplitMix64 {
  fileprivate static func hash(_ number: UInt64, below bound: Int) -> Int {
    var random = SplitMix64(seed: number)
    return random.next(below: bound)
  }
}

private func address(of bytes: RawSpan) -> UnsafeRawPointer { bytes.withUnsafeBytes { $0.baseAddress! } }

/// A file of zeros, written and mapped.
private func mappedFile(_ path: String, byteCount: Int) throws -> UnsafeMutableRawPointer {
  let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
  guard file >= 0 else { throw PeerFailure("\(path) cannot be written: errno \(errno)") }
  defer { close(file) }
  let zeros = [UInt8](repeating: 0, count: 1 << 20)
  var left = byteCount
  while left > 0 {
    let written = write(file, zeros, min(left, zeros.count))
    guard written > 0 else { throw PeerFailure("\(path) cannot be written: errno \(errno)") }
    left -= written
  }
  guard let memory = mmap(nil, byteCount, PROT_READ, MAP_SHARED, file, 0), memory != MAP_FAILED else {
    throw PeerFailure("\(path) cannot be mapped: errno \(errno)")
  }
  return memory
}
