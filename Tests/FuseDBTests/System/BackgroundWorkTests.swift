import Synchronization
import Testing

import FuseDB

struct `Background work` {
  @Test(arguments: [true, false]) func `gives its result once, with a thread or without`(isWorthThread: Bool) {
    let runs = Mutex(0)
    let works = (0..<20).map { number in
      BackgroundWork(isWorthThread: isWorthThread) {
        runs.withLock { $0 += 1 }
        return number * number
      }
    }
    #expect(works.map { $0.wait() } == (0..<20).map { $0 * $0 })
    #expect(runs.withLock { $0 } == 20)
  }
}
