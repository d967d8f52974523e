import FuseDB

extension Runner {
  private static let servingJobs: [Job] = [.hit, .miss, .twoThreads, .swaps(threads: 1), .swaps(threads: 2)]

  /// Look-ups through what can be swapped, beside those in a plain reader of the same file.
  func measureServing(_ workload: Workload) throws {
    let path = path(.fuseDB)
    _ = try FuseDBPeer(checksums: .verified).build(workload, at: path)
    var options = ServingOptions()
    // What swaps cost depends on the file's length, unless its pages are brought in by the swapping thread.
    options.rules.check = nil
    options.access = FuseAccess(prefault: .atOpen)
    let store = try ReloadableReader(path: path, options: options)
    // The same mapping: of two mappings of one file, one may get larger pages than the other.
    let reader = store.snapshot()
    let pool = try FusePool(path: path, size: 2, options: options)
    options.countsLookups = true
    let databases: [(subject: Subject, database: any LocalDatabase)] = [
      (.fuseDB, FuseDBDatabase(reader)), (.reloadable, ServedDatabase(store)),
      (.counting, ServedDatabase(try ReloadableReader(path: path, options: options))), (.pool, ServedDatabase(pool)),
      (.snapshots, ServedDatabase(snapshotsOf: store)),
    ]
    try measure(Self.servingJobs, of: databases.map { ($0, $1) }, workload)

    note("\(workload.keyCount) keys: comparing with a plain reader")
    for (subject, database) in databases.dropFirst() {
      let rounds = try (0..<plan.rounds).map { round in
        try nanoseconds(
          0..<workload.hits.count, of: { _ = try database.tally(workload.hits, $0) },
          over: { _ = try databases[0].database.tally(workload.hits, $0) }, isFirst: round.isMultiple(of: 2))
      }
      add(workload, "get-hit-over-plain", subject, .nanoseconds, rounds, operations: workload.hits.count)
    }
  }
}
