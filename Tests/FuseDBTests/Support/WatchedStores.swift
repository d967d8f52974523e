import Synchronization
import Testing

import FuseDB

/// A file whose only object is a number, from 0 to 15.
func numbered(_ number: Int) throws -> [UInt8] { try numberedFiles.get()[number] }

/// Made once: a build waits for the disk.
private let numberedFiles = Result {
  let folder = try TemporaryFolder()
  return try (0..<16).map { number in
    let writer = FuseWriter()
    try writer.addKey("key", for: try writer.addObject([UInt8(number)].rawSpan))
    try writer.build(to: folder.path("made.fsdb"))
    return try folder.read("made.fsdb")
  }
}

/// The number in the file that a store serves.
func answer(_ store: some Reloadable) throws -> Int? { try answer(store.snapshot()) }

func answer(_ reader: FuseReader) throws -> Int? { try reader.withBytes(forKey: "key") { Int($0.byte(at: 0)) } }

/// What a watcher told.
final class Heard: Sendable {
  private let all = Mutex((answers: [Int](), failures: [FuseError]()))

  /// The numbers in the files that were taken.
  var answers: [Int] { all.withLock { $0.answers } }
  var failures: [FuseError] { all.withLock { $0.failures } }

  func add(_ reader: FuseReader) {
    let number = (try? answer(reader)) ?? -1
    all.withLock { $0.answers.append(number) }
  }

  func add(_ error: FuseError) { all.withLock { $0.failures.append(error) } }
}

/// A store that counts how often it is asked for its path, which a watcher does at each look.
final class CountingStore: Reloadable {
  private let store: ReloadableReader
  private let looks = Atomic(0)
  private let willReload: @Sendable () -> Void

  /// - Parameter willReload: called before the store looks for a changed file.
  init(_ store: ReloadableReader, willReload: @escaping @Sendable () -> Void = {}) {
    self.store = store
    self.willReload = willReload
  }

  var lookCount: Int { looks.load(ordering: .relaxed) }

  var path: String {
    looks.add(1, ordering: .relaxed)
    return store.path
  }

  func withReader<Result, Failure: Error>(
    _ body: (FuseReader) throws(Failure) -> Result
  ) throws(Failure) -> Result { try store.withReader(body) }
  func snapshot() -> FuseReader { store.snapshot() }
  func reload() throws(FuseError) { try store.reload() }
  func reloadIfChanged(unless isAbandoned: () -> Bool) throws(FuseError) -> Bool {
    willReload()
    return try store.reloadIfChanged(unless: isAbandoned)
  }
  func swap(to path: String) throws(FuseError) { try store.swap(to: path) }
  func rollback() throws(FuseError) { try store.rollback() }
  var counters: ServingCounters { store.counters }
  var countsLookups: Bool { store.countsLookups }
  func countLookups(hits: Int, misses: Int, failures: Int) {
    store.countLookups(hits: hits, misses: misses, failures: failures)
  }
  func withBytes<Result>(forKey key: RawSpan, _ body: (RawSpan) throws -> Result) throws -> Result? {
    try store.withBytes(forKey: key, body)
  }
  func contains(_ key: RawSpan) throws(FuseError) -> Bool { try store.contains(key) }
}
