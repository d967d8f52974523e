import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBWriting

struct `Records by their hashes` {
  private static func list(_ record: HashRecord) -> [UInt64] { [record.hash, record.entry, record.object] }

  @Test(arguments: [1, 2, 64], [0, 1 << 20])
  func `come back whole, by range`(streamCount: Int, memory: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let buffer = try ZeroedMemory(byteCount: 100)
    for isNarrow in [true, false] {
      let spill = Spill(in: folder.path, memory: memory, chunkByteCount: 100)
      let records = HashRecords(spill, streamCount: streamCount, isNarrow: isNarrow)
      let most: UInt64 = isNarrow ? 0xFFFF_FFFF : .max
      var expected = (0..<1000).map { _ in [random.next(), random.next() & most, random.next() & most] }
      expected += [[0, 0, 0], [.max, most, most]]
      for record in expected {
        try records.add(HashRecord(hash: record[0], entry: record[1], object: record[2]))
      }
      let contents = records.finish()
      #expect((spill.spilledByteCount > 0) == (memory == 0))
      for range in [0...UInt64.max, 0...0, .max ... .max]
        + (0..<20).map({ _ in
          let bounds = [random.next(), random.next()].sorted()
          return bounds[0]...bounds[1]
        })
      {
        var found: Set<[UInt64]> = []
        try contents.forEach(in: range, buffer: buffer) { record throws(FuseError) in found.insert(Self.list(record)) }
        #expect(found.isSubset(of: expected))
        #expect(found.isSuperset(of: expected.filter { range.contains($0[0]) }))
      }
    }
  }

  @Test func `that are narrow take no larger offset`() async {
    await #expect(processExitsWith: .failure) {
      let spill = Spill(in: ".", memory: 0, chunkByteCount: 100)
      let records = HashRecords(spill, streamCount: 1, isNarrow: true)
      try records.add(HashRecord(hash: 1, entry: 1 << 32, object: 0))
    }
  }
}
