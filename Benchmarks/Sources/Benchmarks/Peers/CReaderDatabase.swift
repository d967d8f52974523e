import CReader

/// A reader of our files in C, with the same duties: how quick their layout can be read.
final class CReaderDatabase: LocalDatabase {
  private let reader: OpaquePointer
  var other: (any Session)?

  init(_ path: String, checks: Bool) throws {
    guard let reader = c_reader_open(path, checks) else { throw PeerFailure("the C reader does not open \(path)") }
    self.reader = reader
  }

  deinit { c_reader_close(reader) }

  func value(forKey key: UnsafeRawBufferPointer) throws -> [UInt8]? {
    var object: UnsafePointer<UInt8>?
    var count = 0
    guard c_reader_get(reader, key.baseAddress, key.count, &object, &count) else { throw damaged }
    return object.map { [UInt8](UnsafeBufferPointer(start: $0, count: count)) }
  }

  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally {
    var tally = c_tally()
    guard c_reader_hits(reader, keys.bytes, keys.offsets, range.lowerBound, range.upperBound, &tally) else {
      throw damaged
    }
    return Tally(found: Int(tally.found), sum: tally.sum)
  }

  func anotherSession() throws -> any Session { self }

  /// In groups of its own size.
  func batchTally(_ keys: ByteList, _ range: Range<Int>, size: Int) throws -> Tally? {
    var tally = c_tally()
    guard c_reader_batches(reader, keys.bytes, keys.offsets, range.lowerBound, range.upperBound, &tally) else {
      throw damaged
    }
    return Tally(found: Int(tally.found), sum: tally.sum)
  }

  func scanTally() throws -> Tally? {
    let tally = c_reader_scan(reader)
    return Tally(found: Int(tally.found), sum: tally.sum)
  }

  func prefixTally(_ prefixes: ByteList, _ range: Range<Int>) throws -> Tally? {
    var tally = c_tally()
    for i in range {
      guard c_reader_prefix(reader, prefixes[i].baseAddress, prefixes[i].count, &tally) else { throw damaged }
    }
    return Tally(found: Int(tally.found), sum: tally.sum)
  }

  private var damaged: WrongAnswer { WrongAnswer("the C reader finds damage") }
}
