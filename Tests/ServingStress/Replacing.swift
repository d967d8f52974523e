import FuseDB
import ProgramSupport

/// Replaces the files of a stage, and knows what has to be served.
struct Replacing {
  private let phase: Phase
  private let paths: [String]
  /// Files that must be refused.
  private let bad: [String]
  private var round = 0
  /// The build that was made last.
  private var newest = 1
  private var served = 0
  /// Builds that the stores can go back to, the last one last.
  private var kept: [Int] = []
  /// Under which of the two paths the served file is.
  private var place = 0
  private var counts = (rebuilds: 0, swaps: 0, rollbacks: 0, refusals: 0)

  init(_ phase: Phase, in folder: Scratch) throws {
    self.phase = phase
    paths = [folder.path("a.fsdb"), folder.path("b.fsdb")]
    for number in 0...1 { try NumberedFile.write(number, to: paths[number]) }
    let bytes = Scratch.bytes(of: paths[0])!
    var flipped = bytes
    flipped[bytes.count / 2] ^= 1
    bad = [
      folder.path("missing.fsdb"), folder.folder,
      folder.write([], to: "empty.fsdb"),
      folder.write(Array("FSDB".utf8) + [UInt8](repeating: 0, count: 100), to: "zeros.fsdb"),
      folder.write(Array(bytes.dropLast(bytes.count / 3)), to: "cut.fsdb"),
      folder.write(flipped, to: "flipped.fsdb"),
    ]
  }

  /// Where the stores begin.
  var path: String { paths[0] }
  var openFileCount: Int { 1 + kept.count }
  var summary: String {
    "\(counts.rebuilds) rebuilds, \(counts.swaps) swaps, \(counts.rollbacks) rollbacks, \(counts.refusals) refusals"
  }

  mutating func run(_ stage: Stage, rounds: Int) throws {
    for _ in 0..<rounds where !stage.isOver {
      round += 1
      switch phase.work {
      case .rebuilds: try rebuild(stage)
      case .rollbacks: if round % 3 == 0 { try rollBack(stage) } else { try rebuild(stage) }
      case .swaps: if round % 2 == 0 { try swap(stage) } else { try refuse(stage) }
      }
    }
    for subject in stage.subjects {
      let counters = subject.reloadable.counters
      guard counters.reloadCount == counts.rebuilds + counts.swaps + counts.rollbacks,
        counters.refusalCount == counts.refusals
      else { throw Violation("after \(summary), the store counts \(counters)") }
    }
  }

  /// Builds a file and has it taken, in one of three ways.
  private mutating func rebuild(_ stage: Stage) throws {
    newest += 1
    // After a rollback, a store may be back at the other path.
    let isMoving = newest % 3 == 0 || phase.work == .rollbacks
    if isMoving { place = 1 - place }
    let (path, reloads) = (paths[place], newest % 3 == 1)
    try NumberedFile.write(newest, to: path)
    counts.rebuilds += 1
    try serve(newest, on: stage) { store in
      if isMoving {
        try store.swap(to: path)
      } else if reloads {
        try store.reload()
      } else {
        guard try store.reloadIfChanged() else { throw Violation("a rebuilt file is not seen") }
        guard try !store.reloadIfChanged() else { throw Violation("a file that did not change is taken again") }
      }
    }
  }

  /// Has one of two files taken that were there before.
  private mutating func swap(_ stage: Stage) throws {
    place = 1 - place
    counts.swaps += 1
    let path = paths[place]
    try serve(place, on: stage) { store in try store.swap(to: path) }
  }

  private mutating func rollBack(_ stage: Stage) throws {
    counts.rollbacks += 1
    served = kept.removeLast()
    for subject in stage.subjects {
      try subject.reloadable.rollback()
      try subject.serves(served)
    }
  }

  /// Offers a file that must not be taken.
  private mutating func refuse(_ stage: Stage) throws {
    let path = bad[round / 2 % bad.count]
    counts.refusals += 1
    for subject in stage.subjects {
      let before = subject.reloadable.path
      do {
        try subject.reloadable.swap(to: path)
        throw Violation("\(path) is taken, and must be refused")
      } catch is FuseError {}
      guard subject.reloadable.path == before else { throw Violation("a refused file changes the path") }
      try subject.serves(served)
    }
  }

  private mutating func serve(
    _ build: Int, on stage: Stage, _ take: (any Reloadable) throws -> Void
  ) throws {
    for subject in stage.subjects {
      try take(subject.reloadable)
      try subject.serves(build)
    }
    kept.append(served)
    if kept.count > phase.keptFileCount { kept.removeFirst() }
    served = build
  }
}
