import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBFormat

struct `The balance of a footer [X5]` {
  @Test func `leads from any checksum to any other, whatever follows it`() {
    var random = SeededRandom.announced()
    for suffixByteCount in 0..<20 {
      for _ in 0..<20 {
        let prefix = random.bytes(random.below(50))
        let suffix = random.bytes(suffixByteCount)
        let start = ReferenceFile.bitwiseCRC(prefix)
        let end = random.element([0, .max, start, UInt32(truncatingIfNeeded: random.next())])
        let balance = Checksum.balance(from: start, to: end, before: suffix)
        #expect(balance.count == 4)
        #expect(ReferenceFile.bitwiseCRC(prefix + balance + suffix) == end)
      }
    }
  }

  @Test func `is the one that the equations of its bits give`() {
    var random = SeededRandom.announced()
    let magic = [UInt8](hex: "46534442 4558540a")
    for _ in 0..<50 {
      let (start, end) = (UInt32(truncatingIfNeeded: random.next()), UInt32(truncatingIfNeeded: random.next()))
      let balance = Checksum.balance(from: start, to: end, before: magic)
      #expect(balance.number(at: 0, 4) == UInt64(ReferenceBlock.balance(after: start, giving: end)))
    }
  }
}
