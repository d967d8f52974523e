import ProgramSupport
import Testing

@testable import FuseDBSystem

struct `Sorted records` {
  /// How many; bytes of memory; from how many threads they come.
  @Test(arguments: [
    (0, 1 << 20, 1), (1, 1 << 20, 1), (5_000, 1 << 20, 1), (1_024, 0, 1), (1_025, 0, 1), (60_000, 0, 1), (30_000, 0, 3),
    (3_000, 1 << 20, 3), (3_000, 20_000, 2),
  ])
  func `come in ascending order, however many fit into the memory`(count: Int, memory: Int, stores: Int) throws {
    let folder = try TemporaryFolder()
    let spill = Spill(in: folder.path, memory: 0, chunkByteCount: 100)
    var random = SeededRandom.announced()
    let all = (0..<stores).map { _ in SortedRecords<UInt64>(spill, memory: memory) }
    var expected: [UInt64] = []
    for number in 0..<count {
      let record = UInt64.random(in: 0..<UInt64(1 + count / 2), using: &random)
      expected.append(record)
      try all[number % stores].add(record)
    }
    for other in all.dropFirst() { try all[0].take(other) }
    var found: [UInt64] = []
    try all[0].forEach { record in found.append(record) }
    #expect(found == expected.sorted())
    for other in all.dropFirst() { try other.forEach { _ in Issue.record("these were taken over") } }
  }
}
