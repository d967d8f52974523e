import ProgramSupport
import Testing

import FuseDB

struct `A hash of bytes that come in pieces` {
  @Test(arguments: [0, 1, 3, 8, 16, 17, 128, 129, 240, 241, 256, 1024, 5000, 100_000])
  func `is that of all at once`(byteCount: Int) throws {
    var random = SeededRandom.announced()
    let bytes = random.bytes(byteCount)
    for seed in [0, 1, 63, random.next()] {
      var hash = try RunningHash(seed: seed)
      var done = 0
      while done < byteCount {
        let next = min(byteCount, done + random.below(3) * random.below(600))
        hash.update(bytes.rawSpan.extracting(done..<next))
        done = next
      }
      #expect(hash.value == ReferenceTable.hash(bytes, seed: seed))
    }
  }
}
