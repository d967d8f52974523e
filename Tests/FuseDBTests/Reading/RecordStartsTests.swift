import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading

struct `The starts of records` {
  /// A file of objects of these lengths.
  private static func file(_ byteCounts: [Int]) -> ReferenceFile {
    ReferenceFile(objects: byteCounts.map { [UInt8](repeating: 0xC0, count: $0) }, keys: [])
  }

  private static func starts(of byteCounts: [Int]) -> [Int] {
    var offset = 40
    return byteCounts.map { byteCount in
      defer { offset += 8 + byteCount }
      return offset
    }
  }

  @Test func `are found, and nothing else is, with records shorter and longer than a block`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<30 {
      let byteCounts = (0..<1 + random.below(40)).map { _ in random.below(random.element([1, 4, 60, 200])) }
      let bytes = Self.file(byteCounts).bytes
      let starts = try RecordStarts(dataEnd: bytes.count)
      let expected = Self.starts(of: byteCounts)
      for offset in expected { starts.insert(offset) }
      for offset in 0..<bytes.count + 200 {
        let found = starts.contains(UInt64(offset), in: bytes.rawSpan)
        #expect(found == expected.contains(offset), "\(offset) of \(expected)")
      }
      for offset in [UInt64(1) << 32 + 40, 1 << 63, .max] {
        let found = starts.contains(offset, in: bytes.rawSpan)
        #expect(!found)
      }
    }
  }

  @Test func `of a part that is forgotten are gone, and those of its neighbours stay`() throws {
    let byteCounts = [Int](repeating: 30, count: 30)
    let bytes = Self.file(byteCounts).bytes
    let all = Self.starts(of: byteCounts)
    for first in stride(from: 0, to: 30, by: 3) {
      for last in stride(from: first, to: 30, by: 2) {
        let starts = try RecordStarts(dataEnd: bytes.count)
        let end = last == 29 ? bytes.count : all[last + 1]
        for offset in all[..<first] { starts.insert(offset) }
        for offset in all[first...last] { starts.insert(offset, ofPartFrom: all[first]) }
        for offset in all[(last + 1)...] { starts.insert(offset, ofPartFrom: end) }
        starts.remove(part: all[first]..<end)
        // The part is walked again, and its records are the same.
        for offset in all[first...last] { starts.insert(offset) }
        if end < bytes.count { starts.insert(end) }
        for offset in stride(from: 40 + first % 3, to: bytes.count, by: 2) {
          let found = starts.contains(UInt64(offset), in: bytes.rawSpan)
          try #require(found == all.contains(offset), "\(offset) without \(first)...\(last)")
        }
      }
    }
  }

  @Test func `after a record that does not fit are those that keys point at [P8]`() throws {
    var bytes = Self.file([1, 1, 1, 1]).bytes
    bytes.put(UInt32.max, at: 49)
    var starts = try RecordStarts(dataEnd: bytes.count)
    starts.keyTargets = [40, 53, 53, 58, 67, 1000]
    // 53 is no record and fits none: what stands there reads as a length beyond the end.
    bytes.put(UInt32.max, at: 53)
    for offset in [40, 49, 53, 58, 67] { starts.insert(offset) }
    for offset in 0..<bytes.count {
      let found = starts.contains(UInt64(offset), in: bytes.rawSpan)
      #expect(found == [40, 49, 53, 58, 67].contains(offset), "\(offset)")
    }
    #expect(starts.nextTarget(after: 67) == bytes.count)
  }
}
