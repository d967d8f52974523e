import Testing

import FuseDB

@testable import FuseDBWriting

struct `The sizes of a block's making` {
  @Test(arguments: [16 << 20, 64 << 20, 512 << 20, 8 << 30], [0, 1000, 10_000_000, 1_000_000_000])
  func `stay within the memory`(memory: Int, keyCount: Int) {
    for threadCount in [1, 2, 8] {
      let sizes = BlockSizes(keyCount: keyCount, memory: memory, threadCount: threadCount)
      // Two tables of records of 24 bytes, and lines of 64 bytes, by [X11]; 1,102 slots for every 992 pilots.
      let part = 5600 * (24 + 24) + 64 * (32 + 800)
      let isLeast = sizes.partsAtOnce == 4
      let sum =
        sizes.streamCount * sizes.chunkByteCount + sizes.keptByteCount
        + (isLeast ? 0 : threadCount * sizes.partsAtOnce * part)
      // Two streams into the file have blocks of 2 MiB.
      #expect(sum + 4 << 20 <= memory, "\(threadCount) threads")
      #expect(sizes.streamCount.nonzeroBitCount == 1 && sizes.chunkByteCount >= 4096)
    }
  }

  @Test(arguments: [16 << 20, 1 << 30], [10_000_000, 1_000_000_000])
  func `let no record be read many times`(memory: Int, keyCount: Int) {
    let sizes = BlockSizes(keyCount: keyCount, memory: memory, threadCount: 2)
    let keysAtOnce = sizes.partsAtOnce * HashSection.keysPerPart
    // The parts that share a stream, and one whose end is in the next.
    let timesRead = keyCount / sizes.streamCount / keysAtOnce + 2
    #expect(timesRead <= (memory > 1 << 29 ? 3 : keyCount / 2_000_000 + 2))
  }

  @Test(arguments: [-1, 0, 1, 5 << 20])
  func `are the smallest where there is no memory`(memory: Int) {
    let sizes = BlockSizes(keyCount: 1_000_000, memory: memory, threadCount: 0)
    #expect(sizes.streamCount == 128 && sizes.chunkByteCount == 4096 && sizes.keptByteCount == 0)
    #expect(sizes.partsAtOnce == 4 && sizes.threadCount == 1)
  }
}
