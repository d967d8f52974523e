import Foundation

extension Runner {
  /// Every subject builds its file, and `fusedb build` one more, of a table; they take turns.
  func measureBuild(_ workload: Workload) throws {
    note("\(workload.keyCount) keys: building")
    let table = folder + "/table.tsv"
    let ofTable = folder + "/table.fsdb"
    try workload.writeTable(to: table)
    var times: [Subject: [Double]] = [:]
    var runs: [FuseDBCommand.Run] = []
    // Both readers of FuseDB have the same file.
    let builders = peers.filter { $0.subject != .fuseDBSkipped }
    var all: [() throws -> Void] = builders.map { peer in
      { times[peer.subject, default: []].append(try peer.build(workload, at: self.path(peer.subject))) }
    }
    all.append { runs.append(try self.command.build(ofTable, of: table)) }
    for round in 0..<plan.rounds(keyCount: workload.keyCount, plan.buildRounds) {
      for build in turns(all, round) { try build() }
    }
    try requireSame(ofTable, "fusedb build")
    for peer in builders {
      add(workload, "build", peer.subject, .milliseconds, (times[peer.subject] ?? []).map { $0 / 1e6 }, operations: 1)
      let size = try FileManager.default.attributesOfItem(atPath: path(peer.subject))[.size] as? NSNumber
      add(workload, "size", peer.subject, .megabytes, [(size?.doubleValue ?? 0) / 1e6], operations: 1)
    }
    add(workload, "build-table", runs)
    for path in [table, ofTable] { try FileManager.default.removeItem(atPath: path) }
  }

  /// The same keys and objects give the same bytes, whoever builds of what.
  func requireSame(_ path: String, _ maker: String) throws {
    guard FileManager.default.contentsEqual(atPath: path, andPath: self.path(.fuseDB)) else {
      throw WrongAnswer("'\(maker)' made another file than the library did of the same keys and objects")
    }
  }

  /// The time and the memory of the command's processes.
  func add(_ workload: Workload, _ what: String, _ runs: [FuseDBCommand.Run]) {
    add(workload, what, .fuseDB, .milliseconds, runs.map { $0.nanoseconds / 1e6 }, operations: 1)
    add(workload, what + "-memory", .fuseDB, .megabytes, runs.map { Double($0.bytes) / 1e6 }, operations: 1)
  }
}
