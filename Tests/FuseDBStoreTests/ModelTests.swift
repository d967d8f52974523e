import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBStore

@Suite struct ModelTests {
  /// What a store does, by a dictionary.
  struct Model {
    var kept: [FuseStore.ObjectID: [UInt8]] = [:]
    var names: [String: FuseStore.ObjectID] = [:]
    var contents: [FuseStore.ObjectID: [UInt8]] = [:]
  }

  @Test(arguments: [true, false])
  func `any order of calls does what a dictionary does`(isFolder: Bool) throws {
    var random = SeededRandom.announced()
    let configuration = FuseStore.Configuration(
      chunking: .contentDefined(least: 64, average: 256, most: 1024), packByteCount: 1 << 16)
    let scratch = isFolder ? try ScratchStore(configuration) : nil
    let memory = MemoryBackend()
    let first = try scratch?.store ?? FuseStore.create(memory, configuration: configuration)
    // Two of them, as two processes have them.
    let stores = [first, try scratch.map { try $0.again() } ?? FuseStore(memory)]
    var model = Model()
    let pool = (0..<40).map { number in
      number % 2 == 0
        ? noise(number * number * 9, seed: UInt64(number)) : prose(number * number * 11, seed: UInt64(number))
    }
    for step in 0..<(isFolder ? 150 : 400) {
      let store = random.element(stores)
      switch random.below(10) {
      case 0, 1:
        let bytes = random.element(pool)
        let stored = try store.put(bytes, to: random.element([.automatic, .packs]))
        model.kept[stored.id] = bytes
        model.contents[stored.id] = bytes
      case 2, 3:
        let writer = try StoreWriter(store)
        var (kept, names): ([FuseStore.ObjectID: [UInt8]], [String: FuseStore.ObjectID]) = ([:], [:])
        // What is kept by a pack that was full stays also without a commit; what is named does not.
        let isGivenUp = random.below(5) == 0
        for _ in 0..<random.below(8) {
          let bytes = random.element(pool)
          if isGivenUp || random.bool() {
            let name = "name \(random.below(6))"
            let id = try writer.put(bytes, .init(name: name)).id
            names[name] = id
            model.contents[id] = bytes
          } else {
            kept[try writer.put(bytes).id] = bytes
          }
        }
        guard !isGivenUp else { continue }
        try writer.commit()
        model.kept.merge(kept) { first, _ in first }
        model.contents.merge(kept) { first, _ in first }
        model.names.merge(names) { _, last in last }
      case 4:
        guard let id = model.kept.keys.randomElement(using: &random) else { continue }
        #expect(try store.remove(id), "step \(step)")
        model.kept[id] = nil
      case 5:
        let name = "name \(random.below(6))"
        #expect(try store.removeName(name) == (model.names.removeValue(forKey: name) != nil), "step \(step)")
      case 6:
        guard let id = model.kept.keys.randomElement(using: &random) else { continue }
        try store.setName("name 7", to: id)
        model.names["name 7"] = id
      case 7, 8:
        try store.collect(.init(leastLiveShare: random.element([0.5, 0.9, 1]), mostSmallPacks: 2 + random.below(5)))
      default: try store.packLoose()
      }
      for store in stores {
        for (name, id) in model.names {
          #expect(try store.id(named: name) == id, "step \(step)")
          #expect(try store.bytes(of: id) == model.contents[id], "step \(step)")
        }
        for (id, bytes) in model.kept { #expect(try store.bytes(of: id) == bytes, "step \(step)") }
      }
    }
    let store = stores[0]
    var listed: [FuseStore.ObjectID] = []
    try store.forEachKept { (id: FuseStore.ObjectID) throws(FuseError) in listed.append(id) }
    #expect(listed == model.kept.keys.sorted())
    #expect(try store.names() == model.names.keys.sorted())
    #expect(try store.verify().isSound)
    // What nothing needs is gone after a collection that rewrites whatever has any of it.
    try store.collect(.init(leastLiveShare: 1))
    let needed = Set(model.kept.keys).union(model.names.values)
    for id in model.contents.keys where !needed.contains(id) { #expect(try !FuseStore(store.backend).contains(id)) }
    let counts = try FuseStore(store.backend).statistics()
    #expect(counts.keptCount == model.kept.count && counts.nameCount == model.names.count)
    for id in model.kept.keys { _ = try store.remove(id) }
    for name in model.names.keys { _ = try store.removeName(name) }
    try store.collect()
    let empty = try FuseStore(store.backend).statistics()
    #expect(empty.packCount == 0 && empty.chunkCount == 0 && empty.looseCount == 0)
  }

  @Test func `a writer that relied on a pack before it was condemned finds its chunks after its commit`() throws {
    let scratch = try ScratchStore()
    let (bytes, other) = (noise(300_000, seed: 1), noise(400_000, seed: 2))
    let id = try scratch.store.put(bytes, to: .packs).id
    let writer = try StoreWriter(scratch.again())
    // It knows the chunks; nothing new is written but the mark.
    #expect(try !writer.put(bytes + [], .init(name: "late")).isNew)
    _ = try scratch.again().remove(id)
    try scratch.again().put(other, to: .packs)
    let report = try scratch.again().collect()
    #expect(report.condemnedCount == 1 && report.removedCount == 0 && report.waitingCount == 1)
    // A writer that begins now does not rely on them.
    let later = try StoreWriter(scratch.again())
    #expect(try later.put(bytes, .init(name: "later")).isNew)
    try writer.commit()
    try later.commit()
    let second = try scratch.again().collect()
    #expect(second.waitingCount == 0 && second.removedCount >= 1)
    for name in ["late", "later"] {
      let store = try scratch.again()
      #expect(try store.bytes(of: store.id(named: name)!) == bytes)
    }
    #expect(try scratch.again().verify().isSound)
  }

  @Test func `a reader that has the old list finds what was moved`() throws {
    let scratch = try ScratchStore()
    let reader = try scratch.again()
    var ids: [FuseStore.ObjectID] = []
    for number in 0..<12 { ids.append(try scratch.store.put(noise(100_000, seed: UInt64(number)), to: .packs).id) }
    for id in ids.prefix(3) { _ = try scratch.store.remove(id) }
    try scratch.again().collect(.init(leastLiveShare: 1, mostSmallPacks: 2))
    for id in ids.dropFirst(3) { #expect(try reader.bytes(of: id) != nil) }
  }

  @Test func `what could not be written is not committed, and the writer begins anew`() throws {
    let scratch = try ScratchStore(.init(packByteCount: 1 << 16))
    let writer = try StoreWriter(scratch.store)
    let first = try writer.put(prose(500, seed: 1)).id
    scratch.move("packs", to: "elsewhere")
    #expect(throws: FuseError.self) { try writer.put(noise(400_000, seed: 2)) }
    scratch.move("elsewhere", to: "packs")
    #expect(throws: FuseError.self) { try writer.commit() }
    #expect(try !scratch.again().contains(first))
    #expect(try writer.put(prose(500, seed: 1)).isNew)
    try writer.commit()
    #expect(try scratch.again().bytes(of: first) == prose(500, seed: 1))
    #expect(try scratch.again().verify().isSound)
  }
}
