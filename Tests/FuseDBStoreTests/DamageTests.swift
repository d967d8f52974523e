import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBStore

@Suite struct DamageTests {
  /// A small store of every kind of record: raw, packed, in a frame, a recipe with chunks, a mark, loose, named, a folder.
  static func sample() throws -> (
    scratch: ScratchStore, objects: [FuseStore.ObjectID: [UInt8]], names: [String: [UInt8]]
  ) {
    let scratch = try ScratchStore(.init(chunking: .contentDefined(least: 64, average: 128, most: 256)))
    var objects: [FuseStore.ObjectID: [UInt8]] = [:]
    var names: [String: [UInt8]] = [:]
    let writer = try StoreWriter(scratch.store)
    for bytes in [noise(100, seed: 1), prose(90, seed: 2), prose(120, seed: 3), noise(700, seed: 4), []] {
      objects[try writer.put(bytes).id] = bytes
    }
    let named = noise(90, seed: 5)
    try writer.put(named, .init(name: "a/name"))
    names["a/name"] = named
    try writer.commit()
    // A mark of what is there already.
    try writer.put(named)
    objects[try writer.put(named).id] = named
    try writer.commit()
    let loose = prose(100, seed: 6)
    objects[try scratch.store.put(loose, to: .loose).id] = loose
    #expect(try scratch.store.remove(scratch.store.put([1, 2, 3], to: .packs).id))
    return (scratch, objects, names)
  }

  /// What every reading of a damaged store keeps to: the right bytes, or an error; never others.
  static func check(
    _ path: String, _ objects: [FuseStore.ObjectID: [UInt8]], _ names: [String: [UInt8]]
  ) -> (wrong: Int, failed: Int) {
    var (wrong, failed) = (0, 0)
    do {
      let store = try FuseStore(path: path)
      for (id, bytes) in objects {
        do {
          guard let read = try store.bytes(of: id) else {
            failed += 1
            continue
          }
          if read != bytes { wrong += 1 }
        } catch { failed += 1 }
      }
      for (name, bytes) in names {
        do {
          guard let id = try store.id(named: name), let read = try store.bytes(of: id) else {
            failed += 1
            continue
          }
          if read != bytes { wrong += 1 }
        } catch { failed += 1 }
      }
    } catch { failed += objects.count + names.count }
    return (wrong, failed)
  }

  @Test func `no flipped bit gives other bytes, and each in packs and indexes is found`() throws {
    let (scratch, objects, names) = try Self.sample()
    #expect(Self.check(scratch.path, objects, names) == (0, 0))
    var silent = 0
    for (file, bytes) in scratch.files where !file.hasPrefix("tmp/") {
      // A bit of each byte, another each time; of indexes, which the core's own tests flip, of some.
      let step = file.hasSuffix(".fsdb") ? 61 : 7
      for bit in stride(from: 0, to: 8 * bytes.count, by: step) {
        var damaged = bytes
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        scratch.overwrite(file, with: damaged)
        let (wrong, failed) = Self.check(scratch.path, objects, names)
        #expect(wrong == 0, "\(file), bit \(bit)")
        if file.hasSuffix(".pack") || file.hasSuffix(".fsdb") || file.hasPrefix("loose/") {
          let isFound: Bool = try {
            guard let store = try? FuseStore(path: scratch.path) else { return true }
            return try !store.verify().isSound
          }()
          if !isFound {
            // The last bits of what zstd packed may say nothing.
            #expect(failed == 0, "\(file), bit \(bit)")
            silent += 1
          }
        }
      }
      scratch.overwrite(file, with: bytes)
    }
    #expect(silent <= 4)
    #expect(Self.check(scratch.path, objects, names) == (0, 0))
  }

  @Test func `no cut gives other bytes`() throws {
    let (scratch, objects, names) = try Self.sample()
    for (file, bytes) in scratch.files where !file.hasPrefix("tmp/") {
      for count in stride(from: 0, to: bytes.count, by: file.hasSuffix(".fsdb") ? 31 : 3) {
        scratch.overwrite(file, with: Array(bytes.prefix(count)))
        #expect(Self.check(scratch.path, objects, names).wrong == 0, "\(file) cut to \(count)")
      }
      scratch.overwrite(file, with: bytes)
    }
  }

  @Test func `what is put again heals what was damaged`() throws {
    let (scratch, objects, names) = try Self.sample()
    var random = SeededRandom.announced()
    for (file, bytes) in scratch.files
    where file.hasSuffix(".pack") || file.hasPrefix("loose/") || file.hasSuffix(".fsdb") {
      for _ in 0..<5 {
        let before = scratch.files
        var damaged = bytes
        damaged[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
        scratch.overwrite(file, with: damaged)
        let store = try scratch.again()
        let writer = try StoreWriter(store)
        for bytes in objects.values {
          if bytes == prose(100, seed: 6) { try store.put(bytes, to: .loose) } else { try writer.put(bytes) }
        }
        for (name, bytes) in names { try writer.put(bytes, .init(name: name)) }
        // What was taken back stands there still.
        try writer.put([1, 2, 3], .init(isKept: false))
        try writer.commit()
        #expect(Self.check(scratch.path, objects, names) == (0, 0), "\(file)")
        // Spoilt indexes and packs that no one can open need a repair; for the rest, what was put again is enough.
        if !file.hasSuffix(".fsdb"), try FuseStore(path: scratch.path).view.damaged.isEmpty {
          let report = try scratch.again().verify()
          #expect(report.isSound, "\(file): \(report.flaws) \(report.lost)")
        }
        for name in scratch.files.keys where before[name] == nil { scratch.overwrite(name, with: []) }
        for (name, bytes) in before { scratch.overwrite(name, with: bytes) }
        for name in scratch.files.keys where before[name] == nil { scratch.remove(name) }
      }
    }
  }

  /// Where a record of an object stands, in its pack.
  static func record(_ id: FuseStore.ObjectID, _ store: FuseStore) throws -> (file: String, offset: Int) {
    let chunk = try #require(try store.chunks(of: id)?.first)
    return ("packs/\(chunk.pack).pack", chunk.offset)
  }

  /// Spoils a byte of a record's payload, or of its head.
  static func spoil(_ scratch: ScratchStore, _ place: (file: String, offset: Int), at byte: Int) {
    var damaged = scratch.files[place.file]!
    damaged[place.offset + byte] ^= 0x40
    scratch.overwrite(place.file, with: damaged)
  }

  @Test(arguments: [PackRecord.byteCount + 3, 20], [false, true])
  func `what was put again is no damage any more, and goes with a collection or stays passed over`(
    byte: Int, isRepaired: Bool
  ) throws {
    let scratch = try ScratchStore()
    let objects = (0..<4).map { noise(9000, seed: UInt64($0)) }
    let writer = try StoreWriter(scratch.store)
    let ids = try objects.map { try writer.put($0).id }
    try writer.commit()
    Self.spoil(scratch, try Self.record(ids[1], scratch.store), at: byte)
    let before = try scratch.again().verify()
    #expect(!before.isSound && before.superseded.isEmpty && before.flaws.count == 1)
    // Where the head alone is spoilt, the index still leads to the object; that is damage, too.
    let isHead = byte < PackRecord.byteCount
    #expect(before.lost.map(\.id) == (isHead ? [] : [ids[1]]))
    #expect(try scratch.again().put(objects[1], to: .packs).isNew)
    let after = try scratch.again().verify()
    #expect(after.isSound && after.lost.isEmpty)
    #expect(after.superseded.map(\.file) == before.flaws.map(\.file))
    #expect(after.superseded.map(\.offset) == before.flaws.map(\.offset))
    if isRepaired {
      #expect(try scratch.again().repair().lost.isEmpty)
      #expect(try scratch.again().verify().isSound)
    } else {
      // The pack goes with a collection after the one that gives it up.
      for _ in 0..<3 { try scratch.again().collect(.init(leastLiveShare: 1)) }
      #expect(try scratch.again().verify().superseded.isEmpty)
    }
    let store = try scratch.again()
    for (id, bytes) in zip(ids, objects) { #expect(try store.bytes(of: id) == bytes) }
    // A second spoilt record in the same pack, whose object was not put again, is damage: and so are both then.
    Self.spoil(scratch, try Self.record(ids[2], store), at: byte)
    let again = try scratch.again().verify()
    #expect(!again.isSound, "\(again)")
    #expect(again.lost.map(\.id) == (isHead ? [] : [ids[2]]), "\(ids) \(again)")
  }

  @Test func `repair loses no object of which the record's head alone is spoilt`() throws {
    let (scratch, objects, names) = try Self.sample()
    for id in objects.keys {
      let place = try Self.record(id, scratch.store)
      guard scratch.files[place.file] != nil else { continue }
      let before = scratch.files
      Self.spoil(scratch, place, at: 9)
      #expect(try !scratch.again().verify().isSound)
      let report = try scratch.again().repair()
      #expect(report.lost.isEmpty)
      #expect(Self.check(scratch.path, objects, names) == (0, 0))
      #expect(try scratch.again().verify().isSound)
      for name in scratch.files.keys where before[name] == nil { scratch.remove(name) }
      for (name, bytes) in before { scratch.overwrite(name, with: bytes) }
    }
  }

  @Test func `a damaged name is set again, and taken away`() throws {
    let scratch = try ScratchStore()
    for removes in [false, true] {
      try StoreWriter(scratch.again()).commitOne([1, 2, 3], .init(name: "n"))
      scratch.overwrite("refs/n", with: Array("objekt 12".utf8))
      #expect(throws: FuseError.self) { try scratch.again().id(named: "n") }
      if removes {
        #expect(try scratch.again().removeName("n"))
        #expect(try scratch.again().id(named: "n") == nil && !scratch.again().removeName("n"))
      } else {
        try StoreWriter(scratch.again()).commitOne([4], .init(name: "n"))
        let store = try scratch.again()
        #expect(try store.id(named: "n").flatMap { try store.bytes(of: $0) } == [4])
      }
    }
  }

  @Test func `repair forgets no mark whose record is spoilt`() throws {
    let scratch = try ScratchStore()
    let objects = (0..<4).map { noise(9000, seed: UInt64($0)) }
    let writer = try StoreWriter(scratch.store)
    let ids = try objects.map { try writer.put($0).id }
    try writer.commit()
    // Put again for a name alone: the mark stands in the pack that is spoilt.
    Self.spoil(scratch, try Self.record(ids[1], scratch.store), at: PackRecord.byteCount + 3)
    try StoreWriter(scratch.again()).commitOne(objects[1], .init(name: "n"))
    // And a loose one, which a pack has for a name alone.
    let loose = prose(2000, seed: 9)
    let id = try scratch.store.put(loose, to: .loose).id
    try StoreWriter(scratch.again()).commitOne(loose, .init(name: "m"))
    Self.spoil(scratch, (FuseStore.looseName(id), 0), at: PackRecord.byteCount + 3)
    #expect(try !scratch.again().verify().isSound)
    #expect(try scratch.again().repair().lost.isEmpty)
    let store = try scratch.again()
    for name in ["n", "m"] { #expect(try store.removeName(name)) }
    try store.collect(.init(leastLiveShare: 1))
    let after = try scratch.again()
    for (id, bytes) in zip(ids + [id], objects + [loose]) { #expect(try after.bytes(of: id) == bytes) }
    #expect(try after.verify().isSound)
    #expect(try after.statistics().keptCount == 5)
  }

  @Test func `repair makes lost indexes anew, and says what is gone`() throws {
    let (scratch, objects, names) = try Self.sample()
    for file in scratch.files.keys where file.hasSuffix(".fsdb") { scratch.remove(file) }
    #expect(Self.check(scratch.path, objects, names).failed > 0)
    let report = try scratch.again().repair()
    #expect(report.rebuiltCount > 0 && report.lost.isEmpty)
    #expect(Self.check(scratch.path, objects, names) == (0, 0))
    #expect(try scratch.again().verify().isSound)
    // A pack whose payloads are spoilt: what is sound stays, and what is not is named.
    let pack = scratch.files.filter { $0.key.hasSuffix(".pack") }.max { $0.value.count < $1.value.count }!
    var damaged = pack.value
    for place in stride(from: 90, to: damaged.count, by: 190) { damaged[place] ^= 0xFF }
    scratch.overwrite(pack.key, with: damaged)
    let second = try scratch.again().repair()
    let (wrong, failed) = Self.check(scratch.path, objects, names)
    #expect(wrong == 0 && failed > 0)
    #expect(second.damagedCount > 0 && !second.lost.isEmpty)
    // What is lost is put again, and all is well.
    let writer = try StoreWriter(scratch.again())
    for bytes in objects.values { try writer.put(bytes) }
    for (name, bytes) in names { try writer.put(bytes, .init(name: name)) }
    try writer.commit()
    #expect(Self.check(scratch.path, objects, names) == (0, 0))
  }

  @Test func `a collection removes nothing while something needed is damaged`() throws {
    let (scratch, objects, names) = try Self.sample()
    try scratch.store.put(noise(500, seed: 77), to: .packs)
    let index = scratch.files.keys.first { $0.hasSuffix(".fsdb") }!
    let bytes = scratch.files[index]!
    scratch.overwrite(index, with: Array(bytes.prefix(40)))
    #expect(throws: FuseError.self) { try scratch.again().collect() }
    scratch.overwrite(index, with: bytes)
    #expect(Self.check(scratch.path, objects, names) == (0, 0))
    try scratch.again().collect()
    #expect(Self.check(scratch.path, objects, names) == (0, 0))
  }
}

extension StoreWriter {
  /// Puts one object, with a commit.
  fileprivate func commitOne(_ bytes: [UInt8], _ options: PutOptions) throws {
    try put(bytes, options)
    try commit()
  }
}
