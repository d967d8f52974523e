import FuseDB
import FuseDBReading
import FuseDBWriting
import ProgramSupport
import Synchronization
import Testing

@testable import FuseDBStore

/// A store in memory that says in which order its files came, and fails where it is told to.
private final class WatchedBackend: StoreBackend {
  struct State {
    var events: [String] = []
    var failsAt = Int.max
    var count = 0
  }

  let memory = MemoryBackend()
  let state = Mutex(State())
  var path: String { memory.path }

  /// Takes note of a change, or fails in its place.
  func note(_ event: String) throws(FuseError) {
    let fails = state.withLock { state in
      state.count += 1
      if state.count == state.failsAt { return true }
      state.events.append(event)
      return false
    }
    if fails { throw FuseError(.inputOutput, "no space left on the device", path: path) }
  }

  final class File: StoreGrowingFile {
    let file: any StoreGrowingFile
    let name: String
    unowned let backend: WatchedBackend
    init(_ file: any StoreGrowingFile, _ name: String, _ backend: WatchedBackend) {
      (self.file, self.name, self.backend) = (file, name, backend)
    }
    func write(_ bytes: RawSpan, at offset: Int) throws(FuseError) {
      try backend.note("write \(name)")
      try file.write(bytes, at: offset)
    }
    func stream(_ bytes: RawSpan, at offset: Int) throws(FuseError) { try write(bytes, at: offset) }
    func bytes(at offset: Int, count: Int) throws(FuseError) -> [UInt8] { try file.bytes(at: offset, count: count) }
    func makeDurable() throws(FuseError) {
      try backend.note("durable \(name)")
      try file.makeDurable()
    }
  }

  func make(_ folders: [String]) throws(FuseError) { try memory.make(folders) }
  func names(in folder: String) throws(FuseError) -> [String] { try memory.names(in: folder) }
  func file(_ name: String) throws(FuseError) -> StoreFile? { try memory.file(name) }
  func reader(_ name: String) throws(FuseError) -> FuseReader? { try memory.reader(name) }
  func write(_ bytes: [UInt8], to name: String, replacing: Bool) throws(FuseError) -> Bool {
    if name.hasPrefix("refs/") { try note("ref \(name)") }
    return try memory.write(bytes, to: name, replacing: replacing)
  }
  func begin(_ name: String) throws(FuseError) -> any StoreGrowingFile {
    File(try memory.begin(name), name, self)
  }
  func rename(_ name: String, to other: String) throws(FuseError) {
    try note("rename \(name) \(other)")
    try memory.rename(name, to: other)
  }
  func build(_ writer: FuseWriter, as name: String) throws(FuseError) {
    try note("index \(name)")
    try memory.build(writer, as: name)
  }
  func remove(_ name: String) throws(FuseError) { try memory.remove(name) }
  func isLocked(_ name: String) throws(FuseError) -> Bool { try memory.isLocked(name) }
  func sweep(_ name: String) throws(FuseError) -> Bool { try memory.sweep(name) }
  func lock(_ name: String, waiting: Bool) throws(FuseError) -> AnyObject? {
    try memory.lock(name, waiting: waiting)
  }
}

/// Packs are written and sealed on other threads; what that must keep to. [SP4] [SW4]
@Suite struct SealingTests {
  static let configuration = FuseStore.Configuration(
    chunking: .contentDefined(least: 512, average: 2048, most: 8192), packByteCount: 1 << 16)
  static let contents = noise(300_000, seed: 3)

  @Test func `each pack is durable before it has its name, then comes its index, and names come last`() throws {
    let backend = WatchedBackend()
    let store = try FuseStore.create(backend, configuration: Self.configuration)
    let writer = try StoreWriter(store)
    let id = try writer.put(Self.contents, .init(name: "n")).id
    try writer.commit()
    #expect(try store.bytes(of: id) == Self.contents)
    let events = backend.state.withLock { $0.events }
    let renames = events.filter { $0.hasPrefix("rename") }.map { $0.split(separator: " ").map { String($0) } }
    #expect(renames.count >= 4)
    for words in renames {
      let (temporary, pack) = (words[1], words[2])
      let renamed = try #require(events.firstIndex(of: "rename \(temporary) \(pack)"))
      let durable = try #require(events.firstIndex(of: "durable \(temporary)"))
      let written = try #require(events.lastIndex(of: "write \(temporary)"))
      let indexed = try #require(events.firstIndex(of: "index \(pack.replacing(".pack", with: ".fsdb"))"))
      #expect(written < durable && durable < renamed && renamed < indexed)
    }
    #expect(events.filter { $0.hasPrefix("ref") } == [events.last])
  }

  @Test func `whatever fails, a name is there with all of its bytes, or the commit says why not`() throws {
    var number = 1
    while true {
      let backend = WatchedBackend()
      let store = try FuseStore.create(backend, configuration: Self.configuration)
      backend.state.withLock { ($0.failsAt, $0.count) = (number, 0) }
      var isDone = false
      do {
        let writer = try StoreWriter(store)
        let id = try writer.put(Self.contents, .init(name: "n")).id
        try writer.commit()
        isDone = true
        #expect(try store.bytes(of: id) == Self.contents)
      } catch {
        #expect(error.message.contains("no space left"))
      }
      #expect(try store.id(named: "n") == nil || isDone)
      // What is left of it goes, and it can be done again.
      backend.state.withLock { $0.failsAt = .max }
      try store.collect()
      #expect(try backend.names(in: "tmp").filter { !$0.hasSuffix(".lock") }.isEmpty)
      let writer = try StoreWriter(store)
      let id = try writer.put(Self.contents, .init(name: "n")).id
      try writer.commit()
      #expect(try FuseStore(backend).bytes(of: id) == Self.contents)
      if isDone { break }
      number += 1
    }
    #expect(number > 15)
  }

  @Test func `a mark after a pack that is being sealed, and an object put twice across packs`() throws {
    let store = try FuseStore.create(MemoryBackend(), configuration: Self.configuration)
    let writer = try StoreWriter(store)
    var ids: [FuseStore.ObjectID] = []
    for round in 0..<3 {
      for seed in 0..<60 {
        let stored = try writer.put(noise(9000, seed: UInt64(seed)), .init(isKept: round == 1))
        if round == 0 { ids.append(stored.id) } else { #expect(!stored.isNew && stored.id == ids[seed]) }
      }
    }
    try writer.setName("one", to: ids[3])
    try writer.commit()
    #expect(try store.statistics().keptCount == 60)
    #expect(try store.verify().isSound)
    try store.collect()
    for (seed, id) in ids.enumerated() { #expect(try store.bytes(of: id) == noise(9000, seed: UInt64(seed))) }
  }

  @Test func `the table of entries is what a dictionary is`() {
    var random = SeededRandom.announced()
    var (table, model) = (EntryTable(), [FuseStore.ObjectID: PackEntry]())
    for _ in 0..<5000 {
      let id = FuseStore.ObjectID(random.bytes(31).rawSpan.array().withByte(random.below(3)).rawSpan)!
      let known = random.below(4) == 0 ? model.keys.randomElement() ?? id : id
      var entry = PackEntry(
        kind: random.element([.data, .recipe, .frame, .mark]), codec: random.element([.raw, .zlib, .zstd, .primed]),
        isKept: random.bool(), offset: random.below(1 << 40), storedByteCount: random.below(1 << 28),
        byteCount: random.below(1 << 28))
      if entry.kind == .frame { (entry.inner, entry.frameByteCount) = (random.below(1 << 20), random.below(1 << 28)) }
      #expect(table[known] == model[known])
      table[known] = entry
      model[known] = entry
    }
    #expect(table.count == model.count && !table.isEmpty)
    for (id, entry) in model { #expect(table[id] == entry) }
    #expect(Dictionary(uniqueKeysWithValues: table.all.map { ($0.key, $0.value) }) == model)
  }
}

extension [UInt8] {
  fileprivate func withByte(_ byte: Int) -> [UInt8] { self + [UInt8(byte)] }
}
