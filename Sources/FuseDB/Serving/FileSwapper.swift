/// Decides which file is served: takes new ones, refuses others, goes back, and keeps account of that.
///
/// One thread at a time is in here to swap. Look-ups go past it, to what is published.
final class FileSwapper<Object: Served>: Sendable {
  /// Opens a file whose descriptor is open already.
  typealias Opening = @Sendable (_ file: OwnedDescriptor, _ path: String, _ generation: Int) throws(FuseError) -> Object

  /// A file, and how it came to serve.
  private struct Edition: Sendable {
    var object: Object
    var path: String
    /// What was looked at last under the path.
    var seen: FileIdentity
    var takenAt = WallClock.now
  }

  private struct State: Sendable {
    var edition: Edition
    var kept: [Edition] = []
    var reloadCount = 0
    var refusalCount = 0
    var lastError: FuseError?
  }

  let published: Published<Object>
  private let options: ServingOptions
  private let open: Opening
  /// Held by whoever swaps, for as long as that takes.
  private let turn = Monitor(())
  private let state: Monitor<State>

  init(
    path: String, options: ServingOptions, readersFence: Bool, opening open: @escaping Opening
  ) throws(FuseError) {
    precondition(options.keptFileCount >= 0, "the number of kept files is at least 0")
    self.options = options
    self.open = open
    do {
      let file = try OwnedDescriptor(reading: path)
      let edition = Edition(
        object: try Self.take(file, at: path, generation: 1, insteadOf: nil, options.rules, open), path: path,
        seen: FileIdentity(of: file))
      published = try Published(edition.object, readersFence: readersFence)
      state = Monitor(State(edition: edition))
    } catch {
      throw error.at(path: path)
    }
  }

  var path: String { state.change { $0.edition.path } }

  /// Takes the file at `newPath`, or the one at the path that is served. Returns whether it did.
  @discardableResult
  func reload(
    from newPath: String? = nil, onlyIfChanged: Bool = false, unless isAbandoned: () -> Bool = { false }
  ) throws(FuseError) -> Bool {
    try turn.change { _ throws(FuseError) in
      let serving = state.change { $0.edition }
      let path = newPath ?? serving.path
      var seen: FileIdentity?
      do throws(FuseError) {
        let file = try OwnedDescriptor(reading: path)
        let found = FileIdentity(of: file)
        seen = found
        if onlyIfChanged, found == serving.seen { return false }
        let object = try Self.take(
          file, at: path, generation: serving.object.reader.generation + 1, insteadOf: serving.object, options.rules,
          open)
        if isAbandoned() { return false }
        serve(Edition(object: object, path: path, seen: found)) { $0.kept.append(serving) }
        return true
      } catch {
        let found = seen ?? FileIdentity(lacking: error)
        if onlyIfChanged, found == serving.seen { return false }
        let error = error.at(path: path)
        state.change { state in
          // A path that was never served leaves no trace.
          if newPath == nil { state.edition.seen = found }
          state.refusalCount += 1
          state.lastError = error
        }
        throw error
      }
    }
  }

  /// Goes back to the file that was kept last.
  func rollback() throws(FuseError) {
    try turn.change { _ throws(FuseError) in
      let (serving, kept) = state.change { ($0.edition, $0.kept.last) }
      guard var previous = kept else {
        throw FuseError(
          .notFound,
          "no earlier file is open to go back to; 'keptFileCount' of the options says how many are kept, now "
            + "\(options.keptFileCount)", path: serving.path)
      }
      previous.object = previous.object.again(generation: serving.object.reader.generation + 1)
      previous.takenAt = WallClock.now
      // What is under the path now is what we go back from.
      if previous.path == serving.path { previous.seen = serving.seen }
      serve(previous) { $0.kept.removeLast() }
    }
  }

  /// Publishes an edition, and changes what is kept. Counters wait for both: no thread sees a generation there and
  /// afterwards reads an older one, nor the other way round.
  private func serve(_ next: Edition, keeping change: (inout State) -> Void) {
    state.change { state in
      change(&state)
      if state.kept.count > options.keptFileCount { state.kept.removeFirst() }
      state.edition = next
      state.reloadCount += 1
      published.replace(by: next.object)
    }
  }

  /// Opens a file and examines it.
  private static func take(
    _ file: OwnedDescriptor, at path: String, generation: Int, insteadOf old: Object?, _ rules: SwapRules,
    _ open: Opening
  ) throws(FuseError) -> Object {
    let before = FileIdentity(of: file)
    let object: Object
    do {
      object = try open(file, path, generation)
      try rules.examine(object.reader, insteadOf: old?.reader)
    } catch {
      guard FileIdentity(of: file) == before else { throw .unsteady }
      throw error
    }
    guard FileIdentity(of: file) == before else { throw .unsteady }
    return object
  }

  func counters(_ lookups: LookupCounters?) -> ServingCounters {
    let state = state.change { $0 }
    let sums = lookups?.sums ?? (hits: 0, misses: 0, failures: 0)
    let reader = state.edition.object.reader
    return ServingCounters(
      generation: reader.generation, reloadCount: state.reloadCount, refusalCount: state.refusalCount,
      lastError: state.lastError, loadedAt: state.edition.takenAt, builtAt: nil, hitCount: sums.hits,
      missCount: sums.misses, failureCount: sums.failures)
  }
}

extension FuseError {
  /// Somebody writes to the file.
  fileprivate static var unsteady: FuseError {
    .refused("the file changed while it was checked; write new files beside it and rename them over it")
  }
}
