import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBStore

/// Frames that are packed after the pack's first ones. [SR7]
@Suite struct FrameDictionaryTests {
  /// Records that share most of their words, in packs.
  static func sample(
    _ count: Int = 7000
  ) throws -> (scratch: ScratchStore, objects: [FuseStore.ObjectID: [UInt8]], pack: String) {
    let scratch = try ScratchStore()
    let writer = try StoreWriter(scratch.store)
    var objects: [FuseStore.ObjectID: [UInt8]] = [:]
    var random = SeededRandom(seed: 7)
    let words = (0..<4000).map { _ in (0..<(3 + random.below(8))).map { _ in UInt8(97 + random.below(26)) } }
    for _ in 0..<count {
      var bytes: [UInt8] = []
      while bytes.count < 400 { bytes += random.element(words) + [32] }
      objects[try writer.put(bytes).id] = bytes
    }
    try writer.commit()
    let packs = scratch.files.keys.filter { $0.hasSuffix(".pack") }
    #expect(packs.count == 1)
    return (scratch, objects, packs[0])
  }

  /// The records of a pack that are frames.
  static func frames(_ bytes: [UInt8]) throws -> [(record: PackRecord, offset: Int)] {
    var walk = PackWalk(StoreFile(bytes: bytes))
    var frames: [(record: PackRecord, offset: Int)] = []
    while case .record(let record, let offset) = try walk.next() {
      if record.kind == .frame { frames.append((record, offset)) }
    }
    return frames
  }

  static func unreadable(_ path: String, _ objects: [FuseStore.ObjectID: [UInt8]]) throws -> (failed: Int, wrong: Int) {
    let store = try FuseStore(path: path)
    var (failed, wrong) = (0, 0)
    for (id, bytes) in objects {
      do { if try store.bytes(of: id) != bytes { wrong += 1 } } catch { failed += 1 }
    }
    return (failed, wrong)
  }

  @Test func `what small objects share is stored once, and all come back`() throws {
    let (scratch, objects, pack) = try Self.sample()
    #expect(try Self.unreadable(scratch.path, objects) == (0, 0))
    #expect(try scratch.again().verify().isSound)
    let frames = try Self.frames(scratch.files[pack]!)
    let (alone, after) = (frames.filter { $0.record.codec == .zstd }, frames.filter { $0.record.codec == .primed })
    #expect(after.count > 5)
    func share(_ frames: [(record: PackRecord, offset: Int)]) -> Double {
      Double(frames.reduce(0) { $0 + $1.record.storedByteCount })
        / Double(frames.reduce(0) { $0 + $1.record.byteCount })
    }
    #expect(share(after) < 0.9 * share(alone), "\(share(after)), \(share(alone))")
    // A collection writes it anew in another pack.
    let store = try scratch.again()
    let gone = Array(objects.keys.sorted().prefix(4000))
    #expect(try store.remove(gone).allSatisfy { $0 })
    try store.collect()
    var left = objects
    for id in gone { left[id] = nil }
    #expect(try Self.unreadable(scratch.path, left) == (0, 0))
    #expect(try store.contains(gone).allSatisfy { !$0 })
    #expect(try store.statistics().keptCount == left.count)
  }

  @Test func `a damaged dictionary loses nothing, since the first frames say the same`() throws {
    let (scratch, objects, pack) = try Self.sample()
    let bytes = scratch.files[pack]!
    let frames = try Self.frames(bytes)
    guard let copy = frames.first(where: { $0.record.byteCount > FrameDictionary.byteCount }) else {
      Issue.record("the pack has no dictionary")
      return
    }
    var random = SeededRandom.announced()
    for place in [
      copy.offset + 20, copy.offset + 60, copy.offset + 60 + random.below(copy.record.storedByteCount - 60),
    ] {
      var damaged = bytes
      damaged[place] ^= 1 << UInt8(random.below(8))
      scratch.overwrite(pack, with: damaged)
      #expect(try Self.unreadable(scratch.path, objects) == (0, 0), "\(place)")
      #expect(try !scratch.again().verify().isSound)
    }
    // One of the first frames, too: its own objects are there no more, nor those that were packed after it. None is another.
    var damaged = bytes
    damaged[copy.offset + 60] ^= 1
    damaged[frames[0].offset + 60] ^= 1
    scratch.overwrite(pack, with: damaged)
    let (failed, wrong) = try Self.unreadable(scratch.path, objects)
    #expect(failed > 0 && wrong == 0)
    // What is put again heals.
    let writer = try StoreWriter(scratch.again())
    for bytes in objects.values { try writer.put(bytes) }
    try writer.commit()
    #expect(try Self.unreadable(scratch.path, objects) == (0, 0))
  }

  @Test func `an index is made anew of a pack with a dictionary`() throws {
    let (scratch, objects, pack) = try Self.sample()
    scratch.remove(pack.replacing(".pack", with: ".fsdb"))
    #expect(try scratch.again().repair().lost.isEmpty)
    #expect(try Self.unreadable(scratch.path, objects) == (0, 0))
    #expect(try scratch.again().statistics().keptCount == objects.count)
  }

  @Test func `a frame that leads to no dictionary is damage`() throws {
    let tools = try StoreTools.take()
    let dictionaries = FrameDictionaries()
    let (scratch, _, pack) = try Self.sample()
    let bytes = scratch.files[pack]!
    let file = StoreFile(bytes: bytes)
    let after = try #require(try Self.frames(bytes).first { $0.record.codec == .primed })
    let start = after.offset + PackRecord.byteCount
    let payload = Array(bytes[start..<start + after.record.storedByteCount])
    func contents(_ payload: [UInt8]) throws -> [UInt8]? {
      try dictionaries.contents(
        of: payload.rawSpan, codec: .primed, byteCount: after.record.byteCount, in: file, tools)
    }
    #expect(try contents(payload) != nil)
    for count in 0...8 { #expect(try contents(Array(payload.prefix(count))) == nil) }
    for offset in [UInt64.max, UInt64(bytes.count), UInt64(after.offset), 0, 31] {
      var other = payload
      for place in 0..<8 { other[place] = UInt8(truncatingIfNeeded: offset >> (56 - 8 * UInt64(place))) }
      // The first frames are a dictionary also where none stands: what comes out is compared with digests.
      let found = try contents(other)
      #expect(found == nil || offset == UInt64(after.offset) || offset < UInt64(bytes.count))
    }
    // Objects alone were never packed so.
    #expect(try tools.unpacked(payload.rawSpan, .primed, byteCount: after.record.byteCount) == nil)
  }
}
