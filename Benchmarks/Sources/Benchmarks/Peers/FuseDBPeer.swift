import FuseDB

/// This library.
final class FuseDBPeer: Peer {
  let checksums: FuseReader.Checksums

  init(checksums: FuseReader.Checksums) { self.checksums = checksums }

  var subject: Subject { checksums == .verified ? .fuseDB : .fuseDBSkipped }

  func build(_ workload: Workload, at path: String) throws -> Double {
    try timed {
      let writer = FuseWriter()
      let objects = try (0..<workload.objects.count).map { i in
        try writer.addObject(RawSpan(_unsafeBytes: workload.objects[i]))
      }
      for i in 0..<workload.keyCount {
        try writer.addKey(RawSpan(_unsafeBytes: workload.keys[i]), for: objects[Int(workload.objectOfKey[i])])
      }
      try writer.build(to: path)
    }
  }

  func open(_ path: String, _ workload: Workload) throws -> any Database {
    FuseDBDatabase(try FuseReader(path: path, checksums: checksums))
  }

  func verify(_ path: String) throws -> Double? {
    // Beside everything, what the other implementation compares.
    let level: VerificationLevel = checksums == .verified ? .full : .checksums
    var isSound = false
    let nanoseconds = try timed { isSound = try FuseReader.verify(path: path, level: level).isSound }
    guard isSound else { throw WrongAnswer("FuseDB says that its own file is damaged") }
    return nanoseconds
  }
}

/// A reader, and the loops over it. All threads share it.
final class FuseDBDatabase: LocalDatabase {
  let reader: FuseReader
  var other: (any Session)?

  init(_ reader: FuseReader) { self.reader = reader }

  func value(forKey key: UnsafeRawBufferPointer) throws -> [UInt8]? {
    try reader.withBytes(forKey: RawSpan(_unsafeBytes: key)) { bytes in bytes.withUnsafeBytes { [UInt8]($0) } }
  }

  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally {
    try FuseDBLookUp(reader: reader).tally(keys, range)
  }

  func anotherSession() throws -> any Session { FuseDBDatabase(reader) }

  func batchTally(_ keys: ByteList, _ range: Range<Int>, size: Int) throws -> Tally? {
    try FuseDBLookUp(reader: reader).batchTally(keys, range, size: size)
  }

  func scanTally() throws -> Tally? {
    var tally = Tally()
    try reader.entries().forEachInPlace { key, object in tally.add(object.firstWord &+ UInt64(key.byteCount)) }
    return tally
  }

  func prefixTally(_ prefixes: ByteList, _ range: Range<Int>) throws -> Tally? {
    var tally = Tally()
    for i in range {
      try reader.prefix([UInt8](prefixes[i])).forEachInPlace { _, object in tally.add(object.firstWord) }
    }
    return tally
  }
}

struct FuseDBLookUp: LookUp {
  let reader: FuseReader

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try reader.withBytes(forKey: RawSpan(_unsafeBytes: key)) { $0.firstWord }
  }
}

extension RawSpan {
  /// The first eight bytes as one number.
  @inline(__always)
  var firstWord: UInt64 { unsafeLoadUnaligned(as: UInt64.self) }
}
