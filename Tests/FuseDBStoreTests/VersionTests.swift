import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBStore

/// Versions of names: as patches, as deep frames, and what they need.
@Suite struct VersionTests {
  /// A look-up file of so many records, of which some are another in each version.
  static func lookupFile(_ scratch: ScratchStore, version: Int, count: Int = 120) throws -> (
    path: String, bytes: [UInt8]
  ) {
    let writer = FuseWriter(FuseWriter.Options(sharing: .none))
    for number in 0..<count {
      let isChanged = number % 40 == version % 40 && version > 0
      let text = prose(60, seed: UInt64(number * 1000 + (isChanged ? version : 0)))
      _ = try writer.add(["key \(number)"], messagePack: [0xD9, 60] + text)
    }
    let path = "\(scratch.folder)/v\(version).fsdb"
    try writer.build(to: path)
    return (path, Scratch.bytes(of: path)!)
  }

  /// A text of lines, of which some are another in each version.
  static func text(_ scratch: ScratchStore, version: Int, count: Int = 400) throws -> (path: String, bytes: [UInt8]) {
    var bytes: [UInt8] = []
    for number in 0..<count {
      let isChanged = number % 9 == version % 9
      bytes += noise(8, seed: UInt64(number)).flatMap { Array("\($0) ".utf8) }
      bytes += Array("line \(number), version \(isChanged ? version : 0)\n".utf8)
    }
    let path = "\(scratch.folder)/v\(version).txt"
    scratch.write(bytes, to: path)
    return (path, bytes)
  }

  static let small = FuseStore.Configuration(
    chunking: .contentDefined(least: 64, average: 256, most: 1024), packByteCount: 1 << 16)

  static func contents(_ store: FuseStore, _ name: String) throws -> [[UInt8]] {
    try (store.versions(named: name) ?? []).map { try store.bytes(of: $0.id) ?? [] }
  }

  @Test func `versions of a look-up file are patches between a whole first and a whole newest`() throws {
    let scratch = try ScratchStore(Self.small)
    var all: [[UInt8]] = []
    for version in 0..<26 {
      let (path, bytes) = try Self.lookupFile(scratch, version: version)
      try scratch.store.put(path: path, .init(name: "n", keepsVersions: version == 0 ? true : nil))
      all.append(bytes)
    }
    try scratch.store.collect(.init(leastLiveShare: 1))
    let store = try scratch.again()
    #expect(try store.versions(named: "n")?.map(\.number) == Array(1...26))
    #expect(try Self.contents(store, "n") == all)
    #expect(try store.id(named: "n") == store.versions(named: "n")?.last?.id)
    // The first, the one after 24, which is followed by the newest.
    let patches = try store.versions(named: "n")!.map { $0.patch == nil }
    #expect(patches == (0..<26).map { $0 == 0 || $0 == 24 })
    #expect(try store.statistics().patchedCount == 23)
    #expect(try 4 * store.statistics().packByteCount < all.reduce(0) { $0 + $1.count })
    #expect(try store.verify().isSound)
    // What is put again is no new version.
    let (path, _) = try Self.lookupFile(scratch, version: 25)
    #expect(try !store.put(path: path, .init(name: "n")).isNew)
    #expect(try store.versions(named: "n")?.count == 26)
    #expect(try store.removeName("n"))
    try store.collect()
    #expect(try scratch.again().statistics().packCount == 0)
  }

  @Test func `deep frames take less and give the same bytes`() throws {
    let scratch = try ScratchStore(Self.small)
    var all: [[UInt8]] = []
    for version in 0..<12 {
      let (path, bytes) = try Self.text(scratch, version: version)
      try scratch.store.put(path: path, .init(name: "t", keepsVersions: true))
      all.append(bytes)
    }
    let before = try scratch.store.statistics().packByteCount
    let report = try scratch.store.deepen()
    #expect(report.versionCount == 12 && report.newByteCount < report.oldByteCount / 2)
    try scratch.store.collect(.init(leastLiveShare: 1))
    let store = try scratch.again()
    #expect(try store.statistics().packByteCount < before / 2)
    #expect(try Self.contents(store, "t") == all)
    #expect(try store.verify().isSound)
    // Again: there is nothing left to do.
    #expect(try store.deepen().chunkCount == 0)
    // No frame is deeper than is allowed, and some are as deep.
    var deepest = 0
    for pack in store.view.all {
      try pack.forEach { (_: FuseStore.ObjectID, entry: PackEntry) throws(FuseError) in
        deepest = max(deepest, pack.depth(of: entry) ?? 99)
      }
    }
    #expect(deepest == DeepFrame.mostDepth)
  }

  @Test func `what a frame is packed after stands in a few frames, in whatever order a version has its parts`() throws {
    let scratch = try ScratchStore()
    var random = SeededRandom.announced()
    var parts = (0..<80).map { prose(96 << 10, seed: UInt64($0)) }
    for version in 0..<2 {
      if version == 1 {
        // Those that stay as they are lead all over the version before.
        parts.shuffle(using: &random)
        for number in stride(from: 0, to: parts.count, by: 2) {
          for place in stride(from: 0, to: parts[number].count, by: 2048) { parts[number][place] = 0x20 }
        }
      }
      let path = "\(scratch.folder)/v\(version)"
      scratch.write(Array(parts.joined()), to: path)
      try scratch.store.put(path: path, .init(name: "n", keepsVersions: true))
    }
    let newest = Array(parts.joined())
    try scratch.store.deepen()
    try scratch.store.collect(.init(leastLiveShare: 1))
    let store = try scratch.again()
    let view = try store.refresh()
    let places = try DeepPlaces(view)
    var most = 0
    for pack in view.all {
      try pack.forEach { (_: FuseStore.ObjectID, entry: PackEntry) throws(FuseError) in
        guard entry.kind == .deep, let (frame, _) = DeepFrame.parse(pack.bytes.extracting(entry.payload)) else {
          return
        }
        var others: Set<DeepPlaces.Frame> = []
        for base in frame.bases { if let other = try places.frame(of: base) { others.insert(other) } }
        most = max(most, others.count)
      }
    }
    #expect(most == DeepFrame.mostBaseFrames)
    #expect(try store.versions(named: "n")!.last.flatMap { try store.bytes(of: $0.id) } == newest)
    #expect(try store.verify().isSound)
  }

  /// What a store with versions does, by dictionaries: in any order, with names that have each other's versions in another order, so that what is
  /// a patch for one is what patches begin from for another.
  @Test(arguments: [1, 2, 3]) func `any order of versions, collections and deepening keeps all`(seed: Int) throws {
    var random = SeededRandom.announced()
    let scratch = try ScratchStore(Self.small)
    let pool =
      try (0..<7).map { try Self.lookupFile(scratch, version: $0) }
      + (0..<6).map { try Self.text(scratch, version: $0) }
    let stores = [scratch.store, try scratch.again()]
    var names: [String: [[UInt8]]] = [:]
    var kept: [FuseStore.ObjectID: [UInt8]] = [:]
    for step in 0..<50 {
      let store = random.element(stores)
      switch random.below(11) {
      case 0...4:
        let name = "n\(random.below(3))"
        let (path, bytes) = random.element(pool)
        try store.put(path: path, .init(name: name, keepsVersions: true))
        if names[name]?.last != bytes { names[name, default: []].append(bytes) }
      case 5:
        let (path, bytes) = random.element(pool)
        kept[try store.put(path: path).id] = bytes
      case 6:
        guard let id = kept.keys.randomElement(using: &random) else { continue }
        _ = try store.remove(id)
        kept[id] = nil
      case 7: try store.deepen()
      case 9:
        guard let name = names.keys.randomElement(using: &random) else { continue }
        let place = random.below(names[name]!.count)
        let number = try store.versions(named: name)![place].number
        if place == names[name]!.count - 1 {
          #expect(throws: FuseError.self) { try store.removeVersion(number, of: name) }
        } else {
          #expect(try store.removeVersion(number, of: name))
          #expect(try !scratch.again().removeVersion(number, of: name))
          names[name]!.remove(at: place)
        }
      case 8:
        guard random.below(3) == 0, let name = names.keys.randomElement(using: &random) else { continue }
        #expect(try store.removeName(name))
        names[name] = nil
      default: try store.collect(.init(leastLiveShare: random.element([0.5, 1]), mostSmallPacks: 2 + random.below(5)))
      }
      for store in [store, try scratch.again()] {
        for (name, all) in names { #expect(try Self.contents(store, name) == all, "step \(step), \(name)") }
        for (id, bytes) in kept { #expect(try store.bytes(of: id) == bytes, "step \(step)") }
      }
    }
    #expect(try scratch.again().verify().isSound)
    let other = try ScratchStore()
    _ = try scratch.store.copy(to: other.store)
    for (name, all) in names { #expect(try Self.contents(other.store, name) == all) }
    #expect(try other.store.verify().isSound)
    // What nothing needs leaves nothing.
    for name in names.keys { _ = try scratch.store.removeName(name) }
    for id in kept.keys { _ = try scratch.store.remove(id) }
    try scratch.store.collect()
    let counts = try scratch.again().statistics()
    #expect(counts.packCount == 0 && counts.chunkCount == 0 && counts.patchedCount == 0)
  }

  @Test func `a version that is removed frees what it took, and the others stay as they are`() throws {
    let scratch = try ScratchStore(Self.small)
    let files = try (0..<12).map { try Self.lookupFile(scratch, version: $0) }
    var left: [(number: Int, bytes: [UInt8])] = []
    for (place, file) in files.prefix(8).enumerated() {
      try scratch.again().put(path: file.path, .init(name: "n", keepsVersions: true))
      left.append((place + 1, file.bytes))
    }
    // The first, one that others are patches of, one right before the newest, and one more.
    for number in [1, 4, 7, 3] {
      #expect(try scratch.again().removeVersion(number, of: "n"))
      left.removeAll { $0.number == number }
      try scratch.again().collect(.init(leastLiveShare: 1))
      let store = try scratch.again()
      #expect(try store.versions(named: "n")!.map(\.number) == left.map(\.number))
      #expect(try Self.contents(store, "n") == left.map(\.bytes), "without \(number)")
      #expect(try store.verify().isSound)
    }
    #expect(try !scratch.again().removeVersion(4, of: "n") && !scratch.again().removeVersion(1, of: "none"))
    // It goes on from the newest, which was whole.
    for (place, file) in files.enumerated().dropFirst(8) {
      try scratch.again().put(path: file.path, .init(name: "n"))
      left.append((place + 1, file.bytes))
      try scratch.again().collect(.init(leastLiveShare: 1))
    }
    let store = try scratch.again()
    #expect(try Self.contents(store, "n") == left.map(\.bytes))
    // Number 2 has lost the one that it was a patch of, 5 one in between, and 8 was the newest then.
    #expect(try store.versions(named: "n")!.filter { $0.patch == nil }.map(\.number) == [2, 5, 8])
    #expect(try store.statistics().patchedCount == 6)
    // What the name stands for goes with the name alone, and says so.
    var refused: FuseError?
    do throws(FuseError) { _ = try store.removeVersion(12, of: "n") } catch { refused = error }
    #expect(refused?.code == .refused && refused?.message.contains("newest of 'n'") == true)
    for number in left.map(\.number).dropLast() { #expect(try store.removeVersion(number, of: "n")) }
    try store.collect(.init(leastLiveShare: 1))
    #expect(try Self.contents(scratch.again(), "n") == [files[11].bytes])
    // Of all that was, one whole file is left.
    #expect(try scratch.again().statistics().patchedCount == 0)
    #expect(try scratch.again().statistics().packByteCount < 2 * files[11].bytes.count)
  }

  @Test func `a version that is removed while another writer puts the next one is gone, and both are sound`() throws {
    let scratch = try ScratchStore(Self.small)
    let files = try (0..<6).map { try Self.lookupFile(scratch, version: $0) }
    for file in files.prefix(3) { try scratch.store.put(path: file.path, .init(name: "n", keepsVersions: true)) }
    let writer = try StoreWriter(scratch.again())
    try writer.put(path: files[3].path, .init(name: "n"))
    #expect(try scratch.again().removeVersion(1, of: "n"))
    try scratch.again().collect(.init(leastLiveShare: 1))
    try writer.commit()
    for file in files.dropFirst(4) {
      try scratch.again().collect(.init(leastLiveShare: 1))
      try scratch.again().put(path: file.path, .init(name: "n"))
    }
    try scratch.again().collect(.init(leastLiveShare: 1))
    #expect(try Self.contents(scratch.again(), "n") == files.dropFirst().map(\.bytes))
    // The one that the writer put is whole: what its patch would have needed may be gone.
    #expect(try scratch.again().versions(named: "n")!.map { $0.patch == nil } == [true, true, true, false, false])
    #expect(try scratch.again().verify().isSound)
  }

  @Test func `two writers of one name lose no version`() throws {
    let scratch = try ScratchStore(Self.small)
    let files = try (0..<4).map { try Self.lookupFile(scratch, version: $0) }
    try scratch.store.put(path: files[0].path, .init(name: "n", keepsVersions: true))
    let (first, second) = (try StoreWriter(scratch.again()), try StoreWriter(scratch.again()))
    try first.put(path: files[1].path, .init(name: "n"))
    try second.put(path: files[2].path, .init(name: "n"))
    try second.commit()
    try first.commit()
    try scratch.again().put(path: files[3].path, .init(name: "n"))
    try scratch.again().collect(.init(leastLiveShare: 1))
    #expect(try Self.contents(scratch.again(), "n") == [0, 2, 1, 3].map { files[$0].bytes })
    #expect(try scratch.again().verify().isSound)
  }

  @Test func `a writer that ends between patch and newest leaves the list as it was`() throws {
    let scratch = try ScratchStore(Self.small)
    let files = try (0..<4).map { try Self.lookupFile(scratch, version: $0, count: 900) }
    for file in files.prefix(2) { try scratch.store.put(path: file.path, .init(name: "n", keepsVersions: true)) }
    do {
      // Packs that were full are there; the name does not know of them.
      let writer = try StoreWriter(scratch.again())
      try writer.put(path: files[2].path, .init(name: "n"))
      try writer.put(noise(200_000, seed: 1))
    }
    #expect(try Self.contents(scratch.again(), "n") == files.prefix(2).map(\.bytes))
    try scratch.again().collect(.init(leastLiveShare: 1))
    #expect(try Self.contents(scratch.again(), "n") == files.prefix(2).map(\.bytes))
    try scratch.again().put(path: files[3].path, .init(name: "n"))
    try scratch.again().collect(.init(leastLiveShare: 1))
    #expect(try Self.contents(scratch.again(), "n") == [0, 1, 3].map { files[$0].bytes })
  }

  /// A store with versions of both kinds, and deep frames.
  static func sample() throws -> (scratch: ScratchStore, objects: [FuseStore.ObjectID: [UInt8]]) {
    let scratch = try ScratchStore(small)
    var objects: [FuseStore.ObjectID: [UInt8]] = [:]
    for version in 0..<3 {
      for (path, bytes) in [
        try lookupFile(scratch, version: version, count: 50), try text(scratch, version: version, count: 40),
      ] {
        let name = path.hasSuffix("txt") ? "t" : "n"
        objects[try scratch.store.put(path: path, .init(name: name, keepsVersions: true)).id] = bytes
      }
    }
    try scratch.store.deepen()
    try scratch.store.collect(.init(leastLiveShare: 1, mostSmallPacks: 2))
    return (scratch, objects)
  }

  @Test func `no flipped bit of versions gives other bytes, and putting them again heals`() throws {
    let (scratch, objects) = try Self.sample()
    let counts = try scratch.store.statistics()
    #expect(counts.patchedCount > 0 && counts.storedByteCount["zstd deep frames"] ?? 0 > 0)
    var random = SeededRandom.announced()
    #expect(DamageTests.check(scratch.path, objects, [:]) == (0, 0))
    for (file, bytes) in scratch.files where file.hasSuffix(".pack") || file.hasPrefix("refs/") {
      for bit in stride(from: random.below(97), to: 8 * bytes.count, by: 97) {
        var damaged = bytes
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        scratch.overwrite(file, with: damaged)
        let (wrong, failed) = DamageTests.check(scratch.path, objects, [:])
        #expect(wrong == 0, "\(file), bit \(bit)")
        guard file.hasSuffix(".pack"), bit % 5 == 0 else { continue }
        if failed > 0 { #expect(try !scratch.again().verify().isSound, "\(file), bit \(bit)") }
        let before = scratch.files
        let writer = try StoreWriter(scratch.again())
        for bytes in objects.values { try writer.put(bytes) }
        try writer.commit()
        #expect(DamageTests.check(scratch.path, objects, [:]) == (0, 0), "\(file), bit \(bit)")
        // It stays healed: a collection does not go back to what is damaged.
        if (try? scratch.again().collect(.init(leastLiveShare: 1))) != nil {
          #expect(DamageTests.check(scratch.path, objects, [:]) == (0, 0), "\(file), bit \(bit), collected")
        }
        for name in scratch.files.keys where before[name] == nil { scratch.remove(name) }
        for (name, bytes) in before { scratch.overwrite(name, with: bytes) }
      }
      scratch.overwrite(file, with: bytes)
    }
    #expect(DamageTests.check(scratch.path, objects, [:]) == (0, 0))
  }

  @Test func `a damaged base makes errors that name object and pack`() throws {
    let (scratch, objects) = try Self.sample()
    let pack = scratch.files.keys.first { $0.hasSuffix(".pack") }!
    var messages: [String] = []
    for (place, _) in scratch.files[pack]!.enumerated().filter({ $0.offset % 23 == 20 }) {
      let bytes = scratch.files[pack]!
      var damaged = bytes
      damaged[place] ^= 0x55
      scratch.overwrite(pack, with: damaged)
      let store = try scratch.again()
      for id in objects.keys {
        do { _ = try store.bytes(of: id) } catch { messages.append("\(error)") }
      }
      scratch.overwrite(pack, with: bytes)
    }
    #expect(messages.contains { $0.contains("is packed after") })
    #expect(messages.contains { $0.contains("is kept as patches of") })
    #expect(messages.allSatisfy { $0.contains("store") })
  }

  @Test func `indexes of packs with versions are made anew from the packs alone`() throws {
    let (scratch, objects) = try Self.sample()
    for file in scratch.files.keys where file.hasSuffix(".fsdb") { scratch.remove(file) }
    let report = try scratch.again().repair()
    #expect(report.rebuiltCount > 0 && report.lost.isEmpty)
    #expect(DamageTests.check(scratch.path, objects, [:]) == (0, 0))
    #expect(try scratch.again().verify().isSound)
    #expect(try scratch.again().deepen().chunkCount == 0)
  }
}
