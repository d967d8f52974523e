import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBSystem

struct `Streams that spill` {
  /// How much may stay in memory: nothing, some chunks, all.
  static let allowances = [0, 100, 1 << 20]

  private struct Record: BitwiseCopyable, Equatable {
    var number: UInt64
    var place: UInt32
  }

  private static func bytes(_ stream: SpillStream) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var reader = SpillReader(stream)
    try reader.forEachChunk { chunk throws(FuseError) in bytes += chunk.array() }
    return bytes
  }

  @Test(arguments: allowances, [1, 7, 64, 4096])
  func `give back what was appended, however it is cut and read`(allowance: Int, chunkByteCount: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let spill = Spill(in: folder.path, memory: allowance, chunkByteCount: chunkByteCount)
    let streams = (0..<5).map { _ in SpillStream(spill) }
    var expected = [[UInt8]](repeating: [], count: 5)
    for _ in 0..<200 {
      let number = random.below(4)
      let part = random.bytes(random.below(4) == 0 ? random.below(300) : random.below(5))
      try streams[number].append(part.rawSpan)
      expected[number] += part
      #expect(streams[number].byteCount == expected[number].count)
    }
    for stream in streams { stream.finish() }
    for (stream, expected) in zip(streams, expected) {
      #expect(stream.byteCount == expected.count)
      // Twice: readers don't use a stream up.
      #expect(try Self.bytes(stream) == expected)
      var found: [UInt8] = []
      var reader = SpillReader(stream)
      while found.count < expected.count {
        let count = min(expected.count - found.count, 1 + random.below(40))
        found += try reader.withNext(count) { bytes throws(FuseError) in bytes.array() }
      }
      #expect(found == expected)
      #expect(try reader.isAtEnd())
    }
    // All chunks but each stream's last were full and put away.
    let fullCount = expected.reduce(0) { $0 + max(0, ($1.count + chunkByteCount - 1) / chunkByteCount - 1) }
    #expect(spill.spilledByteCount == max(0, fullCount - allowance / chunkByteCount) * chunkByteCount)
    // Nobody sees the temporary file.
    #expect(try folder.names == [])
  }

  @Test(arguments: allowances, [12, 40, 1000])
  func `keep records whole`(allowance: Int, chunkByteCount: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let spill = Spill(in: folder.path, memory: allowance, chunkByteCount: chunkByteCount)
    let streams = (0..<3).map { _ in SpillStream(spill, recordByteCount: MemoryLayout<Record>.size) }
    var expected = [[Record]](repeating: [], count: 3)
    for place in 0..<500 {
      let number = random.below(3)
      let record = Record(number: random.next(), place: UInt32(place))
      try streams[number].append(record: record)
      expected[number].append(record)
    }
    for (stream, expected) in zip(streams, expected) {
      stream.finish()
      var found: [Record] = []
      var reader = SpillReader(stream)
      while let record = try reader.next(as: Record.self) { found.append(record) }
      #expect(found == expected)
    }
  }

  @Test func `keep as many chunks in memory as they may, and give them back`() throws {
    let folder = try TemporaryFolder()
    let spill = Spill(in: folder.path, memory: 50, chunkByteCount: 10)
    let stream = SpillStream(spill)
    for round in 1...3 {
      try stream.append([UInt8](repeating: 7, count: 100).rawSpan)
      stream.finish()
      // Ten chunks, of which five stay, and the last is that being filled.
      #expect(spill.spilledByteCount == 40 * round)
      #expect(try Self.bytes(stream) == [UInt8](repeating: 7, count: 100))
      stream.removeAll()
      #expect(stream.byteCount == 0)
      #expect(try Self.bytes(stream) == [])
    }
    #expect(spill.allowance.reserve(50))
    #expect(!spill.allowance.reserve(1))
  }

  @Test func `are written and read by many threads at the same time`() throws {
    let folder = try TemporaryFolder()
    let spill = Spill(in: folder.path, memory: 5000, chunkByteCount: 64)
    let written = Parallel.map(8, threadCount: 4) { number in
      Result { () throws(FuseError) in
        let stream = SpillStream(spill, recordByteCount: 8)
        for place in 0..<2000 { try stream.append(record: UInt64(place * 8 + number)) }
        stream.finish()
        return stream.contents
      }
    }
    let contents = try written.map { try $0.get() }
    let sound = Parallel.map(16, threadCount: 4) { number in
      Result { () throws(FuseError) in
        var reader = SpillReader(contents[number % 8])
        for place in 0..<2000 where try reader.next(as: UInt64.self) != UInt64(place * 8 + number % 8) { return false }
        return try reader.next(as: UInt64.self) == nil
      }
    }
    for isSound in sound { #expect(try isSound.get()) }
  }

  @Test func `name the folder in which no temporary file can be made`() throws {
    let folder = try TemporaryFolder()
    let spill = Spill(in: folder.path("nowhere"), memory: 0, chunkByteCount: 4)
    let stream = SpillStream(spill)
    let error = failure { try stream.append([UInt8](repeating: 1, count: 9).rawSpan) }
    #expect(error?.code == .inputOutput)
    #expect(error?.path == folder.path("nowhere"))
  }
}
