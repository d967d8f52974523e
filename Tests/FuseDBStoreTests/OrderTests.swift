import FuseDB
import ProgramSupport
import Synchronization
import Testing

@testable import FuseDBStore

/// Orders of events that last a moment, and that no kill and no count of processes brings about for certain.
@Suite struct OrderTests {
  private static let configuration = FuseStore.Configuration(
    chunking: .contentDefined(least: 64, average: 256, most: 1024), packByteCount: 1 << 16)
  private let memory = MemoryBackend()
  private let bytes = noise(5000, seed: 1)

  /// Once, at the first of these events.
  private final class Once: Sendable {
    private let isDone = Mutex(false)
    var isFirst: Bool {
      isDone.withLock { isDone in
        defer { isDone = true }
        return !isDone
      }
    }
  }

  @Test func `a pack that goes between its listing and its opening hides nothing`() throws {
    let store = try FuseStore.create(memory, configuration: Self.configuration)
    let backend = HookedBackend(memory)
    // It has no list of packs yet.
    let reader = try FuseStore(backend)
    let writer = try StoreWriter(store)
    let id = try writer.put(bytes).id
    let dead = try writer.put(noise(5000, seed: 2)).id
    try writer.commit()
    #expect(try store.remove(dead))
    let (once, memory) = (Once(), memory)
    backend.hooks.withLock {
      $0.beforeReader = { _ in
        guard once.isFirst else { return }
        let report = try FuseStore(memory).collect(.init(leastLiveShare: 1))
        #expect(report.removedCount == 1)
      }
    }
    #expect(try reader.bytes(of: id) == bytes)
    #expect(!once.isFirst)
  }

  @Test func `an index that is listed and never there is passed over`() throws {
    let store = try FuseStore.create(memory, configuration: Self.configuration)
    let id = try store.put(bytes, to: .packs).id
    let backend = HookedBackend(memory)
    backend.hooks.withLock { $0.listing = { $0 == "packs" ? $1 + ["zz.fsdb"] : $1 } }
    #expect(try FuseStore(backend).bytes(of: id) == bytes)
  }

  @Test func `a pack whose writer dies while a collection looks at it is not made whole`() throws {
    let store = try FuseStore.create(memory, configuration: Self.configuration)
    let id = try store.put(bytes, to: .packs).id
    // The same pack, as a writer has it that is about to build its index.
    let name = try #require(memory.names(in: "packs").first { $0.hasSuffix(".pack") }).dropLast(5)
    let file = try #require(try memory.file("packs/\(name).pack"))
    let pack = file.bytes.array()
    for suffix in ["fsdb", "pack"] { try memory.remove("packs/\(name).\(suffix)") }
    typealias Files = [any StoreGrowingFile]
    nonisolated(unsafe) var files: Files = [try memory.begin("tmp/00.sealing"), try memory.begin("packs/00.pack")]
    unsafe try files[1].write(pack.rawSpan, at: 0)
    let backend = HookedBackend(memory)
    backend.hooks.withLock {
      $0.afterLock = { name, isFree in
        guard name == "tmp/00.sealing", !isFree else { return }
        unsafe files = []
      }
    }
    try FuseStore(backend).collect()
    unsafe #expect(files.isEmpty)
    #expect(try FuseStore(memory).bytes(of: id) == nil)
    try FuseStore(memory).collect()
    #expect(try memory.names(in: "packs").isEmpty)
    #expect(try memory.names(in: "tmp").isEmpty)
  }

  @Test func `a pack whose writer fails once the index is there stays for those who rely on it`() throws {
    _ = try FuseStore.create(memory, configuration: Self.configuration)
    let backend = HookedBackend(memory)
    let store = try FuseStore(backend)
    let other = try StoreWriter(FuseStore(memory))
    let bytes = bytes
    nonisolated(unsafe) let shared = other
    backend.hooks.withLock {
      $0.afterBuild = { _ in
        let stored = unsafe try shared.put(bytes + [], .init(name: "n"))
        #expect(!stored.isNew)
        throw FuseError(.inputOutput, "make the folder durable (the new file is in place)", path: "packs")
      }
    }
    let writer = try StoreWriter(store)
    try writer.put(bytes, .init(isKept: true))
    #expect(throws: FuseError.self) { try writer.commit() }
    try other.commit()
    backend.hooks.withLock { $0 = .init() }
    try FuseStore(memory).collect(.init(leastLiveShare: 1))
    let after = try FuseStore(memory)
    #expect(try after.id(named: "n").flatMap { try after.bytes(of: $0) } == bytes)
    #expect(try after.verify().isSound)
    #expect(try memory.names(in: "tmp").filter { !$0.hasSuffix(".lock") }.isEmpty)
  }

  @Test func `a listing that leaves out a name which is replaced loses nothing`() throws {
    let store = try FuseStore.create(memory, configuration: Self.configuration)
    let writer = try StoreWriter(store)
    for (number, name) in ["a", "b"].enumerated() {
      try writer.put(noise(5000, seed: UInt64(number)), .init(name: name))
    }
    try writer.commit()
    let backend = HookedBackend(memory)
    let count = Mutex(0)
    backend.hooks.withLock {
      $0.listing = { folder, names in
        guard folder == "refs" else { return names }
        let isOdd = count.withLock { count in
          count += 1
          return count % 2 == 1
        }
        return isOdd ? names.filter { $0 != "a" } : names
      }
    }
    try FuseStore(backend).collect(.init(leastLiveShare: 1))
    let after = try FuseStore(memory)
    #expect(try after.id(named: "a").flatMap { try after.bytes(of: $0) } == noise(5000, seed: 0))
    #expect(try after.verify().isSound)
  }
}
