import Testing

import FuseDB

struct `An index entry` {
  private static func entry(at offset: Int, in file: [UInt8]) -> IndexEntry? {
    IndexEntry(at: offset, in: file.rawSpan)
  }

  @Test func `of the worked example stands where the specification says`() throws {
    let file = WorkedExamples.twoKeysOneObject
    let first = try #require(Self.entry(at: 52, in: file))
    #expect(first.keyRange == 54..<61)
    #expect(first.objectOffset == 40)
    #expect(first.end == 69)
    let second = try #require(Self.entry(at: first.end, in: file))
    #expect([UInt8](file[second.keyRange]) == [UInt8]("gmail.com".utf8))
    #expect(second.objectOffset == 40)
    #expect(second.end == 88)
  }

  @Test func `is there when it is wholly inside the file, and only then [I2]`() {
    for keyByteCount in [0, 1, 2, 7, 8, 9, 300] {
      let entry =
        ReferenceFile.big(keyByteCount, 2) + [UInt8](repeating: 7, count: keyByteCount) + ReferenceFile.big(0x1234, 8)
      for start in [0, 1, 5] {
        let bytes = [UInt8](repeating: 0xEE, count: start) + entry
        for end in start...bytes.count {
          let isThere = IndexEntry(at: start, in: bytes.rawSpan.extracting(0..<end)) != nil
          #expect(isThere == (end == bytes.count), "a key of \(keyByteCount) from \(start) on, cut at \(end)")
        }
      }
    }
  }

  @Test(arguments: [-1, -2, Int.min, 9, 10, 11, Int.max - 1, Int.max])
  func `is nowhere at an offset that leaves no room for it`(offset: Int) {
    let bytes = [UInt8](repeating: 0, count: 18)
    let isThere = IndexEntry(at: offset, in: bytes.rawSpan) != nil
    #expect(!isThere)
  }

  @Test func `may hold the longest key and the largest offset`() throws {
    let bytes = ReferenceFile.big(0xFFFF, 2) + [UInt8](repeating: 1, count: 0xFFFF) + [UInt8](repeating: 0xFF, count: 8)
    let entry = try #require(Self.entry(at: 0, in: bytes))
    #expect(entry.keyByteCount == 65_535)
    #expect(entry.objectOffset == .max)
    #expect(entry.end == bytes.count)
  }
}
