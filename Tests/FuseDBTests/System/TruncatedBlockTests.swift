import Testing

import FuseDB

@testable import FuseDBReading

struct `A file with an extension block that is truncated while it is open` {
  typealias Plain = `A file that is truncated while it is open`

  static let pages = 0..<(Plain.sample.indexed.count + Plain.pageByteCount - 1) / Plain.pageByteCount

  @Test(arguments: pages)
  func `to any page gives the truth or an error, and the process lives [M2] [M3]`(page: Int) throws {
    let folder = try TemporaryFolder()
    let byteCount = page * Plain.pageByteCount
    for checksums in [FuseReader.Checksums.verified, .skipped] {
      let path = try folder.write(Plain.sample.indexed)
      let reader = try FuseReader(path: path, checksums: checksums)
      #expect(reader.index.table != nil)
      #expect(Plain.complaint(about: reader) == nil)
      Plain.cut(path, to: byteCount)
      if byteCount < ReferenceBlock(Plain.sample.indexed).indexEnd {
        let first = try #require(failure { _ = try reader.statistics() })
        #expect(first.code == .truncated)
        #expect(try #require(first.offset) >= byteCount)
      }
      #expect(Plain.complaint(about: reader) == nil)
      // It stays so when the file grows again, once a missing byte was met.
      let met = failure { try reader.checkNotShrunk() }
      Plain.cut(path, to: Plain.sample.indexed.count)
      guard let met else { continue }
      for key in Plain.sample.keys + Plain.sample.absent {
        #expect(failure { _ = try reader.copy(of: key.bytes) } == met)
        #expect(failure { _ = try reader.contains(key.bytes) } == met)
      }
    }
  }

  @Test func `inside any page gives the truth or an error`() throws {
    let folder = try TemporaryFolder()
    for byteCount in stride(from: Plain.sample.indexed.count - 1, to: 40, by: -977) {
      let path = try folder.write(Plain.sample.indexed)
      let reader = try FuseReader(path: path)
      Plain.cut(path, to: byteCount)
      #expect(Plain.complaint(about: reader) == nil, "cut to \(byteCount)")
    }
  }
}
