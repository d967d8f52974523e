import ProgramSupport
import Testing

import FuseDB

struct `A row of the order section` {
  @Test(arguments: [(0, 0), (1, 1), (31, 1), (32, 1), (33, 2), (64, 2), (65, 3), (4_294_967_295, 134_217_728)])
  func `stands for thirty-two keys, the last for what is left [X12]`(keyCount: Int, rows: Int) {
    #expect(StrideRow.count(keyCount: keyCount) == rows)
  }

  @Test func `has the checksum of its number and its bytes`() {
    var random = SeededRandom.announced()
    for number in [0, 1, 255, 256, 134_217_727, 1 << 40] {
      let bytes = random.bytes(random.below(2000))
      let checksum = StrideRow.checksum(of: bytes.rawSpan, number: number)
      #expect(checksum == ReferenceFile.bitwiseCRC(ReferenceFile.big(number, 8) + bytes))
    }
  }
}
