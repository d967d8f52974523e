import FuseDB
import ProgramSupport
import Synchronization

/// A store that threads read, and what is certain about it.
final class Subject<Store: Reloadable>: Replaceable {
  let store: Store
  /// What was served when the last swap had returned: whatever begins to read now must see that or something newer.
  private let leastGeneration = Atomic(1)
  private let leastBuild = Atomic(0)
  /// The builds of the last generations that somebody has seen.
  private let seen = Monitor([(generation: Int, build: Int)](repeating: (0, 0), count: 64))

  init(_ store: Store) { self.store = store }

  var reloadable: any Reloadable { store }
  var least: (generation: Int, build: Int) {
    (leastGeneration.load(ordering: .acquiring), leastBuild.load(ordering: .acquiring))
  }

  func serves(_ build: Int) throws {
    let generation = store.generation
    try note(generation, build)
    leastGeneration.store(generation, ordering: .releasing)
    leastBuild.store(build, ordering: .releasing)
  }

  /// Throws when another build was seen under this generation.
  func note(_ generation: Int, _ build: Int) throws {
    let other = seen.change { seen in
      let place = generation % seen.count
      if seen[place].generation < generation { seen[place] = (generation, build) }
      return seen[place].generation == generation ? seen[place].build : build
    }
    guard other == build else {
      throw Violation("generation \(generation) is build \(build) here and build \(other) there")
    }
  }
}

/// What the replacing thread needs to know of a store.
protocol Replaceable: AnyObject, Sendable {
  var reloadable: any Reloadable { get }

  /// Says that a swap has returned, and what was swapped in.
  func serves(_ build: Int) throws
}
