import Testing

import FuseDB

@testable import FuseDBReading

/// Blocks that lie, with all checksums right; and blocks that lack a part.
struct `An extension block` {
  private static let plain: ReferenceFile = {
    var mapping: [Key: [UInt8]] = [:]
    for number in 0..<100 {
      mapping[Key("key " + String(number * 7919 % 1009))] = [0xCD] + ReferenceFile.big(number, 2)
    }
    return ReferenceFile(canonical: mapping)
  }()
  private static let block = ReferenceBlock(after: plain, metadata: ["source": "here"])
  private static let truth = `A small file with an extension block`.Truth(block.bytes)

  /// Asks a file everything, with and without checksums. Returns what is wrong with its answers where they are verified.
  private static func complaint(_ bytes: [UInt8]) -> String? {
    if let reader = try? FuseReader(bytes: bytes, checksums: .skipped) {
      for key in truth.keys + truth.absent { _ = try? reader.copy(of: key.bytes) }
      _ = try? Answers.of(reader, asking: [])
      for direction in [FuseReader.Direction.ascending, .descending] {
        if var scan = try? reader.prefix("key 1", direction) { _ = try? scan.restOfKeys() }
      }
    }
    guard let reader = try? FuseReader(bytes: bytes) else { return nil }
    return truth.complaint(about: reader)
  }

  static let huge: [UInt64] = [
    0, 1, 39, 40, 1 << 31, 1 << 32 - 1, 1 << 32, 1 << 47, 1 << 62, 1 << 63 - 1, 1 << 63, .max - 63, .max,
  ]

  @Test(arguments: [0, 8, 16, 20, 24, 28, 30], huge)
  func `whose footer lies is refused, or does no harm [X3] [X4]`(field: Int, value: UInt64) throws {
    let here = UInt64(Self.block.footer)
    for value in [
      value, here &+ value, here &- value, UInt64(Self.block.indexEnd) &+ value, UInt64(Self.block.indexEnd) &- value,
    ] {
      var lying = Self.block
      switch field {
      case 0, 8: lying.bytes.put(value, at: lying.footer + field)
      case 28, 30: lying.bytes.put(UInt16(truncatingIfNeeded: value), at: lying.footer + field)
      default: lying.bytes.put(UInt32(truncatingIfNeeded: value), at: lying.footer + field)
      }
      lying.sealFooter()
      // An index that ends early or late has strides that differ from their checksums, or misses keys of the last.
      #expect(Self.complaint(lying.bytes) == nil, "\(value) at \(field)")
    }
  }

  @Test(arguments: 0..<3, huge)
  func `whose directory lies is refused, or does no harm [X6]`(section: Int, value: UInt64) throws {
    let entry = Self.block.directoryOffset + 32 * section
    for field in [0, 4, 8, 16, 24, 28] {
      for value in [value, UInt64(Self.block.indexEnd) &+ value, UInt64(Self.block.directoryOffset) &- value] {
        var lying = Self.block
        if field == 8 || field == 16 {
          lying.bytes.put(value, at: entry + field)
        } else {
          lying.bytes.put(UInt32(truncatingIfNeeded: value), at: entry + field)
        }
        lying.sealFooter()
        #expect(Self.complaint(lying.bytes) == nil, "\(value) at \(field)")
      }
    }
  }

  @Test(arguments: huge)
  func `whose header of the hash section lies is refused, or does no harm [X9]`(value: UInt64) throws {
    let start = try #require(Self.block.range("HASH")).lowerBound
    for field in [0, 8, 16, 24, 32, 33] {
      for value in [value, 1, 2, 3, 7, 8] {
        var lying = Self.block
        if field < 32 {
          lying.bytes.put(value, at: start + field)
        } else {
          lying.bytes[start + field] = UInt8(value & 0xFF)
        }
        lying.bytes.put(ReferenceFile.crc(lying.bytes[start..<start + 60]), at: start + 60)
        lying.sealSections()
        guard let reader = try? FuseReader(bytes: lying.bytes) else { continue }
        // Where it opens, its table was made by another rule: what it finds is right, what it misses is its maker's lie.
        for key in Self.truth.keys {
          let found = try? reader.copy(of: key.bytes)
          #expect(found == nil || found == Self.truth.mapping[key], "\(value) at \(field)")
        }
        for key in Self.truth.absent { #expect((try? reader.contains(key.bytes)) != true) }
      }
    }
  }

  @Test(arguments: huge)
  func `whose rows of order lie is an error when a scan meets them [X18]`(value: UInt64) throws {
    let order = try #require(Self.block.range("ORDR"))
    for row in 0..<order.count / 12 {
      for value in [value, UInt64(Self.block.indexEnd) &- value, Self.plain.indexOffset &+ value] {
        var lying = Self.block
        lying.bytes.put(value, at: order.lowerBound + 12 * row)
        lying.sealSections()
        #expect(Self.complaint(lying.bytes) == nil, "row \(row): \(value)")
      }
    }
  }

  @Test(arguments: huge)
  func `with another length of the order section is refused [X12]`(value: UInt64) throws {
    let entry = try #require(Self.block.directoryEntry("ORDR"))
    for length in [value, 11, 12, 47, 49, 60] where length != 48 {
      var lying = Self.block
      lying.bytes.put(length, at: entry + 16)
      lying.sealFooter()
      #expect(failure { _ = try FuseReader(bytes: lying.bytes) }?.code == .corrupted, "\(length)")
    }
  }

  /// Which sections of the canonical block a file has, and others beside them.
  static let selections: [[String]] = [
    [], ["HASH"], ["ORDR"], ["META"], ["HASH", "ORDR"], ["ORDR", "META"], ["HASH", "META"], ["ORDR", "HASH"],
    ["what", "HASH", "what", "ORDR", "META", "what"], ["what"],
  ]

  @Test(arguments: selections, [FuseReader.ExpectedLookups.many, .few])
  func `of any sections gives the same answers [X7] [X8]`(kinds: [String], lookups: FuseReader.ExpectedLookups) throws {
    let canonical = ReferenceBlock.sections(of: Self.plain, metadata: ["source": "here"])
    let sections = kinds.map { kind in
      canonical.first { $0.kind == kind } ?? ReferenceBlock.Section(kind: kind, bytes: [1, 2, 3, 4, 5])
    }
    let folder = try TemporaryFolder()
    let path = try folder.write(ReferenceBlock(after: Self.plain, sections).bytes)
    for checksums in [FuseReader.Checksums.verified, .skipped] {
      let reader = try FuseReader(path: path, checksums: checksums, expecting: lookups)
      #expect((reader.index.table != nil) == (kinds.contains("HASH") && kinds.contains("ORDR")))
      #expect(Self.truth.complaint(about: reader) == nil)
      let answers = try Answers.of(reader, asking: Self.truth.keys)
      #expect(answers.found == Self.truth.keys.map { Self.truth.mapping[$0] })
      #expect(answers.keys == Self.truth.keys)
      #expect(answers.descending == Self.truth.keys.reversed())
    }
  }

  @Test func `of five slots a line gives the same answers`() throws {
    let reader = try FuseReader(bytes: ReferenceBlock(after: Self.plain, slotsPerLine: 5).bytes)
    #expect(Self.truth.complaint(about: reader) == nil)
    #expect(try Answers.of(reader, asking: Self.truth.keys).found == Self.truth.keys.map { Self.truth.mapping[$0] })
  }

  @Test func `that needs a section of the future is refused with the version error [X7]`() throws {
    let sections = ReferenceBlock.sections(of: Self.plain) + [.init(kind: "what", flags: 1, bytes: [1])]
    let block = ReferenceBlock(after: Self.plain, sections)
    for checksums in [FuseReader.Checksums.verified, .skipped] {
      let error = failure { _ = try FuseReader(bytes: block.bytes, checksums: checksums) }
      #expect(error?.code == .unsupportedVersion)
      #expect(error?.offset == UInt64(block.directoryOffset + 64))
    }
  }
}
