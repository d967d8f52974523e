import FuseDB
import FuseDBStore
import ProgramSupport

/// A store of a few kilobytes, with what was put into it. There are several, which among them have every kind of record and of file: so a bit that is
/// flipped in one is looked at beside few objects.
struct SmallStore: Sendable {
  /// What was put, and how it is put again.
  struct Piece: Sendable {
    var id: FuseStore.ObjectID
    var bytes: [UInt8]
    var options = StoreWriter.PutOptions()
    var isLoose = false
  }

  let title: String
  private(set) var pieces: [Piece] = []
  private(set) var files: [(name: String, bytes: [UInt8])] = []

  private let folder = StressFolder()
  private let store: FuseStore
  private var seed: UInt64

  private init(_ title: String, _ configuration: FuseStore.Configuration) throws {
    self.title = title
    store = try FuseStore.create(path: folder.store, configuration: configuration)
    seed = UInt64(title.utf8.count) << 32
  }

  private static let smallChunks = FuseStore.Configuration(
    chunking: .contentDefined(least: 64, average: 128, most: 256), packByteCount: 1 << 16)

  static func all() throws -> [SmallStore] { try [plain(), versions(), dictionary()] }

  // MARK: Making them

  private mutating func noise(_ count: Int) -> [UInt8] {
    seed += 1
    var random = SeededRandom(seed: seed)
    return random.bytes(count)
  }

  private mutating func put(_ bytes: [UInt8], _ options: StoreWriter.PutOptions = .init()) throws {
    let writer = try StoreWriter(store)
    try note(bytes, options, writer.put(bytes, options).id)
    try writer.commit()
  }

  private mutating func note(_ bytes: [UInt8], _ options: StoreWriter.PutOptions, _ id: FuseStore.ObjectID) throws {
    pieces.append(Piece(id: id, bytes: bytes, options: options))
  }

  private mutating func putLoose(_ bytes: [UInt8]) throws {
    pieces.append(Piece(id: try store.put(bytes, to: .loose).id, bytes: bytes, isLoose: true))
  }

  /// Raw, by zlib, by zstd, in frames, lists of chunks and of nodes, marks, names, folders, a loose object; a mark that was taken back, a pack on its
  /// way out.
  private static func plain() throws -> SmallStore {
    var made = try SmallStore("plain", smallChunks)
    try made.put(made.noise(90), .init(compression: FuseStore.Compression.none))
    let text = (0..<40).flatMap { Array("line \($0 % 7) of a text that packs\n".utf8) }
    try made.put(text, .init(chunking: .fixed(1024), compression: .zlib(level: 9)))
    try made.put(Array(text.reversed()), .init(chunking: .fixed(1024), compression: .zstd(level: 3)))
    try made.put(Array(repeating: 65, count: 120))
    try made.put(made.noise(400))
    try made.put(made.bytesOfNodes(), .init(chunking: .fixed(512)))
    let named = made.noise(100)
    try made.put(named, .init(name: "a/name"))
    // A mark: it is there already.
    try made.put(named)
    try made.putLoose(made.noise(60))
    try made.putFolder()
    try made.store.collect(.init(leastLiveShare: 1, packsLoose: false, mostSmallPacks: 2))
    let gone = made.noise(80)
    _ = try made.store.remove(made.store.put(gone, to: .packs).id)
    // While a writer lives, what a collection gives up stays.
    let writer = try StoreWriter(made.store)
    try writer.put(made.noise(30), .init(isKept: false))
    try made.store.collect(.init(leastLiveShare: 0, packsLoose: false, mostSmallPacks: 2))
    _ = try made.store.remove(made.store.put(made.noise(70), to: .packs).id)
    try made.load()
    return made
  }

  /// So many equal chunks that their list has two nodes: one ends where a digest has eight bits of zeros in the right place. [SC4]
  private mutating func bytesOfNodes() throws -> [UInt8] {
    while true {
      let chunk = noise(512)
      let id = try FuseStore.id(of: chunk)
      guard id.description.dropFirst(14).prefix(2) == "00" else { continue }
      return Array(repeating: chunk, count: 66).flatMap { $0 }
    }
  }

  private mutating func putFolder() throws {
    let files = [("one", noise(50)), ("two", noise(150))]
    for (name, bytes) in files { EveryBit.write(bytes, to: "\(folder.material)/\(name)") }
    let writer = try StoreWriter(store)
    _ = try writer.putFolder(path: folder.material, named: "folder")
    try writer.commit()
    for (_, bytes) in files { try note(bytes, .init(), FuseStore.id(of: bytes)) }
  }

  /// Versions of a text, in deep frames, and of a look-up file, as patches.
  private static func versions() throws -> SmallStore {
    var made = try SmallStore("versions", smallChunks)
    let shared = made.noise(300)
    for version in 0..<3 {
      let text = (0..<6).flatMap { Array("\($0 == version ? version : 9) ".utf8) + shared.prefix(40 * $0 + 20) }
      try made.putVersion(text, of: "text")
    }
    for version in 0..<3 {
      let writer = FuseWriter(FuseWriter.Options(sharing: .none))
      for key in 0..<30 {
        var random = SeededRandom(seed: UInt64(key == version ? key + 100 * version : key))
        _ = try writer.add(["k\(key)"], messagePack: [0xC4, 30] + random.bytes(30))
      }
      let path = "\(made.folder.material)/table.fsdb"
      try writer.build(to: path)
      try made.putVersion(Scratch.bytes(of: path)!, of: "table")
    }
    try made.store.deepen()
    try made.store.collect(.init(leastLiveShare: 1, packsLoose: false, mostSmallPacks: 2))
    try made.load()
    return made
  }

  private mutating func putVersion(_ bytes: [UInt8], of name: String) throws {
    let path = "\(folder.material)/\(name)"
    EveryBit.write(bytes, to: path)
    let id = try store.put(path: path, .init(name: name, keepsVersions: true)).id
    // The name stands for the newest.
    for place in pieces.indices where pieces[place].options.name == name { pieces[place].options = .init() }
    try note(bytes, .init(name: name, keepsVersions: true), id)
  }

  /// Frames that are packed after the objects of others. These are a quarter of a megabyte at least, and pack to little. [SR7]
  private static func dictionary() throws -> SmallStore {
    var made = try SmallStore("dictionary", .init())
    let writer = try StoreWriter(made.store)
    writer.leastDictionaryByteCount = 0
    for number in 0..<50 {
      let word = Array("object \(number % 3) of those after which others are packed; ".utf8)
      let bytes = (0..<8000).map { $0 < 3 ? UInt8(number) : word[$0 % word.count] }
      let id = try writer.put(bytes).id
      // The first, some of the others, and all that are packed after these.
      if number % 9 == 0 || number >= 40 { try made.note(bytes, .init(), id) }
    }
    try writer.commit()
    try made.load()
    return made
  }

  // MARK: What came of it

  private mutating func load() throws {
    files = Self.names(folder.store, "").filter { !$0.hasPrefix("tmp/") }.map { name in
      (name, Scratch.bytes(of: "\(folder.store)/\(name)")!)
    }
  }

  private static func names(_ path: String, _ prefix: String) -> [String] {
    (Scratch.names(in: path) ?? []).sorted().flatMap { name in
      Scratch.names(in: "\(path)/\(name)") != nil ? names("\(path)/\(name)", "\(prefix)\(name)/") : [prefix + name]
    }
  }
}
