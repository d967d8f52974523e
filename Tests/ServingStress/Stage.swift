import FuseDB
import ProgramSupport
import Synchronization

/// The stores of a phase, and whether it is still under way.
final class Stage: Sendable {
  static let poolSize = 3

  let reader: Subject<ReloadableReader>
  let pool: Subject<FusePool>
  let buildsRise: Bool
  private let over = Atomic(false)
  private let failures = Monitor([String]())

  init(_ phase: Phase, path: String) throws {
    var options = ServingOptions()
    options.keptFileCount = phase.keptFileCount
    options.countsLookups = phase.countsLookups
    reader = Subject(try ReloadableReader(path: path, options: options, readersFence: phase.readersFence))
    pool = Subject(
      try FusePool(path: path, size: Self.poolSize, options: options, readersFence: phase.readersFence))
    buildsRise = phase.work == .rebuilds
  }

  var subjects: [any Replaceable] { [reader, pool] }

  var isOver: Bool { over.load(ordering: .relaxed) }
  func end() { over.store(true, ordering: .relaxed) }

  /// Ends everything, because of this.
  func fail(_ reason: String) {
    failures.change { $0.append(reason) }
    end()
  }

  /// Throws what was the first to go wrong.
  func check() throws {
    if let first = failures.change({ $0.first }) { throw Violation(first) }
  }
}
