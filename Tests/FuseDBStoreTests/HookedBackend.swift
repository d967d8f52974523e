import FuseDB
import FuseDBReading
import FuseDBWriting
import ProgramSupport
import Synchronization

@testable import FuseDBStore

/// A store in memory at which something happens between two steps: what another process does just then.
final class HookedBackend: StoreBackend {
  struct Hooks: Sendable {
    /// Before an index is opened.
    var beforeReader: (@Sendable (String) throws -> Void)?
    /// After an index was built.
    var afterBuild: (@Sendable (String) throws -> Void)?
    /// After a lock was asked for: whether it was free.
    var afterLock: (@Sendable (String, Bool) throws -> Void)?
    /// What a listing of a folder shows.
    var listing: (@Sendable (String, [String]) throws -> [String])?
  }

  let memory: MemoryBackend
  let hooks = Mutex(Hooks())
  var path: String { memory.path }

  init(_ memory: MemoryBackend) { self.memory = memory }

  /// What a test does at a hook fails as a call of the system does.
  private func run<T>(_ work: () throws -> T) throws(FuseError) -> T {
    do { return try work() } catch let error as FuseError { throw error } catch { fatalError("\(error)") }
  }

  func make(_ folders: [String]) throws(FuseError) { try memory.make(folders) }
  func names(in folder: String) throws(FuseError) -> [String] {
    let names = try memory.names(in: folder)
    guard let hook = hooks.withLock({ $0.listing }) else { return names }
    return try run { try hook(folder, names) }
  }
  func file(_ name: String) throws(FuseError) -> StoreFile? { try memory.file(name) }
  func reader(_ name: String) throws(FuseError) -> FuseReader? {
    if let hook = hooks.withLock({ $0.beforeReader }) { try run { try hook(name) } }
    return try memory.reader(name)
  }
  func write(_ bytes: [UInt8], to name: String, replacing: Bool) throws(FuseError) -> Bool {
    try memory.write(bytes, to: name, replacing: replacing)
  }
  func begin(_ name: String) throws(FuseError) -> any StoreGrowingFile { try memory.begin(name) }
  func rename(_ name: String, to other: String) throws(FuseError) { try memory.rename(name, to: other) }
  func build(_ writer: FuseWriter, as name: String) throws(FuseError) {
    try memory.build(writer, as: name)
    if let hook = hooks.withLock({ $0.afterBuild }) { try run { try hook(name) } }
  }
  func remove(_ name: String) throws(FuseError) { try memory.remove(name) }
  func isLocked(_ name: String) throws(FuseError) -> Bool { try memory.isLocked(name) }
  func sweep(_ name: String) throws(FuseError) -> Bool { try memory.sweep(name) }
  func lock(_ name: String, waiting: Bool) throws(FuseError) -> AnyObject? {
    let lock = try memory.lock(name, waiting: waiting)
    if let hook = hooks.withLock({ $0.afterLock }) { try run { try hook(name, lock != nil) } }
    return lock
  }
}
