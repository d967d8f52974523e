import Synchronization
import Testing

import FuseDB

struct `A pool` {
  /// Which reader a thread gets, several times, while `count` threads live at once.
  private static func members(_ store: any Reloadable, threadCount: Int) -> [[ObjectIdentifier]] {
    let gate = MeetingPoint(threadCount)
    let end = MeetingPoint(threadCount)
    return onThreads(threadCount) { _ in
      gate.pass()
      var seen: [ObjectIdentifier] = []
      for _ in 0..<5 { seen.append(store.withReader { ObjectIdentifier($0) }) }
      seen.append(ObjectIdentifier(store.snapshot()))
      end.pass()
      return seen
    }
  }

  @Test(arguments: [(1, 4), (4, 4), (3, 8), (64, 3)])
  func `gives each thread a member of its own, always the same`(size: Int, threadCount: Int) throws {
    // Other tests have threads, too: only a pool that is larger than their numbers gives each a different one.
    let bench = try ServingBench(.pool, size: size)
    let members = Self.members(bench.store, threadCount: threadCount)
    #expect(members.allSatisfy { Set($0).count == 1 })
    let different = Set(members.flatMap { $0 }).count
    #expect(different <= min(size, threadCount))
    if size == 64 { #expect(different >= 2) }
    #expect(bench.mappingCount == size)
  }

  @Test func `has members in a row for threads that live at once`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      let bench = try ServingBench(.pool, size: 6)
      let members = Self.members(bench.store, threadCount: 5)
      // Numbers are used again: later threads get the same members.
      let later = Self.members(bench.store, threadCount: 5)
      let all = Set(members.flatMap { $0 })
      exit44(if: all.count >= 5 && Set(later.flatMap { $0 }).count >= 5 && members.allSatisfy { Set($0).count == 1 })
    }
  }

  @Test(arguments: [FuseAccess.Memory.mapped, .copied])
  func `replaces all members at once`(memory: FuseAccess.Memory) throws {
    let bench = try ServingBench(.pool, size: 4) { $0.access = FuseAccess(memory: memory) }
    let begin = MeetingPoint(5)
    let swapped = MeetingPoint(5)
    let store = bench.store
    let answers = BackgroundWork(isWorthThread: true) {
      onThreads(4) { _ in
        let before = try? ServingBench.say(store)
        begin.pass()
        swapped.pass()
        return [before, try? ServingBench.say(store), store.generation]
      }
    }
    begin.pass()
    try bench.put(ServingBench.file(2))
    try store.reload()
    swapped.pass()
    #expect(answers.wait() == [[Int?]](repeating: [1, 2, 2], count: 4))
    #expect(bench.mappingCount == (memory == .mapped ? 4 : 0))
  }

  @Test func `has as many readers as there are processors, unless it is told`() throws {
    let bench = try ServingBench()
    #expect(try FusePool(path: bench.path).size == Parallel.processorCount)
    #expect(try FusePool(path: bench.path, size: 7).size == 7)
  }

  @Test func `has one reader at least`() async {
    await #expect(processExitsWith: .failure) {
      let bench = try ServingBench()
      _ = try FusePool(path: bench.path, size: 0)
    }
  }

  @Test(arguments: ServingBench.Kind.allCases)
  func `and a reader are reloaded by many threads one after the other`(kind: ServingBench.Kind) throws {
    let bench = try ServingBench(kind)
    let store = bench.store
    let path = bench.path
    let failures = onThreads(6) { number in
      var failures = 0
      for _ in 0..<50 {
        do {
          switch number % 3 {
          case 0: try store.reload()
          case 1: try store.swap(to: path)
          default: try store.reloadIfChanged()
          }
        } catch { failures += 1 }
        if (try? ServingBench.say(store)) != 1 { failures += 1 }
      }
      return failures
    }
    #expect(failures == [Int](repeating: 0, count: 6))
    // Four threads have taken it fifty times, and each time was counted once.
    #expect((store.generation, store.counters.reloadCount) == (201, 200))
    #expect(bench.mappingCount == (kind == .pool ? 3 : 1))
  }
}
