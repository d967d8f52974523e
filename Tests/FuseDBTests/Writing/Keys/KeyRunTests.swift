import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading
@testable import FuseDBSystem
@testable import FuseDBWriting

struct `Keys that are sorted to be merged` {
  /// An addition of a key.
  struct Addition: Equatable, Comparable {
    var key: [UInt8]
    var position: UInt64
    var object: UInt64

    /// By the letter of [I4], and equal keys by their positions.
    static func < (left: Addition, right: Addition) -> Bool {
      left.key == right.key ? left.position < right.position : left.key.lexicographicallyPrecedes(right.key)
    }
  }

  /// Keys that share beginnings of all lengths around eight bytes, with zeros where a shorter one ends.
  private static func additions(_ count: Int, _ random: inout SeededRandom) -> [Addition] {
    let stems = (0..<8).map { _ in random.bytes(random.below(40)) } + [[], [0], [0, 0, 0, 0, 0, 0, 0, 0]]
    return (0..<count).map { number in
      let tail = (0..<random.below(12)).map { _ in random.element([0, 0, 0x61, 0xFF]) as UInt8 }
      return Addition(
        key: random.element(stems) + tail, position: UInt64(number), object: random.next())
    }
  }

  private static func buffer(_ additions: some Sequence<Addition>, byteCount: Int = 1 << 20) throws -> KeyBuffer {
    let buffer = try KeyBuffer(byteCount: byteCount)
    for addition in additions {
      let isTaken = buffer.append(
        addition.key.rawSpan, object: ObjectNumber(rawValue: addition.object), position: addition.position)
      try #require(isTaken)
    }
    return buffer
  }

  private static func contents(of tree: consuming LoserTree<SortedRunsCursor>) throws -> [Addition] {
    var all: [Addition] = []
    while true {
      let head = tree.head
      if head.isAtEnd { return all }
      all.append(Addition(key: head.keyBytes.array(), position: head.position, object: head.object.rawValue))
      try tree.advance()
    }
  }

  private static func contents(of runs: [KeyRun], windowByteCount: Int = 4096) throws -> [Addition] {
    try contents(of: runs.map { SortedRuns(parts: [$0]) }, windowByteCount: windowByteCount)
  }

  private static func contents(of sortedRuns: [SortedRuns], windowByteCount: Int = 4096) throws -> [Addition] {
    try contents(of: LoserTree(sortedRuns.map { try SortedRunsCursor($0, windowByteCount: windowByteCount) }))
  }

  @Test(arguments: [0, 1, 2, 11, 12, 13, 100, 5000])
  func `come out in order, in memory and from a file [I4]`(count: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let file = try TemporaryFile(in: folder.path(""))
    for _ in 0..<3 {
      let additions = Self.additions(count, &random)
      let buffer = try Self.buffer(additions)
      buffer.sort()
      let spilled = try buffer.spill(to: file)
      let expected = additions.sorted()
      #expect(try Self.contents(of: [.memory(.init(buffer: buffer))]) == expected)
      #expect(try Self.contents(of: [spilled]) == expected)
      #expect(spilled.keyCount == count)
      #expect(spilled.keyByteCount == additions.reduce(0) { $0 + $1.key.count })
    }
  }

  @Test func `of orders that are bad for a quicksort come out in order too`() throws {
    let ascending = (0..<20_000).map { Addition(key: ReferenceFile.big($0, 4), position: UInt64($0), object: 0) }
    let equal = (0..<20_000).map { Addition(key: [1, 2, 3], position: UInt64($0), object: 0) }
    let organ = ascending.filter { $0.position % 2 == 0 } + ascending.reversed().filter { $0.position % 2 == 1 }
    // Each key is the beginning of the next.
    let nested = (0..<600).map { Addition(key: [UInt8](repeating: 0x61, count: $0), position: UInt64($0), object: 0) }
    // At each byte one key leaves the others.
    let comb = (0..<1000).map { number in
      Addition(key: [UInt8](repeating: 0x61, count: number) + [0x62], position: UInt64(number), object: 0)
    }
    for additions in [ascending, ascending.reversed(), equal, organ, nested, nested.reversed(), comb, comb.reversed()] {
      let buffer = try Self.buffer(additions, byteCount: 4 << 20)
      buffer.sort()
      let isSorted = try Self.contents(of: [.memory(.init(buffer: buffer))]) == additions.sorted()
      #expect(isSorted)
    }
  }

  /// Bytes of which some bits vary, and not side by side: of these the digits are made by which many keys are sorted.
  @Test(arguments: [
    [0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39], [0x00, 0x80], [0x00, 0x01], [0x00, 0x55, 0xAA, 0xFF],
    [0x41, 0xC1, 0x43],
    Array(0...255),
  ])
  func `come out in order whatever bits they differ in`(alphabet: [UInt8]) throws {
    var random = SeededRandom.announced()
    for (count, length) in [(255, 9), (256, 9), (257, 3), (3000, 1), (3000, 8), (3000, 16), (3000, 17)] {
      let stem = random.bytes(random.below(20))
      let additions = (0..<count).map { number in
        let byteCount = random.below(10) == 0 ? random.below(length) : length
        let key = stem + (0..<byteCount).map { _ in random.element(alphabet) as UInt8 }
        return Addition(key: key, position: UInt64(number), object: random.next())
      }
      let buffer = try Self.buffer(additions)
      buffer.sort()
      #expect(try Self.contents(of: [.memory(.init(buffer: buffer))]) == additions.sorted())
    }
  }

  @Test func `of the greatest length fit a buffer of the least size, and a window that grows`() throws {
    let folder = try TemporaryFolder()
    let file = try TemporaryFile(in: folder.path(""))
    var runs: [KeyRun] = []
    var all: [Addition] = []
    for number in 0..<4 {
      let key = [UInt8](repeating: UInt8(9 - number), count: FormatLimits.keyByteCount)
      let addition = Addition(key: key, position: UInt64(number), object: 7)
      let buffer = try Self.buffer([addition], byteCount: KeyBuffer.leastByteCount)
      let empty: [UInt8] = []
      let takesMore = buffer.append(empty.rawSpan, object: ObjectNumber(rawValue: 0), position: 0)
      #expect(!takesMore)
      all.append(addition)
      runs.append(try buffer.spill(to: file))
    }
    let isEqual = try Self.contents(of: runs, windowByteCount: 0) == all.sorted()
    #expect(isEqual)
  }

  @Test(arguments: [1, 2, 3, 7, 40])
  func `of several runs come out in one order, whatever passes it takes`(runCount: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let file = try TemporaryFile(in: folder.path(""))
    let additions = Self.additions(3000, &random)
    var parts = [[Addition]](repeating: [], count: runCount)
    for addition in additions { parts[random.below(runCount)].append(addition) }
    var runs: [KeyRun] = []
    for (number, part) in parts.enumerated() {
      let buffer = try Self.buffer(part)
      buffer.sort()
      if number == 1 {
        runs.append(.memory(.init(buffer: buffer)))
      } else {
        runs.append(try buffer.spill(to: file))
      }
    }
    let expected = additions.sorted()
    #expect(try Self.contents(of: runs) == expected)
    for fanIn in [2, 3, 16] {
      let merged = try runs.map { SortedRuns(parts: [$0]) }.merged(fanIn: fanIn, windowByteCount: 4096, to: file)
      #expect(merged.fileCount <= fanIn)
      #expect(merged.reduce(0) { $0 + $1.keyCount } == 3000)
      #expect(try Self.contents(of: merged) == expected)
    }
  }

  @Test(arguments: [FuseWriter.DuplicatePolicy.last, .first])
  func `come once, with the addition that counts`(policy: FuseWriter.DuplicatePolicy) throws {
    var random = SeededRandom.announced()
    for batchRows in [1, 3, 4096] {
      let additions = (0..<500).map { number in
        Addition(key: [UInt8(random.below(100))], position: UInt64(number), object: UInt64(number))
      }
      let runs = try (0..<3).map { part in
        let buffer = try Self.buffer(additions.filter { $0.position % 3 == part })
        buffer.sort()
        return KeyRun.memory(.init(buffer: buffer))
      }
      var merge = try KeyMerge(
        runs.map { try SortedRunsCursor(SortedRuns(parts: [$0]), windowByteCount: 0) }, policy: policy, conflicts: nil)
      var found: [Addition] = []
      var goesOn = true
      while goesOn {
        let batch = try KeyBatch(mostRows: batchRows)
        goesOn = try merge.fill(batch)
        for number in batch.rows.indices {
          let row = batch.rows[number]
          found.append(
            Addition(key: batch.withKey(of: row) { $0.array() }, position: row.position, object: row.object.rawValue))
        }
      }
      let groups = Dictionary(grouping: additions, by: \.key).values
      let expected = groups.map { policy == .last ? $0.max()! : $0.min()! }.sorted()
      #expect(found == expected)
      #expect(merge.duplicateCount == 500 - groups.count)
      #expect(merge.duplicates.count == 5)
      for duplicate in merge.duplicates {
        #expect(policy == .last ? duplicate.kept > duplicate.dropped : duplicate.kept < duplicate.dropped)
        #expect(additions[Int(duplicate.kept)].key == duplicate.key)
        #expect(additions[Int(duplicate.dropped)].key == duplicate.key)
      }
    }
  }
}
