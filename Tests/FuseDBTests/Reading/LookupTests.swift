import ProgramSupport
import Testing

import FuseDB

struct `A look-up` {
  @Test(arguments: Samples.sizes, [FuseReader.ExpectedLookups.many, .few])
  func `agrees with a dictionary, for keys that are there and keys that are not [G1] [I3]`(
    size: Int, lookups: FuseReader.ExpectedLookups
  ) throws {
    var random = SeededRandom.announced()
    let mapping = Samples.mapping(size, &random)
    let folder = try TemporaryFolder()
    let reader = try FuseReader(path: folder.write(ReferenceFile(canonical: mapping).bytes), expecting: lookups)
    #expect(reader.keyCount == size)
    for (key, object) in mapping {
      #expect(try reader.copy(of: key.bytes) == object, "\(key)")
      #expect(try reader.object(of: key.bytes) == object, "\(key)")
      #expect(try reader.contains(key.bytes), "\(key)")
    }
    for key in Samples.absent(from: mapping, &random) {
      #expect(try reader.copy(of: key.bytes) == nil, "\(key)")
      #expect(try reader.object(of: key.bytes) == nil, "\(key)")
      #expect(try !reader.contains(key.bytes), "\(key)")
    }
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `finds ten thousand keys and no others, through overflowing buckets`(layout: FuseWriter.Layout) throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(layout: layout))
    for number in 0..<10_000 {
      try writer.add(["key " + String(number)], messagePack: ReferenceValue.bigEndian(0xCD_0000 | UInt64(number), 3))
    }
    try writer.build(to: folder.path("many.fsdb"))
    let reader = try FuseReader(path: folder.path("many.fsdb"))
    var wrong = 0
    for number in 0..<10_000 {
      let found = try reader.withBytes(forKey: "key " + String(number)) {
        $0.byte(at: 1) == number >> 8 && $0.byte(at: 2) == number & 0xFF
      }
      if found != true { wrong += 1 }
      if try reader.contains("key " + String(number + 10_000)) { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func `takes text, a part of a text, bytes, a slice and a span alike`() throws {
    let folder = try TemporaryFolder()
    let reader = try FuseReader(path: folder.write(WorkedExamples.twoKeysOneObject))
    let text = "to gmail.com"
    let bytes = [UInt8](text.utf8)
    #expect(try reader.contains("gmail.com"))
    #expect(try reader.contains(text.dropFirst(3)))
    #expect(try reader.contains([UInt8]("gmail.com".utf8)))
    #expect(try reader.contains(bytes[3...]))
    let byText = try reader.bytes(forKey: text.dropFirst(3))?.byteCount
    let bySlice = try reader.bytes(forKey: bytes[3...])?.byteCount
    #expect(byText == 4)
    #expect(bySlice == 4)
    #expect(try reader.withBytes(forKey: bytes.keyBytes.extracting(3..<12)) { $0.byteCount } == 4)
    #expect(try reader.withBytes(forKey: bytes.keyBytes) { $0.byteCount } == nil)
  }

  @Test func `passes on what its closure throws, and its result`() throws {
    struct Mine: Error {}
    let folder = try TemporaryFolder()
    let reader = try FuseReader(path: folder.write(WorkedExamples.oneKey))
    #expect(throws: Mine.self) { try reader.withBytes(forKey: "k") { _ in throw Mine() } }
    #expect(try reader.withBytes(forKey: "absent") { _ in throw Mine() } == nil)
  }

  @Test func `refuses an object that differs from its checksum, and only that one [D3] [G2] [G3]`() throws {
    let folder = try TemporaryFolder()
    var file = Samples.small
    // The object of "a" is the second record.
    let record = try #require(file.record(at: 49))
    for bit in 8 * (record.offset + 4)..<8 * record.end {
      file.bytes = Samples.small.bytes.flipping(bit: bit)
      file.seal()
      let path = try folder.write(file.bytes)
      let reader = try FuseReader(path: path)
      let error = failure { _ = try reader.copy(of: [0x61]) }
      #expect(error?.code == .corrupted)
      #expect(error?.offset == 49)
      #expect(error?.path == path)
      #expect(failure { _ = try reader.object(of: [0x61]) }?.offset == 49)
      #expect(try reader.copy(of: []) == [1])
      #expect(try reader.contains("a"))
    }
  }

  @Test func `hands out the bytes as they are when checksums are skipped [D3]`() throws {
    let folder = try TemporaryFolder()
    let bytes = WorkedExamples.oneKey.flipping(bit: 8 * 51)
    let reader = try FuseReader(path: folder.write(bytes), checksums: .skipped)
    #expect(try reader.copy(of: [0x6B]) == [0x81, 0xA1, 0x61, 0x00])
    #expect(reader.checksums == .skipped)
    #expect(failure { _ = try FuseReader(path: folder.path("file.fsdb")) }?.offset == 32)
  }

  @Test func `that follows an offset into the middle of a record is an error [D3]`() throws {
    let folder = try TemporaryFolder()
    for target in 41...44 {
      var file = ReferenceFile(WorkedExamples.oneKey)
      file.bytes.put(UInt64(target), at: 55)
      file.seal()
      // Opening follows the highest offset to the index [O5], so an entry is refused there already; skipping changes nothing.
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let error = failure {
          let reader = try FuseReader(path: folder.write(file.bytes), checksums: checksums)
          _ = try reader.copy(of: [0x6B])
        }
        #expect(error?.code == .corrupted)
        #expect(error?.offset != nil)
      }
    }
  }
}
