public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
public import FuseDBWriting
internal import Synchronization

/// A store in memory, for tests and for what need not last. Indexes are built in a temporary file.
public final class MemoryBackend: StoreBackend {
  /// What errors call it.
  public let path = "a store in memory"
  private let state = Mutex(State())

  private struct State {
    var files: [String: Contents] = [:]
    var locks: [String: WeakLock] = [:]
    var isMade = false
  }

  /// An empty store.
  public init() {}

  /// Throws where it was made before.
  public func make(_ folders: [String]) throws(FuseError) {
    let isNew = state.withLock { state in
      defer { state.isMade = true }
      return !state.isMade
    }
    guard isNew else { throw FuseError(.refused, "there is a store already", path: path) }
  }

  /// The names in a folder.
  public func names(in folder: String) throws(FuseError) -> [String] {
    let prefix = folder + "/"
    let names: [String] = state.withLock { state in
      let inside = state.files.keys.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }
      return Array(Set(inside.map { String($0.prefix { $0 != "/" }) }))
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// A file as it is now.
  public func file(_ name: String) throws(FuseError) -> StoreFile? {
    state.withLock { $0.files[name] }.map { StoreFile(bytes: $0.all) }
  }

  /// A look-up file, opened.
  public func reader(_ name: String) throws(FuseError) -> FuseReader? {
    guard let file = state.withLock({ $0.files[name] }) else { return nil }
    return try FuseReader(bytes: file.all)
  }

  /// Puts a file there.
  public func write(_ bytes: [UInt8], to name: String, replacing: Bool) throws(FuseError) -> Bool {
    state.withLock { state in
      guard replacing || state.files[name] == nil else { return false }
      state.files[name] = Contents(bytes)
      return true
    }
  }

  /// Makes a file that grows.
  public func begin(_ name: String) throws(FuseError) -> any StoreGrowingFile {
    let file = OpenFile(Contents([]))
    state.withLock { state in
      state.files[name] = file.contents
      state.locks[name] = WeakLock(file)
    }
    return file
  }

  /// Moves a file.
  public func rename(_ name: String, to other: String) throws(FuseError) {
    state.withLock { state in
      state.files[other] = state.files.removeValue(forKey: name)
      state.locks[other] = state.locks.removeValue(forKey: name)
    }
  }

  /// Builds a look-up file in a temporary folder, and takes its bytes.
  public func build(_ writer: FuseWriter, as name: String) throws(FuseError) {
    let place = "/tmp/.fusedb-\(Hexadecimal.random(16)).tmp"
    try writer.build(to: place)
    let mapping: FileMapping
    do throws(FuseError) { mapping = try FileMapping(path: place) } catch {
      try? FolderFiles.remove(place)
      throw error
    }
    try FolderFiles.remove(place)
    _ = try write(mapping.bytes.array(), to: name, replacing: true)
  }

  /// Removes a file.
  public func remove(_ name: String) throws(FuseError) {
    state.withLock { state in
      state.files[name] = nil
      state.locks[name] = nil
    }
  }

  /// Whether the file is still being written.
  public func isLocked(_ name: String) throws(FuseError) -> Bool {
    state.withLock { $0.locks[name]?.isTaken ?? false }
  }

  /// Removes what nobody writes.
  public func sweep(_ name: String) throws(FuseError) -> Bool {
    guard try !isLocked(name) else { return false }
    try remove(name)
    return true
  }

  /// Takes a lock.
  public func lock(_ name: String, waiting: Bool) throws(FuseError) -> AnyObject? {
    while true {
      let lock = Holder()
      let isFree = state.withLock { state in
        if state.locks[name]?.holder != nil { return false }
        state.locks[name] = WeakLock(lock)
        return true
      }
      if isFree { return lock }
      guard waiting else { return nil }
      Sleep.seconds(0.001)
    }
  }

  private final class Holder: Sendable {}

  /// A lock that is free when its holder is gone.
  private struct WeakLock: Sendable {
    weak let holder: (any AnyObject & Sendable)?
    init(_ holder: any AnyObject & Sendable) { self.holder = holder }
    var isTaken: Bool { holder != nil }
  }

  /// A file that is being written: gone with its writer, while what was written stays.
  private final class OpenFile: Sendable, StoreGrowingFile {
    let contents: Contents
    init(_ contents: Contents) { self.contents = contents }
    func write(_ bytes: RawSpan, at offset: Int) throws(FuseError) { contents.write(bytes, at: offset) }
    func stream(_ bytes: RawSpan, at offset: Int) throws(FuseError) { contents.write(bytes, at: offset) }
    func bytes(at offset: Int, count: Int) throws(FuseError) -> [UInt8] { contents.bytes(at: offset, count: count) }
    func makeDurable() throws(FuseError) {}
  }

  /// The bytes of a file.
  private final class Contents: Sendable {
    private let bytes: Mutex<[UInt8]>

    init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes) }

    var all: [UInt8] { bytes.withLock { $0 } }

    func write(_ more: RawSpan, at offset: Int) {
      let more = more.array()
      bytes.withLock { bytes in
        if bytes.count < offset + more.count {
          bytes += [UInt8](repeating: 0, count: offset + more.count - bytes.count)
        }
        bytes.replaceSubrange(offset..<offset + more.count, with: more)
      }
    }

    func bytes(at offset: Int, count: Int) -> [UInt8] {
      bytes.withLock { bytes in
        let start = min(offset, bytes.count)
        return Array(bytes[start..<min(start + count, bytes.count)])
      }
    }
  }
}
