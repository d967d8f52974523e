import Foundation

extension Runner {
  private static let partCount = 10

  /// `fusedb merge` and the merge of the wheel make one file of ten with a tenth of the keys each; they take turns.
  func measureMerge(_ workload: Workload) throws {
    note("\(workload.keyCount) keys: merging")
    let parts = (0..<Self.partCount).map { "\(folder)/part-\($0).fsdb" }
    let merged = folder + "/merged.fsdb"
    let mergedByWheel = folder + "/merged-by-wheel.fsdb"
    try FuseDBPeer.buildParts(of: workload, at: parts)
    var runs: [FuseDBCommand.Run] = []
    var wheelTimes: [Double] = []
    let all: [() throws -> Void] = [
      { runs.append(try self.command.merge(merged, of: parts)) },
      { wheelTimes.append(try self.wheel.merge(mergedByWheel, of: parts)) },
    ]
    for round in 0..<plan.rounds(keyCount: workload.keyCount, plan.buildRounds) {
      for merge in turns(all, round) { try merge() }
    }
    try requireSame(merged, "fusedb merge")
    add(workload, "merge", runs)
    add(workload, "merge", .wheel, .milliseconds, wheelTimes.map { $0 / 1e6 }, operations: 1)
    for path in parts + [merged, mergedByWheel] { try FileManager.default.removeItem(atPath: path) }
  }
}
