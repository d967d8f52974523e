import ProgramSupport
import Testing

import FuseDB

struct `A stream of MessagePack values` {
  /// The length of the first value the slow way: the shortest beginning that is a value.
  private static func model(_ bytes: [UInt8]) -> Int? {
    (0...bytes.count).first { count in
      let part = Array(bytes[..<count])
      return (try? MessagePackCursor.validate(part.rawSpan)) != nil
    }
  }

  private static func byteCount(_ bytes: [UInt8]) throws -> Int? {
    try MessagePackCursor.byteCountOfFirstValue(in: bytes.rawSpan)
  }

  @Test func `is cut at the end of a value, whatever byte it begins with, and nowhere before [S3]`() throws {
    for first in UInt8.min...UInt8.max where first != 0xC1 {
      // After the head: zeros, which are numbers, and lengths and counts of 2 whatever their width.
      for length in [[], [2], [0, 2], [0, 0, 0, 2]] as [[UInt8]] {
        let bytes = [first] + length + [UInt8](repeating: 0, count: 600)
        guard let expected = Self.model(bytes) else {
          #expect(try Self.byteCount(bytes) == nil)
          continue
        }
        for count in 0..<expected {
          #expect(try Self.byteCount(Array(bytes[..<count])) == nil, "\(first) \(length) cut after \(count)")
        }
        #expect(try Self.byteCount(Array(bytes[..<expected])) == expected)
        #expect(try Self.byteCount(bytes) == expected)
      }
    }
  }

  @Test func `is cut where the slow way cuts random bytes, or is refused`() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    var foundCount = 0
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let found = try? Self.byteCount(bytes)
      #expect(found == Self.model(bytes), "seed \(seed): \(bytes)")
      if found != nil { foundCount += 1 }
    }
    #expect(foundCount > 1000)
  }

  @Test func `is cut without a look at the depth, which is for those who read the value`() throws {
    let deep = [UInt8](repeating: 0x91, count: 100_000) + [0xC0]
    #expect(try Self.byteCount(deep) == deep.count)
  }

  @Test func `is refused at the byte c1, and where it counts more values than there are bytes in any input`() {
    for (bytes, offset) in [
      ([0xC1], 0), ([0x92, 0x01, 0xC1], 2),
      ([0xDF, 0xFF, 0xFF, 0xFF, 0xFF, 0xDF, 0xFF, 0xFF, 0xFF, 0xFF, 0xDF, 0xFF, 0xFF, 0xFF, 0xFF], 10),
    ] as [([UInt8], UInt64)] {
      let error = #expect(throws: FuseError.self) { try Self.byteCount(bytes) }
      #expect(error?.code == .invalidValue)
      #expect(error?.offset == offset)
    }
  }
}
