import FuseDB
import FuseDBSystem
import ProgramSupport
import Testing

@testable import FuseDBStore

@Suite struct PieceDigestsTests {
  /// Digests of pieces of `bytes`, as a put makes them.
  private func digests(
    _ bytes: [UInt8], pieces: [Int], chunks: [[Int]], inPairs: Bool, threadCount: Int
  ) throws -> (whole: FuseStore.ObjectID, chunks: [FuseStore.ObjectID]) {
    let digests = try PieceDigests(inPairs: inPairs)
    var ids: [FuseStore.ObjectID] = []
    var (start, carried) = (0, 0)
    for (end, ends) in zip(pieces, chunks) {
      let piece = Piece(bytes: Array(bytes[(start - carried)..<end]), carried: carried, ends: ends)
      let count = try digests.begin(piece, threadCount: threadCount)
      let parts = Parallel.map(count, threadCount: threadCount) { part in
        (try? digests.work(on: piece, part: part, of: count)) ?? []
      }
      ids += digests.end(piece, parts)
      carried = piece.bytes.count - piece.chunksEnd
      start = end
    }
    return (try digests.take(), ids)
  }

  @Test(arguments: [1, 2, 3]) func `digests that are made in turns are those of libcrypto`(threadCount: Int) throws {
    var random = SeededRandom.announced()
    for round in 0..<150 {
      let bytes = random.bytes(1 + random.below(round < 100 ? 700 : 60_000))
      // Lengths on both sides of a block and of what is added to the last one.
      var (pieces, chunks): ([Int], [[Int]]) = ([], [])
      var (expected, start, chunk): ([FuseStore.ObjectID], Int, Int) = ([], 0, 0)
      while start < bytes.count {
        let end = min(bytes.count, start + 1 + random.below(300 + bytes.count / 3))
        let base = chunk
        var ends: [Int] = []
        while chunk < end {
          let size =
            random.below(3) == 0 ? random.element([1, 55, 56, 63, 64, 65, 119, 120, 128]) : 1 + random.below(400)
          let next = chunk + size
          // What is left is the next piece's, unless it is the last.
          guard next <= end || end == bytes.count else { break }
          expected.append(try FuseStore.id(of: Array(bytes[chunk..<min(next, end)])))
          chunk = min(next, end)
          ends.append(chunk - base)
        }
        pieces.append(end)
        chunks.append(ends)
        start = end
      }
      let whole = try FuseStore.id(of: bytes)
      for inPairs in [true, false] {
        let made = try digests(bytes, pieces: pieces, chunks: chunks, inPairs: inPairs, threadCount: threadCount)
        #expect(made.whole == whole && made.chunks == expected, "\(bytes.count) bytes in pieces to \(pieces)")
      }
    }
  }

  @Test func `every length below three blocks has its digest`() throws {
    let bytes = noise(192, seed: 7)
    for count in 1...192 {
      let part = Array(bytes.prefix(count))
      let made = try digests(part, pieces: [count], chunks: [[count]], inPairs: true, threadCount: 1)
      let expected = try FuseStore.id(of: part)
      #expect(made.whole == expected && made.chunks == [expected])
    }
  }
}
