import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBStore

@Suite struct PutAndGetTests {
  static let sizes = [0, 1, 63, 64, 1000, 8192, 8193, 16_384, 16_385, 65_536, 65_537, 300_000, 5_000_000]

  @Test(arguments: sizes, [FuseStore.Compression.automatic, .none, .zlib(level: 6)])
  func `what is put comes back, in order and in parts`(size: Int, compression: FuseStore.Compression) throws {
    for bytes in [noise(size, seed: UInt64(size)), prose(size, seed: UInt64(size))] {
      let scratch = try ScratchStore(.init(compression: compression))
      let writer = try StoreWriter(scratch.store)
      let stored = try writer.put(bytes)
      #expect(stored.isNew && stored.byteCount == size)
      try writer.commit()
      let other = try scratch.again()
      #expect(try other.bytes(of: stored.id) == bytes)
      #expect(try other.byteCount(of: stored.id) == size)
      #expect(try other.contains(stored.id))
      #expect(try other.withBytes(of: stored.id) { $0.byteCount } == size)
      for range in [0..<0, 0..<10, size / 2..<size / 2 + 70_000, max(0, size - 5)..<size + 9, size..<size + 1] {
        #expect(try other.read(of: stored.id, range: range) == Array(bytes[range.clamped(to: 0..<size)]))
      }
      var pieces: [UInt8] = []
      #expect(try other.read(of: stored.id) { (piece: RawSpan) throws(FuseError) in pieces += piece.array() })
      #expect(pieces == bytes)
      #expect(try other.write(of: stored.id, to: scratch.folder + "/out"))
      #expect(Scratch.bytes(of: scratch.folder + "/out") == bytes)
      #expect(try other.verify().isSound)
    }
  }

  @Test func `the digest is SHA-256`() throws {
    let store = try FuseStore.create(MemoryBackend())
    // FIPS 180-2, appendix B.
    #expect(
      try store.put(Array("abc".utf8)).id.description
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      try store.put([]).id.description == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(
      try store.put(million).id.description == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    #expect(try store.bytes(of: store.put(million).id) == million)
    #expect(try store.verify().isSound)
  }

  @Test func `bytes, a file and a stream of any pieces give the same object`() throws {
    let bytes = noise(3_000_000, seed: 1) + prose(3_000_000, seed: 2)
    let scratch = try ScratchStore()
    let path = scratch.folder + "/in"
    scratch.overwrite("../in", with: bytes)
    let writer = try StoreWriter(scratch.store)
    let first = try writer.put(path: path)
    #expect(first.isNew)
    #expect(try writer.put(bytes).isNew == false)
    var random = SeededRandom.announced()
    var done = 0
    let third = try writer.put { () throws(FuseError) in
      guard done < bytes.count else { return nil }
      let count = min(bytes.count - done, random.below(200_000))
      defer { done += count }
      return Array(bytes[done..<done + count])
    }
    #expect(third.id == first.id && !third.isNew && third.newByteCount == 0)
    try writer.commit()
    #expect(try scratch.again().bytes(of: first.id) == bytes)
  }

  @Test func `what was put twice is there once, by one writer or by two`() throws {
    let scratch = try ScratchStore()
    let objects =
      (0..<50).map { noise(20_000 + $0, seed: UInt64($0)) } + (0..<50).map { prose(500 + $0, seed: UInt64($0)) }
    let writer = try StoreWriter(scratch.store)
    for object in objects { #expect(try writer.put(object).isNew) }
    for object in objects { #expect(try !writer.put(object).isNew) }
    try writer.commit()
    let size = try scratch.store.statistics().packByteCount
    let other = try StoreWriter(scratch.again())
    for object in objects { #expect(try !other.put(object).isNew) }
    try other.commit()
    #expect(try scratch.again().statistics().packByteCount == size)
  }

  @Test func `chunks that stay in place are known after an insertion at the front`() throws {
    let scratch = try ScratchStore()
    let bytes = noise(4_000_000, seed: 5)
    let writer = try StoreWriter(scratch.store)
    try writer.put(bytes)
    let later = try writer.put([7] + bytes)
    #expect(later.isNew && later.newByteCount < bytes.count / 50)
    let fixed = try writer.put([7] + bytes, .init(chunking: .fixed(65_536)))
    #expect(fixed.newByteCount > bytes.count / 2)
    try writer.commit()
    #expect(try scratch.store.bytes(of: later.id) == [7] + bytes)
  }

  @Test func `a pool of fixed blocks is stored by its blocks`() throws {
    let blocks = (0..<20).map { noise(65_536, seed: UInt64($0)) }
    var random = SeededRandom(seed: 3)
    let file = (0..<200).flatMap { _ in blocks[random.below(20)] }
    let writer = try StoreWriter(FuseStore.create(MemoryBackend()))
    let stored = try writer.put(file, .init(chunking: .fixed(65_536)))
    #expect(stored.newByteCount <= 20 * 65_536)
    try writer.commit()
    #expect(try writer.store.bytes(of: stored.id) == file)
  }

  @Test func `an object kept by one and removed by another is gone, and comes again`() throws {
    let scratch = try ScratchStore()
    let (one, two) = (try scratch.again(), try scratch.again())
    for bytes in [prose(300, seed: 1), noise(100_000, seed: 2)] {
      for destination in [FuseStore.Destination.loose, .packs] {
        let id = try one.put(bytes, to: destination).id
        #expect(try two.remove(id))
        #expect(try !two.remove(id))
        try two.collect()
        #expect(try !two.contains(id))
        // One that has the pack open may read on; who looks now finds nothing.
        #expect(try scratch.again().bytes(of: id) == nil)
        #expect(try one.put(bytes, to: destination).isNew)
        #expect(try two.bytes(of: id) == bytes)
        // Put again after it was taken back, before it was collected.
        #expect(try two.remove(id))
        try one.put(bytes, to: .packs)
        try two.collect()
        #expect(try one.bytes(of: id) == bytes)
        #expect(try two.remove(id))
        try two.collect()
      }
    }
  }
}
