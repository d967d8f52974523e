import Foundation
import FuseDB

/// Measures all subjects beside each other: in every round each of them has its turn, so that what disturbs the machine
/// meets all of them.
final class Runner {
  static let jobs: [Job] = [.hit, .miss, .batch(16), .batch(64), .twoThreads, .prefix, .scan]

  let plan: Plan
  /// Where the databases are built.
  let folder: String
  private let python: String
  let peers: [any Peer]
  let command: FuseDBCommand
  let wheel: WheelPeer
  let values: PythonValues
  private var rows: [Row] = []

  /// Takes the command `fusedb` and a Python that has the wheel; both scripts lie in the current folder.
  init(_ plan: Plan, folder: String, python: String, command: String) throws {
    self.plan = plan
    self.folder = folder
    self.python = python
    self.command = try FuseDBCommand(command, python: python, script: "run.py")
    wheel = try WheelPeer(python: python, script: "wheel.py", folder: folder)
    values = try PythonValues(python: python, script: "values.py", folder: folder)
    peers = [
      FuseDBPeer(checksums: .verified), FuseDBPeer(checksums: .skipped), TinyCDBPeer(), LMDBPeer(), SQLitePeer(), wheel,
    ]
  }

  func run() throws -> Results {
    let watch = try QuietWatch()
    for keyCount in plan.sizes { try measure(keyCount) }
    let quiet = try watch.end(rows)
    let versions =
      try plan.kind == .values
      ? values.versions().merging(Circumstances.valueVersions) { $1 }
      : wheel.versions().merging(Circumstances.storeVersions) { $1 }
    var circumstances = try Circumstances.here(plan, versions: versions)
    circumstances.quiet = quiet
    return Results(circumstances: circumstances, rows: rows, instructions: try countInstructions())
  }

  /// After all times: valgrind is busy for half a minute.
  private func countInstructions() throws -> InstructionCounts? {
    guard plan.kind == .all else { return nil }
    guard FileManager.default.fileExists(atPath: "../.build/dependent/release/Instructions") else {
      note("instructions are not counted: 'Scripts/test-dependent --instructions' makes the program that is counted")
      return nil
    }
    note("counting instructions")
    return try InstructionCounts.here(
      python: python, script: "../Scripts/count-instructions", output: folder + "/instructions.json")
  }

  private func measure(_ keyCount: Int) throws {
    note("\(keyCount) keys: making them")
    let questionCount = plan.questionCount(keyCount: keyCount)
    guard plan.kind != .values else {
      return try measureValues(ValueWorkload(keyCount: keyCount, questionCount: questionCount))
    }
    let workload = Workload(keyCount: keyCount, questionCount: questionCount)
    defer { for peer in peers { try? FileManager.default.removeItem(atPath: path(peer.subject)) } }
    guard plan.kind != .serving else { return try measureServing(workload) }
    try wheel.hand(over: workload)
    try measureBuild(workload)
    try measureMerge(workload)
    if plan.kind == .all {
      try measureOpen(workload)
      try measureVerify(workload)
      try measureJobs(workload)
      // The last, for the system keeps the files in smaller pages afterwards.
      try measureCold(workload)
    }
  }

  private func measureOpen(_ workload: Workload) throws {
    note("\(workload.keyCount) keys: opening")
    var times: [Subject: [Double]] = [:]
    var memory: [Subject: [Double]] = [:]
    for round in 0...plan.rounds(keyCount: workload.keyCount, plan.rounds) {
      for peer in turns(peers, round) {
        let bytes = try peer.measureMemory(path(peer.subject), workload)
        var opened: [Double] = []
        // Quick ones are repeated: one of a few microseconds is all disturbance.
        while opened.isEmpty || (opened.count < 20 && opened.reduce(0, +) < plan.budget / 10) {
          opened.append(try peer.measureOpen(path(peer.subject), workload))
        }
        guard round > 0 else { continue }
        times[peer.subject, default: []].append(opened.median / 1e6)
        memory[peer.subject, default: []].append(Double(bytes) / 1e6)
      }
    }
    for peer in peers {
      add(workload, "open", peer.subject, .milliseconds, times[peer.subject] ?? [], operations: 1)
      add(workload, "heap at open", peer.subject, .megabytes, memory[peer.subject] ?? [], operations: 1)
    }
  }

  private func measureVerify(_ workload: Workload) throws {
    note("\(workload.keyCount) keys: verifying")
    var times: [Subject: [Double]] = [:]
    for round in 0...plan.rounds(keyCount: workload.keyCount, plan.rounds) {
      for peer in turns(peers, round) {
        guard let time = try peer.verify(path(peer.subject)), round > 0 else { continue }
        times[peer.subject, default: []].append(time / 1e6)
      }
    }
    for peer in peers {
      add(workload, "verify", peer.subject, .milliseconds, times[peer.subject] ?? [], operations: 1)
    }
  }

  private func measureJobs(_ workload: Workload) throws {
    var databases: [(subject: Subject, database: any Database)] = []
    for peer in peers { databases.append((peer.subject, try peer.open(path(peer.subject), workload))) }
    databases.append((.cReader, try CReaderDatabase(path(.fuseDB), checks: true)))
    databases.append((.cReaderSkipped, try CReaderDatabase(path(.fuseDB), checks: false)))
    databases.append((.floor, try Floor(path(.fuseDB), tablePath: folder + "/floor", workload)))
    try measure(Self.jobs, of: databases, workload)
    // Some are a way in of their own, and would keep themselves and their files open.
    for (_, database) in databases { (database as? any LocalDatabase)?.other = nil }
  }

  /// All databases do all jobs; they take turns.
  func measure(_ jobs: [Job], of databases: [(subject: Subject, database: any Database)], _ workload: Workload) throws {
    note("\(workload.keyCount) keys: comparing every answer")
    for (_, database) in databases { try database.check(workload) }
    let answers = ExpectedAnswers(workload)

    note("\(workload.keyCount) keys: looking up")
    let loops = jobs.map { job in
      databases.map { subject, database in
        TimedLoop(
          subject: subject, piece: job.piece, questionCount: workload.questionCount(job),
          run: { try database.run(job, $0, workload) }, compare: { try answers.compare($0, job, $1, subject) })
      }
    }
    try measure(zip(jobs.map(\.name), loops), keyCount: workload.keyCount)
  }

  /// Runs the loops of every job; those of one job take turns.
  func measure(_ jobs: some Sequence<(String, [TimedLoop])>, keyCount: Int) throws {
    let turnsOf = try jobs.map { name, loops in
      (name, try loops.compactMap { try Turns(of: $0, budget: plan.budget) })
    }
    for round in 0...plan.rounds(keyCount: keyCount, plan.rounds) {
      for (_, all) in turnsOf {
        for each in turns(all, round) { try each.take(round) }
      }
    }
    for (name, all) in turnsOf {
      for each in all {
        add(keyCount, name, each.subject, .nanoseconds, each.times, operations: each.operationCount)
      }
    }
  }

  /// In another order each round: who comes first, and so after whom each comes.
  func turns<T>(_ all: [T], _ round: Int) -> [T] {
    guard !all.isEmpty else { return [] }
    let start = round % all.count
    return Array(all[start...] + all[..<start])
  }

  func path(_ subject: Subject) -> String {
    switch subject {
    case .fuseDB, .fuseDBSkipped, .reloadable, .counting, .pool, .snapshots, .msgpackC, .pythonMsgpack, .cReader,
      .cReaderSkipped:
      folder + "/ours.fsdb"
    case .tinyCDB: folder + "/tinycdb.cdb"
    case .lmdb: folder + "/lmdb.mdb"
    case .sqlite: folder + "/sqlite.db"
    case .maxMind, .maxMindPaths: folder + "/networks.mmdb"
    case .wheel: folder + "/wheel.fsdb"
    case .floor: folder + "/floor"
    }
  }

  func add(
    _ workload: Workload, _ what: String, _ who: Subject, _ unit: Unit, _ rounds: [Double], operations: Int
  ) {
    add(workload.keyCount, what, who, unit, rounds, operations: operations)
  }

  func add(_ keyCount: Int, _ what: String, _ who: Subject, _ unit: Unit, _ rounds: [Double], operations: Int) {
    guard !rounds.isEmpty else { return }
    // Rounded here already, so that a table made from the raw results later is the same.
    let rounds = rounds.map(\.fiveDigits)
    rows.append(Row(keys: keyCount, what: what, who: who, unit: unit, operations: operations, rounds: rounds))
  }

  func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
