import CFuseIntrinsics
import CXXHash
import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading

@safe
struct `The hash table of a file` {
  private static let mapping: [Key: [UInt8]] = Dictionary(
    uniqueKeysWithValues: (0..<60).map { (Key("key \($0 * 37 % 101)"), [0xCC, UInt8($0)]) })
  private static let plain = ReferenceFile(canonical: mapping)
  private static let keys = mapping.keys.sorted()
  private static let absent = (0..<300).map { Key("absent \($0)") }

  private static let blocks = Dictionary(
    uniqueKeysWithValues: [7, 5].map { ($0, ReferenceBlock(after: plain, slotsPerLine: $0)) })

  /// A file whose table was changed, with its lines and everything else sealed again.
  private static func file(slotsPerLine: Int = 7, _ change: (inout ReferenceTable) -> Void) throws -> [UInt8] {
    var block = try #require(blocks[slotsPerLine])
    let range = try #require(block.range("HASH"))
    var table = ReferenceTable([UInt8](block.bytes[range]))
    change(&table)
    for line in 0..<table.pilotLines { table.sealPilotLine(line) }
    for line in 0..<table.partCount * table.linesPerPart { table.sealSlotLine(line) }
    block.bytes.replaceSubrange(range, with: table.bytes)
    block.sealSections()
    return block.bytes
  }

  @Test(arguments: [7, 5], [FuseReader.Checksums.verified, .skipped])
  func `leads each key to its object and no other key to any, as the model does`(
    slotsPerLine: Int, checksums: FuseReader.Checksums
  ) throws {
    let block = try #require(Self.blocks[slotsPerLine])
    let reader = try FuseReader(bytes: block.bytes, checksums: checksums)
    #expect(reader.index.table?.section.slotsPerLine.rawValue == UInt8(slotsPerLine))
    for key in Self.keys + Self.absent {
      #expect(try reader.copy(of: key.bytes) == Self.mapping[key], "\(key)")
      #expect(block.object(of: key.bytes) == Self.mapping[key], "\(key)")
    }
  }

  /// One key is in the file, and its only byte becomes another's: of the same slot, of the same tag, or of both.
  @Test(arguments: [("O", "V", true), ("u", "U", true), ("O", "W", false)])
  func `whose key was changed is an error for it, by the rule or by its stride [X17]`(
    key: String, changed: String, isKnownByRule: Bool
  ) throws {
    let plain = ReferenceFile(objects: [[1]], keys: [(Array(key.utf8), 0)])
    var bytes = ReferenceBlock(after: plain).bytes
    bytes[Int(plain.indexOffset) + 2] = changed.utf8.first!
    let reader = try FuseReader(bytes: bytes)
    #expect(failure { _ = try reader.copy(of: Array(key.utf8)) }?.code == .corrupted)
    #expect(failure { _ = try reader.contains(Array(key.utf8)) }?.code == .corrupted)
    let skipping = try FuseReader(bytes: bytes, checksums: .skipped)
    let error = failure { _ = try skipping.copy(of: Array(key.utf8)) }
    #expect(error?.code == (isKnownByRule ? .corrupted : nil))
    #expect(error?.message == (isKnownByRule ? "the key here is not the one that was hashed" : nil))
  }

  @Test(arguments: [7, 5])
  func `whose slot names another entry is an error for its key, wherever that is [X17]`(slotsPerLine: Int) throws {
    let key = Self.keys[10]
    let size = UInt64(Self.plain.bytes.count) - Self.plain.indexOffset
    let places =
      Array(0..<size + 20) + [0x7FFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFF]
      + (slotsPerLine == 5 ? [0xFF_FFFF_FFFE, 0xFF_FFFF_FFFF] : [])
    for place in places {
      var sound = UInt64.max
      let bytes = try Self.file(slotsPerLine: slotsPerLine) { table in
        let probe = table.probe(of: key.bytes)
        var slot = table.slot(probe)
        sound = slot.entry
        slot.entry = place
        table.set(slot, probe.line, probe.slot)
      }
      guard place != sound else { continue }
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let reader = try FuseReader(bytes: bytes, checksums: checksums)
        // A slot that says that it is free was sealed by someone; its key is absent then.
        let isFree = place == (slotsPerLine == 7 ? 0xFFFF_FFFF : 0xFF_FFFF_FFFF)
        var answer: [UInt8]?
        let error = failure { answer = try reader.copy(of: key.bytes) }
        #expect(answer == nil, "entry \(place)")
        #expect(isFree || error?.code == .corrupted, "entry \(place)")
        #expect(isFree || error?.offset != nil, "entry \(place)")
        // The others are not concerned.
        #expect(try reader.copy(of: Self.keys[11].bytes) == Self.mapping[Self.keys[11]])
      }
    }
  }

  @Test(arguments: [7, 5], [0, 1, 39, 40, 41, 48, 400, 1 << 31, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF] as [UInt64])
  func `whose slot names another object than the entry is an error for its key [X15]`(slotsPerLine: Int, object: UInt64)
    throws
  {
    let key = Self.keys[10]
    let object = slotsPerLine == 7 ? object & 0xFFFF_FFFF : object
    let bytes = try Self.file(slotsPerLine: slotsPerLine) { table in
      let probe = table.probe(of: key.bytes)
      var slot = table.slot(probe)
      slot.object = object
      table.set(slot, probe.line, probe.slot)
    }
    for checksums in [FuseReader.Checksums.verified, .skipped] {
      let reader = try FuseReader(bytes: bytes, checksums: checksums)
      #expect(failure { _ = try reader.copy(of: key.bytes) }?.code == .corrupted)
      #expect(failure { _ = try reader.contains(key.bytes) }?.code == .corrupted)
    }
  }

  @Test func `and entry that agree on a place where no object is give an error, or bytes of their checksum [D2] [D3]`()
    throws
  {
    let key = Self.keys[10]
    for target in [0, 39, 41, 44, Self.plain.indexOffset - 7, Self.plain.indexOffset, 0xFFFF_FFFF] {
      var plain = Self.plain
      let entry = try #require(plain.entries.first { $0.key == key })
      plain.bytes.put(target, at: entry.end - 8)
      let reader = try FuseReader(bytes: ReferenceBlock(after: plain).bytes)
      #expect(failure { _ = try reader.copy(of: key.bytes) }?.code == .corrupted, "\(target)")
      let skipping = try FuseReader(bytes: ReferenceBlock(after: plain).bytes, checksums: .skipped)
      _ = try? skipping.copy(of: key.bytes)
    }
  }

  @Test func `that was made for other keys never gives another key's object`() throws {
    var random = SeededRandom.announced()
    for round in 0..<20 {
      // As many keys of the same lengths, so that sizes fit.
      let count = [3, 60, 300][round % 3]
      let mine = (0..<count).map { Array("key \(1000 + $0)".utf8) }
      let theirs = (0..<count).map { _ in Array("key \(5000 + random.below(4000))".utf8) }
      let file = ReferenceFile(
        objects: mine.indices.map { [0xCD] + ReferenceFile.big($0, 2) }, keys: mine.enumerated().map { ($1, $0) })
      let other = ReferenceFile(
        objects: mine.indices.map { [0xCD] + ReferenceFile.big($0, 2) },
        keys: Set(theirs.map { Key($0) }).sorted().enumerated().map { ($1.bytes, $0) })
      guard let table = ReferenceTable(of: other, slotsPerLine: 7) else { continue }
      let sections = [
        ReferenceBlock.Section(kind: "HASH", bytes: table.bytes),
        .init(kind: "ORDR", bytes: ReferenceBlock.order(of: file)),
      ]
      let reader = try FuseReader(bytes: ReferenceBlock(after: file, sections).bytes)
      for (number, key) in mine.enumerated() {
        let found = try? reader.copy(of: key)
        #expect(found == nil || found == [0xCD] + ReferenceFile.big(number, 2))
      }
      for key in theirs where !mine.contains(key) { #expect((try? reader.copy(of: key)) == nil) }
    }
  }

  @Test func `made of random bytes, with every checksum right, ends no process`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<100 {
      let bytes = try Self.file { table in
        for place in 64..<table.bytes.count where random.below(3) == 0 { table.bytes[place] = UInt8(random.below(256)) }
      }
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let reader = try FuseReader(bytes: bytes, checksums: checksums)
        for key in Self.keys {
          let found = try? reader.copy(of: key.bytes)
          #expect(found == nil || found == Self.mapping[key])
        }
        for key in Self.absent { #expect((try? reader.contains(key.bytes)) != true) }
      }
    }
  }

  @Test func `hashes keys of every length from every address as XXH3 does`() {
    var random = SeededRandom.announced()
    let bytes = random.bytes(320)
    var wrong: [Int] = []
    for seed in [0, 1, 63, .max, 0x9E37_79B9_7F4A_7C15, random.next()] as [UInt64] {
      for length in 0...300 {
        for start in 0..<16 {
          let expected = ReferenceTable.hash([UInt8](bytes[start..<start + length]), seed: seed)
          let span = bytes.rawSpan.extracting(start..<start + length)
          if span.hash(seed: seed) != expected { wrong.append(length) }
        }
      }
    }
    #expect(wrong == [])
    // The first test vectors of the hash itself: of nothing, under seed 0.
    #expect(ReferenceTable.hash([], seed: 0) == 0x2D06_8005_38D3_94C2)
  }

  @Test func `compares keys of every length as they are, whichever byte differs`() {
    var random = SeededRandom.announced()
    let key = random.bytes(200)
    var wrong: [String] = []
    for count in 0...80 {
      for (left, right) in [(0, 0), (1, 3), (7, 2), (15, 16)] {
        // After the keys stand other bytes, which do not count.
        let first = random.bytes(left) + key[..<count] + random.bytes(32)
        let second = random.bytes(right) + key[..<count] + random.bytes(32)
        func equal(_ second: [UInt8]) -> Bool {
          // SAFETY: both arrays have `count` bytes from there on.
          unsafe first.withUnsafeBytes { one in
            unsafe second.withUnsafeBytes { two in
              unsafe fuse_equal(one.baseAddress! + left, two.baseAddress! + right, count)
            }
          }
        }
        if !equal(second) { wrong.append("\(count) bytes") }
        for place in 0..<count {
          var other = second
          other[right + place] ^= 1 << UInt8(random.below(8))
          if equal(other) { wrong.append("byte \(place) of \(count)") }
        }
      }
    }
    #expect(wrong == [])
  }
}
