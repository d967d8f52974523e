import Testing

import FuseDB

@testable import FuseDBReading

/// Where strides of keys begin, from memory and from the section `ORDR`.
struct `The order of a file` {
  private static func mapping(_ count: Int) -> [Key: [UInt8]] {
    Dictionary(
      uniqueKeysWithValues: (0..<count).map {
        (Key("key " + String($0 * 7919 % 10_007)), [0xCD] + ReferenceFile.big($0, 2))
      })
  }

  @Test(arguments: [0, 1, 31, 32, 33, 64, 65, 1000])
  func `is the same from memory and from the section [X12]`(count: Int) throws {
    let plain = ReferenceFile(canonical: Self.mapping(count))
    let memory = try FuseReader(bytes: plain.bytes)
    let bytes = ReferenceBlock(after: plain).bytes
    let section = try FuseReader(bytes: bytes)
    #expect(memory.index.order.strideCount == (count + 31) / 32)
    #expect(section.index.order.strideCount == (count + 31) / 32)
    let entries = plain.entries
    for stride in 0..<(count + 31) / 32 {
      #expect(memory.index.order.offset(ofStride: stride, in: bytes.rawSpan) == entries[32 * stride].offset)
      #expect(section.index.order.offset(ofStride: stride, in: bytes.rawSpan) == entries[32 * stride].offset)
      #expect(memory.index.order.checksum(ofStride: stride, in: bytes.rawSpan) == nil)
      let range = entries[32 * stride].offset..<entries[min(32 * stride + 32, count) - 1].end
      let expected = ReferenceFile.bitwiseCRC(ReferenceFile.big(stride, 8) + plain.bytes[range])
      #expect(section.index.order.checksum(ofStride: stride, in: bytes.rawSpan) == expected)
    }
  }

  @Test(arguments: [1, 31, 32, 33, 64, 65, 200], [FuseWriter.Layout.indexed, .plain])
  func `gives every range and every prefix as a sorted list does, both ways`(count: Int, layout: FuseWriter.Layout)
    throws
  {
    let mapping = Self.mapping(count)
    let keys = mapping.keys.sorted()
    let reader = try FuseReader(bytes: ReferenceFile(canonical: mapping).bytes(layout))
    let bounds =
      [Key(""), Key("key"), Key("l"), Key([0xFF])]
      + keys.enumerated().filter { $0.offset % 7 == 0 || $0.offset % 32 < 2 }.map(\.element)
      + keys.prefix(5).map { Key($0.bytes + [0]) }
    for lower in bounds {
      for upper in bounds.prefix(12) {
        let expected = keys.filter { lower <= $0 && $0 < upper }
        var scan = try reader.entries(from: lower.bytes, upTo: upper.bytes)
        let found = try scan.restOfKeys()
        #expect(found == expected, "\(lower) \(upper)")
        var back = try reader.entries(from: lower.bytes, upTo: upper.bytes, .descending)
        let reversed = try back.restOfKeys()
        #expect(reversed == expected.reversed(), "\(lower) \(upper)")
      }
      var scan = try reader.prefix(lower.bytes)
      let expected = keys.filter { $0.bytes.starts(with: lower.bytes) }
      #expect(scan.count == expected.count)
      let found = try scan.restOfKeys()
      #expect(found == expected, "\(lower)")
    }
  }

  @Test func `of a stride whose row or entries changed is an error for scans that come to it [X18]`()
    throws
  {
    let plain = ReferenceFile(canonical: Self.mapping(200))
    let block = ReferenceBlock(after: plain)
    let order = try #require(block.range("ORDR"))
    let keys = plain.entries.map(\.key)
    // Stride 3: its row's offset and checksum, and a key's byte that leaves the order as it is.
    let places = [order.lowerBound + 36 + 7, order.lowerBound + 36 + 8, plain.entries[100].end - 1]
    for place in places {
      var bytes = block.bytes
      bytes[place] ^= 1
      let reader = try FuseReader(bytes: bytes)
      for direction in [FuseReader.Direction.ascending, .descending] {
        var found: [Key] = []
        let error = failure {
          var scan = try reader.entries(direction)
          while let entry = try scan.next() { found.append(Key(try entry.key)) }
        }
        #expect(error?.code == .corrupted)
        let sound = direction == .ascending ? keys.prefix(96) : keys.suffix(200 - 128).reversed()[...]
        #expect(
          found.count >= sound.count - 32
            && found == Array((direction == .ascending ? keys : keys.reversed()).prefix(found.count)))
      }
      #expect(failure { _ = try reader.prefix(keys[100].bytes) }?.code == .corrupted)
      // A search by halves may come across the damaged row; where it does not, early keys are not concerned.
      var early: [Key]?
      let refusal = failure {
        var scan = try reader.entries(upTo: keys[20].bytes)
        early = try scan.restOfKeys()
      }
      #expect(early == Array(keys[..<20]) || refusal?.code == .corrupted && place == places[0])
    }
  }

  /// The file with rows of its own choice, each with the right checksum for what lies from it to the next.
  private static func bytes(_ plain: ReferenceFile, rowsFrom starts: [Int], seed: UInt32 = 0) -> [UInt8] {
    var rows: [UInt8] = []
    for (number, (start, end)) in zip(starts, starts.dropFirst() + [plain.bytes.count]).enumerated() {
      let checksum = ReferenceFile.crc(ReferenceFile.big(number, 8) + plain.bytes[start..<end]) ^ seed
      rows += ReferenceFile.big(start, 8) + ReferenceFile.big(Int(checksum), 4)
    }
    var sections = ReferenceBlock.sections(of: plain)
    sections[1].bytes = rows
    return ReferenceBlock(after: plain, sections).bytes
  }

  /// By its row, the first stride has 31 entries and the second one 33, and the third one begins where it should; or the second one has
  /// 33 and the third one 31.
  @Test(arguments: [([0, 31, 64], 1...64), ([0, 32, 65], 33...95)])
  func `whose row says that a stride begins elsewhere, its checksum being right, counts no keys wrong [X18]`(
    starts: [Int], damaged: ClosedRange<Int>
  ) throws {
    let plain = ReferenceFile(canonical: Self.mapping(96))
    let entries = plain.entries
    let reader = try FuseReader(bytes: Self.bytes(plain, rowsFrom: starts.map { entries[$0].offset }))
    for (number, entry) in entries.enumerated() {
      let error = failure {
        let count = try reader.entries(from: entry.key.bytes).count
        #expect(count == 96 - number)
      }
      #expect(error?.code == (damaged.contains(number) ? .corrupted : nil), "\(number)")
    }
  }

  /// All strides begin one entry late, so that each but the last has as many as it should.
  @Test func `whose first row begins late hides no key from a scan, and counts none wrong [X18]`() throws {
    let plain = ReferenceFile(canonical: Self.mapping(40))
    let entries = plain.entries
    let reader = try FuseReader(bytes: Self.bytes(plain, rowsFrom: [1, 33].map { entries[$0].offset }))
    for entry in entries {
      #expect(failure { _ = try reader.entries(from: entry.key.bytes) }?.code == .corrupted, "\(entry.key)")
      #expect(failure { _ = try reader.prefix(entry.key.bytes) }?.code == .corrupted, "\(entry.key)")
    }
  }

  @Test func `whose first row leads into an object that looks like an entry counts no keys wrong [X18]`() throws {
    // The last object's bytes are an entry, of a key that comes before all others.
    let image: [UInt8] = [0, 1, 0x21] + ReferenceFile.big(40, 8)
    let objects = [[0xC0], [0xC4, UInt8(image.count)] + image]
    let plain = ReferenceFile(objects: objects, keys: (0..<40).map { ([0x61, UInt8($0)], $0 & 1) })
    let starts = [plain.entries[0].offset - image.count, plain.entries[32].offset]
    let reader = try FuseReader(bytes: Self.bytes(plain, rowsFrom: starts))
    for entry in plain.entries[..<32] {
      #expect(failure { _ = try reader.prefix(entry.key.bytes) }?.code == .corrupted)
    }
  }

  @Test func `whose first row begins late is damaged for a look-up that meets the key before it [X17]`() throws {
    let plain = ReferenceFile(canonical: Self.mapping(4))
    let reader = try FuseReader(bytes: Self.bytes(plain, rowsFrom: [plain.entries[1].offset]))
    // One absent key of 7 * 64 meets the first key's slot with its tag.
    var refusedCount = 0
    for number in 0..<5000 {
      let error = failure {
        let isThere = try reader.contains("absent \(number)")
        #expect(!isThere)
      }
      #expect(error == nil || error?.code == .corrupted)
      if error != nil { refusedCount += 1 }
    }
    #expect((1...40).contains(refusedCount))
  }

  @Test func `is not compared with its checksums where these are skipped by name [X18]`() throws {
    let plain = ReferenceFile(canonical: Self.mapping(96))
    let bytes = Self.bytes(plain, rowsFrom: [0, 32, 64].map { plain.entries[$0].offset }, seed: 1)
    var scan = try FuseReader(bytes: bytes, checksums: .skipped).entries()
    #expect(try scan.restOfKeys() == plain.entries.map(\.key))
    #expect(
      failure {
        var scan = try FuseReader(bytes: bytes).entries()
        _ = try scan.restOfKeys()
      }?.code == .corrupted)
  }
}
