import ProgramSupport
import Testing

import FuseDB

struct SearchTests {
  @Test func `places and counts are those of looking at each byte`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<300 {
      let bytes = (0..<Int.random(in: 64...9000, using: &random)).map { _ in UInt8.random(in: 0...3, using: &random) }
      let span = bytes.rawSpan
      let start = Int.random(in: 0...bytes.count, using: &random)
      let range = start..<Int.random(in: start...bytes.count, using: &random)
      let first = span.firstIndex(of: 1, in: range)
      let last = span.lastIndex(of: 1, in: range)
      let count = span.extracting(range).count(of: 1)
      #expect(first == bytes[range].firstIndex(of: 1), "seed \(seed)")
      #expect(last == bytes[range].lastIndex(of: 1), "seed \(seed)")
      #expect(count == bytes[range].count { $0 == 1 }, "seed \(seed)")
      let offset = Int.random(in: 0...bytes.count - 64, using: &random)
      let matches = span.matches(of: 1, or: 3, at: offset)
      let expected = (0..<64).reduce(0 as UInt64) { $0 | (bytes[offset + $1] & 1 == 1 ? 1 << UInt64($1) : 0) }
      #expect(matches == expected, "seed \(seed)")
    }
  }

  @Test func `a byte in every place counts, however many there are`() {
    let bytes = [UInt8](repeating: 10, count: 100_003)
    let count = bytes.rawSpan.count(of: 10)
    #expect(count == 100_003)
  }

  @Test(
    arguments: [
      [], Array("aé€😀".utf8), [0xC3], [0x61, 0xFF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xC0, 0x80],
      [0xF4, 0x90, 0x80, 0x80],
    ] as [[UInt8]])
  func `both ways to check UTF-8 agree, wherever the bytes stand`(part: [UInt8]) {
    for before in 0..<70 {
      let bytes = [UInt8](repeating: 0x61, count: before) + part + [0x62]
      let (long, short) = (bytes.rawSpan.isLongUTF8, bytes.rawSpan.isUTF8)
      #expect(long == short, "after \(before) bytes")
    }
  }

  @Test func `plain text ends at a quote, a backslash or a control character`() {
    for byte in UInt8.min...UInt8.max {
      let isPlain = byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
      for place in 0..<RawSpan.plainTextByteCount {
        var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 3 + RawSpan.plainTextByteCount)
        bytes[3 + place] = byte
        #expect(bytes.rawSpan.plainTextByteCount(at: 3) == (isPlain ? RawSpan.plainTextByteCount : place), "\(byte)")
      }
    }
  }
}
