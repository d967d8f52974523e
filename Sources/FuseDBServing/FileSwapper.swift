internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Decides which file is served: takes new ones, refuses others, goes back, and keeps account of that.
///
/// One thread at a time is in here to swap. Look-ups go past it, to what is cell.
final class FileSwapper<Object: Served>: Sendable {
  /// Opens a file whose descriptor is open already.
  typealias Opening =
    @Sendable (
      _ file: ServedFile, _ generation: Int, _ serving: Object?
    ) throws(FuseError) -> Object

  /// A file, and how it came to serve.
  private struct Edition: Sendable {
    var object: Object
    var path: PinnedPath
    /// What is known of the path.
    var look: FileLook
    var takenAt = WallClock.now
    var builtAt: Double?

    init(_ object: Object, at path: PinnedPath, _ found: FileIdentity) {
      self.object = object
      self.path = path
      look = FileLook(at: found)
      builtAt = (try? object.reader.metadata["built"]).flatMap { UTCTime.seconds(in: $0) }
    }
  }

  private struct State: Sendable {
    var edition: Edition
    var kept: [Edition] = []
    var reloadCount = 0
    var refusalCount = 0
    var lastError: FuseError?
  }

  let cell: HazardCell<Object>
  private let options: ServingOptions
  private let open: Opening
  private let turn = ExclusiveTurn()
  private let state: Monitor<State>

  init(
    path: String, options: ServingOptions, readersFence: Bool, opening open: @escaping Opening
  ) throws(FuseError) {
    precondition(options.keptFileCount >= 0, "'keptFileCount' is at least 0")
    options.rules.requireSense()
    self.options = options
    self.open = open
    let path = PinnedPath(path)
    do {
      let file = try ServedFile(path)
      let found = FileIdentity(of: file.descriptor)
      let object = try Self.take(file, found, at: path, generation: 1, insteadOf: nil, options.rules, open)
      cell = try HazardCell(object, readersFence: readersFence)
      state = Monitor(State(edition: Edition(object, at: path, found)))
    } catch {
      throw error.at(path: path.given)
    }
  }

  /// Where files are taken from.
  var path: PinnedPath { state.change { $0.edition.path } }

  /// Takes the file at `newPath`, or the one at the path that is served. Returns whether it did.
  @discardableResult
  func reload(
    from newPath: String? = nil, onlyIfChanged: Bool = false, unless isAbandoned: () -> Bool = { false }
  ) throws(FuseError) -> Bool {
    let newPath = newPath.map { PinnedPath($0) }
    return try turn.take { () throws(FuseError) in
      let serving = state.change { $0.edition }
      let path = newPath ?? serving.path
      let file: ServedFile
      do throws(FuseError) { file = try ServedFile(path) } catch {
        let obstacle = FileIdentity(lacking: error)
        if onlyIfChanged, obstacle == serving.look.obstacle { return false }
        throw refusal(error, at: path) { $0.obstacle = obstacle }
      }
      let found = FileIdentity(of: file.descriptor)
      let isKnown = onlyIfChanged && serving.look.knows(found)
      if isKnown, !serving.look.isDoubtful {
        state.change { $0.edition.look.obstacle = nil }
        return false
      }
      let time = WallClock.now
      let object: Object
      do throws(FuseError) {
        object = try Self.take(
          file, found, at: path, generation: serving.object.reader.generation + 1, insteadOf: serving.object,
          options.rules, open)
      } catch {
        // Whoever ended the check knows nothing about the file.
        guard error.code != .cancelled else { throw error.at(path: path.given) }
        var look = FileLook(at: found)
        // The system may have what it lacked another time. Rules refuse files that are whole: asking again is no news.
        look.isDoubtful =
          error.code == .inputOutput || error.code != .refused && found.mayHaveChanged(after: time)
        if isKnown {
          state.change { $0.edition.look = look }
          return false
        }
        throw refusal(error, at: path) { $0 = look }
      }
      if isAbandoned() { return false }
      serve(Edition(object, at: path, found)) { state in
        state.kept.append(serving)
        return state.kept.count > options.keptFileCount ? state.kept.removeFirst() : nil
      }
      return true
    }
  }

  /// The file that ``rollback()`` goes back to; nil where none is kept.
  var lastKept: Object? { state.change { $0.kept.last?.object } }

  /// Keeps account of a refused file, and returns the reason, for the caller.
  private func refusal(
    _ error: FuseError, at path: PinnedPath, noting note: (inout FileLook) -> Void
  ) -> FuseError {
    let error = error.at(path: path.given)
    state.change { state in
      // A path that is not the store's leaves no trace.
      if path.absolute == state.edition.path.absolute { note(&state.edition.look) }
      state.refusalCount += 1
      state.lastError = error
    }
    return error
  }

  /// Goes back to the file that was kept last.
  func rollback() throws(FuseError) {
    try turn.take { () throws(FuseError) in
      let (serving, kept) = state.change { ($0.edition, $0.kept.last) }
      guard var previous = kept else {
        throw FuseError(
          .notFound,
          "no earlier file is open to go back to; 'keptFileCount' of the options says how many are kept, now "
            + "\(options.keptFileCount)", path: serving.path.given)
      }
      previous.object = previous.object.again(generation: serving.object.reader.generation + 1)
      previous.takenAt = WallClock.now
      // What is under the path now is what we go back from, also when going back further.
      var left = serving.look
      left.isGoneBackFrom = true
      if previous.path.absolute == serving.path.absolute { previous.look = left }
      serve(previous) { state in
        let last = state.kept.removeLast()
        for number in state.kept.indices where state.kept[number].path.absolute == serving.path.absolute {
          state.kept[number].look = left
        }
        return last
      }
    }
  }

  /// Publishes an edition, and changes what is kept: `change` returns what it took away. Counters wait for both: no thread
  /// sees a generation there and afterwards reads an older one, nor the other way round.
  private func serve(_ next: Edition, keeping change: (inout State) -> Edition?) {
    // What is kept no longer goes after the lock is open: unmapping takes its time.
    _ = state.change { state in
      let gone = change(&state)
      state.edition = next
      state.reloadCount += 1
      cell.replace(by: next.object)
      return gone
    }
  }

  /// Opens a file, found so, and examines it.
  private static func take(
    _ file: ServedFile, _ found: FileIdentity, at path: PinnedPath, generation: Int, insteadOf old: Object?,
    _ rules: SwapRules, _ open: Opening
  ) throws(FuseError) -> Object {
    let object: Object
    do throws(FuseError) {
      object = try open(file, generation, old)
      try rules.examine(object.reader, insteadOf: old?.reader)
    } catch {
      guard found.isSameContent(as: FileIdentity(of: file.descriptor)) else { throw .unsteady }
      throw error
    }
    guard found.isSameContent(as: FileIdentity(of: file.descriptor)) else { throw .unsteady }
    return object
  }

  func counters(_ lookups: LookupSums) -> ServingCounters {
    let state = state.change { $0 }
    return ServingCounters(
      generation: state.edition.object.reader.generation, reloadCount: state.reloadCount,
      refusalCount: state.refusalCount, lastError: state.lastError, loadedAt: state.edition.takenAt,
      builtAt: state.edition.builtAt, gatheredAt: WallClock.now, hitCount: lookups.hits,
      missCount: lookups.misses, failureCount: lookups.failures)
  }
}

extension FuseError {
  /// A process is writing to the file.
  fileprivate static var unsteady: FuseError {
    .refused("the file changed while it was checked; write new files beside it and rename them over it")
  }
}

/// What is opened to be served: a file, or the manifest of a set.
struct ServedFile {
  let descriptor: OwnedDescriptor
  /// Where it was looked for: of a set, the folder.
  let path: PinnedPath
  /// Whether it is the manifest in the folder at `path`.
  let isSet: Bool

  init(_ path: PinnedPath) throws(FuseError) {
    self.path = path
    isSet = Self.place(of: path.absolute) != path.absolute
    descriptor = try OwnedDescriptor(reading: Self.place(of: path.absolute), named: path.given)
  }

  /// The file that changes when what is at a path is published anew.
  static func place(of path: String) -> String {
    SetPlace.isSet(path) ? SetManifest.place(in: path) : path
  }
}

/// What is published of one file: a reader, or a pool's readers.
protocol Served: Reclaimable {
  /// A reader of the file.
  var reader: FuseReader { get }

  /// The same file, under another generation.
  func again(generation: Int) -> Self

  /// The reader for this thread, of an object that is in use; nothing is retained.
  @unsafe
  static func ownReader(of object: Unmanaged<Self>) -> Unmanaged<FuseReader>
}

extension FuseReader: Served {
  var reader: FuseReader { self }

  /// Opens a file to serve it.
  ///
  /// - Parameter serving: what it is to replace: of a set, shards that are in both stay as they are.
  convenience init(
    _ file: ServedFile, options: ServingOptions, generation: Int, insteadOf serving: FuseReader? = nil
  ) throws(FuseError) {
    guard file.isSet else {
      let mapping = try FileMapping(
        descriptor: file.descriptor.number, path: file.path.given, access: options.access)
      try self.init(mapping, checksums: options.checksums, generation: generation)
      return
    }
    let set = try ShardedReader(
      SetPlace(file.path, reading: file.descriptor), checksums: options.checksums, access: options.access,
      reusing: serving?.shards)
    // All shards or none are taken. [GO3]
    try set.openAll(threadCount: options.rules.threadCount)
    self.init(of: set, generation: generation)
  }

  func again(generation: Int) -> FuseReader { FuseReader(self, generation: generation) }

  // SAFETY: the reference is handed back as it came; nothing is read.
  @inline(__always)
  @unsafe
  static func ownReader(of object: Unmanaged<FuseReader>) -> Unmanaged<FuseReader> { unsafe object }
}

/// What was found last under a path, so that each file is judged once.
struct FileLook: Sendable {
  /// The file that was looked at last, taken or refused.
  var file: FileIdentity
  /// Whether it may be good though it was refused, and looks the same: the system failed, or a process wrote to it so
  /// shortly before that it may be complete by now.
  var isDoubtful = false
  /// Whether the service went back from it: then another name or other rights make it no other file.
  var isGoneBackFrom = false
  /// Why nothing could be opened after that; nil when something could.
  var obstacle: FileIdentity?

  init(at file: FileIdentity) { self.file = file }

  /// Whether `found` is the file that was looked at last.
  func knows(_ found: FileIdentity) -> Bool {
    isGoneBackFrom ? file.isSameContent(as: found) : file == found
  }
}
