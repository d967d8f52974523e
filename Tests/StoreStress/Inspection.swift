import FuseDB
import FuseDBStore
import Glibc
import ProgramSupport

/// What is there when all processes have ended: what was acknowledged, and nothing that nobody meant to put.
struct Inspection {
  private let folder: StressFolder
  private let states: [Ledger.State]

  init(_ folder: StressFolder, writerCount: Int) {
    self.folder = folder
    states = (0..<writerCount).map { Ledger.state(folder.ledger($0)) }
  }

  func run() throws -> String {
    let count = try check("before a collection")
    let store = try FuseStore(path: folder.store)
    try store.collect(.init(leastLiveShare: 1))
    _ = try check("after a collection")
    let report = try store.verify()
    guard report.isSound else {
      throw Violation("the store is damaged: \(report.flaws.first.map { "\($0)" } ?? "\(report.lost)")")
    }
    let tmp = (Scratch.names(in: folder.store + "/tmp") ?? []).filter { !$0.hasSuffix(".lock") }
    guard tmp.isEmpty else { throw Violation("\(tmp.count) files are left in tmp: \(tmp[0])") }
    let counts = try store.statistics()
    // All of it is taken away: nothing may stay.
    for name in try store.names() { _ = try store.removeName(name) }
    var kept: [FuseStore.ObjectID] = []
    try store.forEachKept { (id: FuseStore.ObjectID) throws(FuseError) in kept.append(id) }
    _ = try store.remove(kept)
    try store.collect()
    let empty = try FuseStore(path: folder.store).statistics()
    guard empty.packCount == 0, empty.chunkCount == 0, empty.looseCount == 0 else {
      throw Violation("something is left when nothing is needed: \(empty)")
    }
    return """
      \(count) objects and versions that were acknowledged are there, \(counts.patchedCount) of them as patches, and nothing else in \
      \(counts.packCount) packs
      """
  }

  private func check(_ moment: String) throws -> Int {
    let store = try FuseStore(path: folder.store)
    var count = 0
    var allowed: Set<FuseStore.ObjectID> = []
    for (number, state) in states.enumerated() {
      for one in state.kept {
        let bytes = Material.bytes(one)
        guard try store.bytes(of: Material.id(one)) == bytes else {
          throw Violation("\(moment): the object \(one) of writer \(number) is lost")
        }
        allowed.insert(try Material.id(one))
        count += 1
      }
      for one in state.perhaps { allowed.insert(try Material.id(one)) }
      for (name, choices) in state.names {
        let id = try store.id(named: Worker.name(number, name))
        let bytes = try id.map { try store.bytes(of: $0) }
        guard choices.contains(where: { $0.map(Material.bytes) == bytes ?? nil }) else {
          throw Violation("\(moment): name \(name) of writer \(number) leads elsewhere")
        }
        count += 1
      }
      count += try checkVersions(of: number, state, store, moment)
    }
    try store.forEachKept { (id: FuseStore.ObjectID) throws(FuseError) in
      guard allowed.contains(id) else {
        throw FuseError(.corrupted, "\(moment): \(id) is kept, and nobody put it, or it was removed")
      }
      guard try store.bytes(of: id) != nil else {
        throw FuseError(.corrupted, "\(moment): \(id) is kept and not there")
      }
    }
    return count
  }

  /// All that are certain, in their order; between them, those that perhaps came to be.
  private func checkVersions(
    of number: Int, _ state: Ledger.State, _ store: FuseStore, _ moment: String
  ) throws -> Int {
    let there = try (store.versions(named: Worker.versionsName(number)) ?? []).map { try store.bytes(of: $0.id) }
    // How many of them the puts up to one may have made: of those that are not certain, it is not known which came to be.
    var places: Set = [0]
    for (one, isCertain) in state.versions {
      let bytes = Scratch.bytes(of: try Material.lookupFile(one, in: folder))
      var next: Set<Int> = []
      for place in places {
        // What is the newest already makes no version.
        let isNewest = place > 0 && there[place - 1] == bytes
        if !isCertain || isNewest { next.insert(place) }
        if !isNewest, place < there.count, there[place] == bytes { next.insert(place + 1) }
      }
      guard !next.isEmpty else {
        throw Violation("\(moment): version \((places.max() ?? 0) + 1) of writer \(number) is lost or another")
      }
      places = next
    }
    guard places.contains(there.count) else {
      throw Violation("\(moment): writer \(number) has versions that it never put, or lacks one")
    }
    return there.count
  }
}
