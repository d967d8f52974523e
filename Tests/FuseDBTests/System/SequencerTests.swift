import Synchronization
import Testing

import FuseDB

struct `Threads in a sequence` {
  @Test(arguments: [1, 2, 3, 8])
  func `go in the order of their numbers, also after a failure`(threadCount: Int) {
    let sequencer = Sequencer()
    let taken = Mutex<[Int]>([])
    let failures = Parallel.map(500, threadCount: threadCount) { number in
      let outcome = Result { () throws(FuseError) in
        try sequencer.run(number) { () throws(FuseError) in
          taken.withLock { $0.append(number) }
          if number % 7 == 0 { throw FuseError(.inputOutput, "no") }
        }
      }
      if case .failure = outcome { return true } else { return false }
    }
    #expect(taken.withLock { $0 } == Array(0..<500))
    #expect(failures == (0..<500).map { $0 % 7 == 0 })
  }
}
