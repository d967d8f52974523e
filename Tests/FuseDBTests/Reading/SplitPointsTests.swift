import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading

struct `Split points` {
  /// Two thousand keys of different lengths under four hundred objects.
  private static let file: ReferenceFile = {
    let objects = (0..<400).map { [0x92, 0xCD, UInt8($0 >> 8), UInt8($0 & 0xFF)] + [0x01] }
    let keys = (0..<2000).map { Key("\($0 * 7919 % 100_003).example.org") }.sorted()
    return ReferenceFile(
      objects: objects, keys: keys.enumerated().map { ($1.bytes, $0 * 37 % 400) })
  }()

  private static func points(_ bytes: [UInt8], partByteCount: Int) -> SplitPoints {
    let indexOffset = Int(file.indexOffset)
    return SplitPoints(
      data: 40..<indexOffset, index: indexOffset..<bytes.count, of: bytes.rawSpan, partByteCount: partByteCount)
  }

  @Test func `of a sound file are entries and records, about as many as parts are wanted`() {
    let points = Self.points(Self.file.bytes, partByteCount: 1000)
    let entries = Set(Self.file.entries.map(\.offset))
    #expect(points.entries.allSatisfy { entries.contains($0) })
    #expect(points.entries.count >= 9 * (Self.file.bytes.count - Int(Self.file.indexOffset)) / 10_000)
    #expect(points.records.allSatisfy { ($0 - 40).isMultiple(of: 13) })
    // A record is taken when a key near one of the places looked at points there, so not each part gets its own.
    #expect(points.records.count >= 3)
    for list in [points.entries, points.records] { #expect(zip(list, list.dropFirst()).allSatisfy { $0 < $1 }) }
  }

  @Test(arguments: [1, 100, 5000]) func `of any bytes ascend, and stay inside their section`(partByteCount: Int) {
    var random = SeededRandom.announced()
    var bytes = Self.file.bytes
    for _ in 0..<2000 { bytes[40 + random.below(bytes.count - 40)] = random.element([0, 0, 1, 0x61, 0xFF]) }
    let points = Self.points(bytes, partByteCount: partByteCount)
    let indexOffset = Int(Self.file.indexOffset)
    #expect(points.records.first == 40)
    #expect(points.entries.first == indexOffset)
    #expect(points.records.allSatisfy { (40..<indexOffset).contains($0) })
    #expect(points.entries.allSatisfy { (indexOffset..<bytes.count).contains($0) })
    for list in [points.entries, points.records] { #expect(zip(list, list.dropFirst()).allSatisfy { $0 < $1 }) }
  }

  @Test func `of empty sections are their beginnings`() {
    let bytes = WorkedExamples.noKeys
    let points = SplitPoints(data: 40..<40, index: 40..<40, of: bytes.rawSpan, partByteCount: 1)
    #expect(points.records == [40])
    #expect(points.entries == [40])
  }
}
