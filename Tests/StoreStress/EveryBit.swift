import FuseDB
import FuseDBStore
import Glibc
import ProgramSupport

/// Every bit of every file of a small store is flipped, and every file cut at every byte: whoever reads gets the right bytes or an error, and what
/// can't be read is found by a check.
struct EveryBit {
  private let folder = StressFolder()
  private var objects: [FuseStore.ObjectID: [UInt8]] = [:]
  private var names: [String: FuseStore.ObjectID] = [:]
  private var checkCount = 0

  mutating func run() throws -> String {
    try make()
    guard try check() == 0 else { throw Violation("the store is damaged before anything was done") }
    let files = Self.files(folder.store, "")
    for kind in ["config", ".pack", ".fsdb", ".gone", "loose/", "refs/", "condemned/"] {
      guard files.contains(where: { $0.hasSuffix(kind) || $0.hasPrefix(kind) }) else {
        throw Violation("no file is a \(kind)")
      }
    }
    for file in files where !file.hasPrefix("tmp/") {
      let bytes = Scratch.bytes(of: folder.store + "/" + file)!
      for bit in 0..<8 * bytes.count {
        var damaged = bytes
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        try look(file, damaged, "with bit \(bit) flipped", isFlipped: true)
      }
      for count in bytes.indices {
        try look(file, Array(bytes.prefix(count)), "cut to \(count) bytes", isFlipped: false)
      }
      try look(file, bytes, "as it was", isFlipped: false)
      print("  \(file): \(bytes.count) bytes")
      fflush(nil)
    }
    guard try check() == 0 else { throw Violation("the store is damaged when all is as it was") }
    return "\(checkCount) damaged stores, no wrong byte"
  }

  private mutating func look(_ file: String, _ bytes: [UInt8], _ what: String, isFlipped: Bool) throws {
    Self.write(bytes, to: folder.store + "/" + file)
    checkCount += 1
    let failed: Int
    do { failed = try check() } catch { throw Violation("\(file) \(what): \(error)") }
    // What can't be read is found, and it is no surprise that a store without a configuration is none.
    guard failed > 0, file != "config", isFlipped, let store = try? FuseStore(path: folder.store) else { return }
    guard let report = try? store.verify(), report.isSound else { return }
    throw Violation("\(file) \(what): \(failed) can't be read, and a check finds nothing")
  }

  /// How many can't be read; throws where one gives other bytes.
  private func check() throws -> Int {
    guard let store = try? FuseStore(path: folder.store) else { return objects.count + names.count }
    var failed = 0
    for (id, bytes) in objects {
      guard let read = try? store.bytes(of: id) else {
        failed += 1
        continue
      }
      guard read == bytes else { throw Violation("\(id) gives other bytes") }
    }
    for (name, id) in names {
      guard let found = try? store.id(named: name), let read = try? store.bytes(of: found) else {
        failed += 1
        continue
      }
      // A name may lead to another object by a flipped bit of its digest only where that is there, which nobody can make.
      guard found == id, read == objects[id] else { throw Violation("the name \(name) leads elsewhere") }
    }
    return failed
  }

  /// A store with a record of every kind, and a file of every kind.
  private mutating func make() throws {
    let store = try FuseStore.create(
      path: folder.store,
      configuration: .init(chunking: .contentDefined(least: 64, average: 128, most: 256), packByteCount: 1 << 16))
    var random = SeededRandom(seed: 7)
    func put(_ bytes: [UInt8], _ options: StoreWriter.PutOptions = .init()) throws {
      let writer = try StoreWriter(store)
      let id = try writer.put(bytes, options).id
      try writer.commit()
      objects[id] = bytes
      if let name = options.name { names[name] = id }
    }
    try put(random.bytes(90))
    try put(Array(repeating: 65, count: 120))
    try put(random.bytes(400))
    try put(random.bytes(100), .init(name: "a/name"))
    let loose = random.bytes(60)
    objects[try store.put(loose, to: .loose).id] = loose
    let shared = random.bytes(300)
    for version in 0..<3 {
      let text = (0..<6).flatMap { Array("\($0 == version ? version : 9) ".utf8) + shared.prefix(40 * $0 + 20) }
      let path = "\(folder.material)/text"
      Self.write(text, to: path)
      let id = try store.put(path: path, .init(name: "text", keepsVersions: true)).id
      objects[id] = text
      names["text"] = id
    }
    for version in 0..<3 {
      let writer = FuseWriter(FuseWriter.Options(sharing: .none))
      for key in 0..<30 {
        var random = SeededRandom(seed: UInt64(key == version ? key + 100 * version : key))
        _ = try writer.add(["k\(key)"], messagePack: [0xC4, 30] + random.bytes(30))
      }
      let path = "\(folder.material)/table.fsdb"
      try writer.build(to: path)
      let id = try store.put(path: path, .init(name: "table", keepsVersions: true)).id
      objects[id] = Scratch.bytes(of: path)!
      names["table"] = id
    }
    try store.deepen()
    try store.collect(.init(leastLiveShare: 1, packsLoose: false, mostSmallPacks: 2))
    // A mark that was taken back.
    let gone = random.bytes(80)
    let id = try store.put(gone, to: .packs).id
    _ = try store.remove(id)
    let counts = try store.statistics()
    guard counts.patchedCount > 0, counts.storedByteCount["zstd deep frames"] != nil else {
      throw Violation("the store lacks a kind of record: \(counts.storedByteCount)")
    }
  }

  private static func files(_ path: String, _ prefix: String) -> [String] {
    (Scratch.names(in: path) ?? []).sorted().flatMap { name in
      Scratch.names(in: "\(path)/\(name)") != nil ? files("\(path)/\(name)", "\(prefix)\(name)/") : [prefix + name]
    }
  }

  /// In the place of the file, as a new one: whoever has the old one mapped keeps it.
  private static func write(_ bytes: [UInt8], to place: String) {
    unsafe unlink(place)
    // SAFETY: the call reads the bytes of the array; the file is open.
    guard let file = unsafe fopen(place, "wb"), unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count,
      unsafe fclose(file) == 0
    else { preconditionFailure("no file for the test") }
  }
}
