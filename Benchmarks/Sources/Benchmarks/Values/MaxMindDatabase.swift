import CMaxMindDB
import Glibc

/// An open file of libmaxminddb.
final class MaxMindDatabase {
  private let mmdb: UnsafeMutablePointer<MMDB_s>

  init(_ path: String) throws {
    mmdb = .allocate(capacity: 1)
    let status = MMDB_open(path, UInt32(MMDB_MODE_MMAP), mmdb)
    guard status == MMDB_SUCCESS else {
      mmdb.deallocate()
      throw Self.failure(status)
    }
  }

  deinit {
    MMDB_close(mmdb)
    mmdb.deallocate()
  }

  static var version: String { String(cString: MMDB_lib_version()) }

  static func failure(_ status: CInt) -> PeerFailure {
    PeerFailure("libmaxminddb: \(String(cString: MMDB_strerror(status)))")
  }

  /// The entry of an address, a `sockaddr_in`.
  @inline(__always)
  func entry(_ address: UnsafeRawBufferPointer) throws -> MMDB_entry_s? {
    var status: CInt = 0
    let result = MMDB_lookup_sockaddr(mmdb, address.baseAddress!.assumingMemoryBound(to: sockaddr.self), &status)
    guard status == MMDB_SUCCESS else { throw Self.failure(status) }
    return result.found_entry ? result.entry : nil
  }
}
