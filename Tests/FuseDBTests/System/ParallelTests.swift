import Synchronization
import Testing

import FuseDB

struct `Work in parts` {
  @Test(arguments: [0, 1, 2, 3, 100], [1, 2, 3, 8])
  func `is done once each, and its results come in order`(count: Int, threadCount: Int) {
    let runs = Mutex([Int](repeating: 0, count: count))
    var shares: [Double] = []
    let results = Parallel.map(count, threadCount: threadCount, onProgress: { shares.append($0) }) { number in
      runs.withLock { $0[number] += 1 }
      return number * number
    }
    #expect(results == (0..<count).map { $0 * $0 })
    #expect(runs.withLock { $0 } == [Int](repeating: 1, count: count))
    #expect(shares == shares.sorted())
    #expect(shares.allSatisfy { $0 > 0 && $0 <= 1 })
  }

  @Test(arguments: [0, 1, 3, 100], [1, 2, 8])
  func `begins while the caller does something of its own, and ends where that fails`(count: Int, threadCount: Int) {
    struct Failure: Error {}
    let runs = Mutex([Int](repeating: 0, count: count))
    var isDone = false
    let results = Parallel.map(count, threadCount: threadCount, while: { isDone = true }) { number in
      runs.withLock { $0[number] += 1 }
      return number * number
    }
    #expect(isDone && results == (0..<count).map { $0 * $0 })
    #expect(runs.withLock { $0 } == [Int](repeating: 1, count: count))
    #expect(throws: Failure.self) {
      _ = try Parallel.map(count, threadCount: threadCount, while: { () throws(Failure) in throw Failure() }) {
        number in
        runs.withLock { $0[number] += 1 }
      }
    }
    #expect(runs.withLock { $0.allSatisfy { $0 <= 2 } })
  }

  @Test func `finds one processor at least`() { #expect(Parallel.processorCount >= 1) }
}
