import CTinyCDB
import Glibc

/// tinycdb: two hash levels in the file; a value is stored with each of its keys.
final class TinyCDBPeer: Peer {
  var subject: Subject { .tinyCDB }

  func build(_ workload: Workload, at path: String) throws -> Double {
    try timed {
      let file = Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
      guard file >= 0 else { throw PeerFailure("\(path) cannot be written: errno \(errno)") }
      defer { close(file) }
      let maker = UnsafeMutablePointer<cdb_make>.allocate(capacity: 1)
      defer { maker.deallocate() }
      try require(cdb_make_start(maker, file), "cdb_make_start")
      for i in 0..<workload.keyCount {
        let key = workload.keys[i]
        let value = workload.object(ofKey: i)
        try require(
          cdb_make_add(maker, key.baseAddress, UInt32(key.count), value.baseAddress, UInt32(value.count)),
          "cdb_make_add")
      }
      try require(cdb_make_finish(maker), "cdb_make_finish")
      try require(fsync(file), "fsync")
    }
  }

  func open(_ path: String, _ workload: Workload) throws -> any Database { try TinyCDBDatabase(path) }
}

final class TinyCDBDatabase: LocalDatabase {
  private let path: String
  private let file: UnsafeMutablePointer<cdb>
  private let descriptor: Int32
  var other: (any Session)?

  init(_ path: String) throws {
    self.path = path
    descriptor = Glibc.open(path, O_RDONLY)
    guard descriptor >= 0 else { throw PeerFailure("\(path) cannot be opened: errno \(errno)") }
    file = .allocate(capacity: 1)
    file.initialize(to: cdb())
    guard cdb_init(file, descriptor) == 0 else { throw PeerFailure("cdb_init failed: errno \(errno)") }
  }

  deinit {
    cdb_free(file)
    close(descriptor)
    file.deallocate()
  }

  func value(forKey key: UnsafeRawBufferPointer) throws -> [UInt8]? {
    guard try TinyCDBLookUp(file: file).touch(key) != nil else { return nil }
    return [UInt8](
      UnsafeRawBufferPointer(
        start: cdb_get(file, file.pointee.cdb_vlen, file.pointee.cdb_vpos), count: Int(file.pointee.cdb_vlen)))
  }

  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally {
    try TinyCDBLookUp(file: file).tally(keys, range)
  }

  // A look-up writes into the structure, so that each thread needs its own.
  func anotherSession() throws -> any Session { try TinyCDBDatabase(path) }

  /// In the order in which keys were added: the file has no other.
  func scanTally() throws -> Tally? {
    var tally = Tally()
    var position: UInt32 = 2048
    while cdb_seqnext(&position, file) > 0 {
      guard let value = cdb_get(file, file.pointee.cdb_vlen, file.pointee.cdb_vpos) else { break }
      tally.add(value.loadUnaligned(as: UInt64.self) &+ UInt64(file.pointee.cdb_klen))
    }
    return tally
  }
}

struct TinyCDBLookUp: LookUp {
  let file: UnsafeMutablePointer<cdb>

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    let found = cdb_find(file, key.baseAddress, UInt32(truncatingIfNeeded: key.count))
    guard found > 0 else {
      guard found == 0 else { throw PeerFailure("cdb_find failed: errno \(errno)") }
      return nil
    }
    return cdb_get(file, file.pointee.cdb_vlen, file.pointee.cdb_vpos)?.loadUnaligned(as: UInt64.self)
  }
}

private func require(_ result: Int32, _ call: String) throws {
  guard result == 0 else { throw PeerFailure("\(call) failed: errno \(errno)") }
}
