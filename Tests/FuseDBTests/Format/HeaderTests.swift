import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBFormat

struct `The header` {
  static let sample = Header(keyCount: 1, objectCount: 1, indexOffset: 52, checksum: 0x8D10_64DE)

  @Test func `of the worked examples is written byte for byte [H1] [H2] [H3] [H5] [B1]`() {
    #expect(Self.sample.bytes == [UInt8](WorkedExamples.oneKey[..<40]))
    #expect(Header(keyCount: 0, objectCount: 0, indexOffset: 40, checksum: 0).bytes == WorkedExamples.noKeys)
    let third = Header(keyCount: 2, objectCount: 1, indexOffset: 52, checksum: 0xB4E8_8118)
    #expect(third.bytes == [UInt8](WorkedExamples.twoKeysOneObject[..<40]))
  }

  @Test(arguments: [WorkedExamples.noKeys, WorkedExamples.oneKey, WorkedExamples.twoKeysOneObject])
  func `is read as it was written`(file: [UInt8]) throws {
    let header = try Header(parsing: file.rawSpan)
    #expect(header.bytes == [UInt8](file[..<40]))
    #expect(header.faults(fileByteCount: file.count) == [])
  }

  @Test func `has each field in its place, whatever the fields hold`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<200 {
      let bytes = [UInt8]("FSDB".utf8) + [2] + random.bytes(35)
      let header = try Header(parsing: bytes.rawSpan)
      #expect(UInt64(header.flags) == bytes.number(at: 5, 1))
      #expect(UInt64(header.padding) == bytes.number(at: 6, 2))
      #expect(UInt64(header.keyCount) == bytes.number(at: 8, 4))
      #expect(UInt64(header.objectCount) == bytes.number(at: 12, 4))
      #expect(header.indexOffset == bytes.number(at: 16, 8))
      #expect(header.dataOffset == bytes.number(at: 24, 8))
      #expect(UInt64(header.checksum) == bytes.number(at: 32, 4))
      #expect(UInt64(header.reserved) == bytes.number(at: 36, 4))
      #expect(header.bytes == bytes)
    }
  }

  @Test(arguments: 0..<40)
  func `of fewer than 40 bytes is truncated where the file ends [H8]`(byteCount: Int) {
    let bytes = [UInt8](WorkedExamples.oneKey[..<byteCount])
    let error = failure { _ = try Header(parsing: bytes.rawSpan) }
    #expect(error?.code == .truncated)
    #expect(error?.offset == UInt64(byteCount))
  }

  @Test(arguments: 0..<32)
  func `with any bit of the magic flipped is no database [H1]`(bit: Int) {
    let bytes = WorkedExamples.oneKey.flipping(bit: bit)
    let error = failure { _ = try Header(parsing: bytes.rawSpan) }
    #expect(error?.code == .notADatabase)
    #expect(error?.offset == 0)
  }

  @Test func `of every version but 2 is refused [H2]`() {
    for version in UInt8.min...UInt8.max where version != 2 {
      var bytes = WorkedExamples.oneKey
      bytes[4] = version
      let error = failure { _ = try Header(parsing: bytes.rawSpan) }
      #expect(error?.code == .unsupportedVersion)
      #expect(error?.offset == 4)
    }
  }

  @Test func `says the most telling error first [O1]`() throws {
    var bytes = [UInt8](repeating: 0xFF, count: 40)
    #expect(failure { _ = try Header(parsing: bytes.rawSpan) }?.code == .notADatabase)
    bytes.replaceSubrange(0..<4, with: "FSDB".utf8)
    #expect(failure { _ = try Header(parsing: bytes.rawSpan) }?.code == .unsupportedVersion)
    bytes[4] = 2
    let faults = try Header(parsing: bytes.rawSpan).faults(fileByteCount: 40)
    #expect(faults.map(\.offset) == [24, 16])
    #expect(faults.map(\.code) == [.corrupted, .truncated])
  }

  @Test(arguments: [0, 1, 39, 41, 0xFF00_0000_0000_0028, .max])
  func `with another data offset is corrupted [H5]`(dataOffset: UInt64) {
    var header = Self.sample
    header.dataOffset = dataOffset
    let faults = header.faults(fileByteCount: 63)
    #expect(faults.map(\.code) == [.corrupted])
    #expect(faults.map(\.offset) == [24])
  }

  @Test(
    arguments: [
      (0, .corrupted), (1, .corrupted), (39, .corrupted), (40, nil), (52, nil), (63, nil), (64, .truncated),
      (1 << 32 + 52, .truncated), (1 << 63, .truncated), (.max, .truncated),
    ] as [(UInt64, FuseError.Code?)])
  func `has its index between the header and the end of the file [H6]`(indexOffset: UInt64, code: FuseError.Code?) {
    var header = Self.sample
    header.indexOffset = indexOffset
    let faults = header.faults(fileByteCount: 63)
    #expect(faults.map(\.code) == (code.map { [$0] } ?? []))
    #expect(faults.allSatisfy { $0.offset == 16 })
  }

  @Test func `ignores flags, pad and reserved [H3]`() throws {
    var header = Self.sample
    header.flags = 0xFF
    header.padding = 0xFFFF
    header.reserved = .max
    let bytes = header.bytes
    let read = try Header(parsing: bytes.rawSpan)
    #expect(read.faults(fileByteCount: 63) == [])
    #expect(read == header)
  }
}
