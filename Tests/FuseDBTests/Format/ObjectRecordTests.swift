import Testing

import FuseDB

struct `An object record` {
  @Test func `of the worked example stands where the specification says`() throws {
    let file = WorkedExamples.oneKey
    let found = ObjectRecord(at: 40, before: 52, in: file.rawSpan)
    let record = try #require(found)
    #expect(record.range == 48..<52)
    #expect(record.byteCount == 4)
    #expect(record.checksum == 0xA7FA_5365)
    #expect(record.end == 52)
  }

  @Test func `is there when it ends inside the data section, and only then [D2]`() {
    for byteCount in [0, 1, 4, 200] {
      let record = ReferenceFile.big(byteCount, 4) + [1, 2, 3, 4] + [UInt8](repeating: 7, count: byteCount)
      let file = [UInt8](repeating: 0, count: 45) + record + [UInt8](repeating: 9, count: 20)
      for limit in 0...file.count {
        let isThere = ObjectRecord(at: 45, before: limit, in: file.rawSpan) != nil
        #expect(isThere == (limit >= 53 + byteCount), "\(byteCount) bytes before \(limit)")
      }
    }
  }

  @Test(arguments: [0, 8, 39, 53, 60, 1 << 31, 1 << 32 + 40, 1 << 63, 1 << 63 + 40, .max - 7, .max] as [UInt64])
  func `is nowhere at an offset outside the data section`(offset: UInt64) {
    let file = [UInt8](repeating: 0, count: 60)
    let isThere = ObjectRecord(at: offset, before: 60, in: file.rawSpan) != nil
    #expect(!isThere)
  }

  @Test func `is nowhere in a section that is too short for one [D2]`() {
    let file = [UInt8](repeating: 0, count: 60)
    for limit in 0..<48 {
      for offset in [0, 40, 52, 60, 1 << 40, 1 << 63, .max - 7] as [UInt64] {
        let isThere = ObjectRecord(at: offset, before: limit, in: file.rawSpan) != nil
        #expect(!isThere, "at \(offset) before \(limit)")
      }
    }
  }

  @Test func `is nowhere in a section that goes on after the file [D2]`() {
    // There are bytes after the file, so that one could be read.
    let bytes = [UInt8](repeating: 0, count: 100)
    for limit in 48...bytes.count {
      let isThere = ObjectRecord(at: 40, before: limit, in: bytes.rawSpan.extracting(first: 50)) != nil
      #expect(isThere == (limit <= 50), "before \(limit)")
    }
  }

  @Test(arguments: [5, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF8, 0xFFFF_FFFF])
  func `longer than the section is nowhere [L6]`(length: UInt32) {
    var file = [UInt8](repeating: 0, count: 52)
    file.put(length, at: 40)
    let isThere = ObjectRecord(at: 40, before: 52, in: file.rawSpan) != nil
    #expect(!isThere)
  }
}
