import CMeasure
import Foundation

extension Runner {
  /// Reading fields and whole values, by key and from values found before.
  func measureValues(_ workload: ValueWorkload) throws {
    note("\(workload.keyCount) keys: building")
    let flatPath = folder + "/flat.fsdb"
    defer {
      for path in [path(.fuseDB), flatPath, path(.maxMind)] { try? FileManager.default.removeItem(atPath: path) }
    }
    let ours = try FuseDBValues(path(.fuseDB), flatPath: flatPath, workload)
    try values.writeMaxMind(path(.maxMind), workload)
    try values.open(path(.fuseDB), workload)
    let loops =
      try ours.loops(workload) + MaxMindDatabase(path(.maxMind)).loops(workload) + MsgpackTree().loops(workload)
      + values.loops()

    note("\(workload.keyCount) keys: comparing every answer")
    for loop in loops { try check(loop, workload) }

    note("\(workload.keyCount) keys: reading")
    let jobs = Start.allCases.flatMap { start in
      Wanted.allCases.map { wanted in
        (
          wanted.name(start),
          loops.filter { $0.wanted == wanted && $0.start == start }.map { timedLoop($0, workload) }
        )
      }
    }
    try measure(jobs, keyCount: workload.keyCount)
    try measureOverBytes(loops, workload)
    try countAllocations(loops, workload)
  }

  private func timedLoop(_ loop: ValueLoop, _ workload: ValueWorkload) -> TimedLoop {
    TimedLoop(subject: loop.subject, questionCount: workload.hits.count, run: loop.run) { outcome, range in
      let expected = workload.expected(loop.wanted, range)
      guard outcome.found == expected.found, outcome.sum == nil || outcome.sum == expected.sum else {
        throw WrongAnswer("\(loop.subject.rawValue): \(loop.name) found other values than there are")
      }
    }
  }

  /// Every answer by itself.
  private func check(_ loop: ValueLoop, _ workload: ValueWorkload) throws {
    guard let tally = loop.tally else { return }
    for i in 0..<workload.hits.count {
      guard try tally(i..<i + 1) == workload.expected(loop.wanted, i..<i + 1) else {
        throw WrongAnswer("\(loop.subject.rawValue): \(loop.name) is wrong for \(text(workload.hits[i]))")
      }
    }
  }

  /// What reading costs on top of finding the value.
  private func measureOverBytes(_ loops: [ValueLoop], _ workload: ValueWorkload) throws {
    note("\(workload.keyCount) keys: comparing with finding alone")
    let local = loops.compactMap { loop in
      loop.tally.flatMap { tally in loop.base.map { (loop: loop, tally: tally, base: $0) } }
    }
    let operations = 50_000
    var rounds = [[Double]](repeating: [], count: local.count)
    for round in 0..<plan.rounds {
      let start = round % (workload.hits.count / operations) * operations
      for i in turns(Array(local.indices), round) {
        rounds[i].append(
          try nanoseconds(
            start..<start + operations, of: { _ = try local[i].tally($0) }, over: { _ = try local[i].base($0) },
            isFirst: round.isMultiple(of: 2)))
      }
    }
    for (each, rounds) in zip(local, rounds) {
      add(
        workload.keyCount, each.loop.name + "-over-bytes", each.loop.subject, .nanoseconds, rounds,
        operations: operations)
    }
  }

  private func countAllocations(_ loops: [ValueLoop], _ workload: ValueWorkload) throws {
    let range = 0..<10_000
    for loop in loops where loop.start != .keySerially {
      guard let tally = loop.tally else { continue }
      let before = allocation_count()
      _ = try tally(range)
      let count = Double(allocation_count() - before) / Double(range.count)
      add(workload.keyCount, loop.name + "-allocations", loop.subject, .allocations, [count], operations: range.count)
    }
  }
}
