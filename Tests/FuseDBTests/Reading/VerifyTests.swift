import FuseDB
import Testing

struct `Verification` {
  typealias Finding = ReferenceFile.Finding

  private static func findings(_ bytes: [UInt8]) throws -> [Finding] {
    let folder = try TemporaryFolder()
    let path = try folder.write(bytes)
    return try FuseReader.verify(path: path).findings
  }

  /// Three objects under four keys, and where things stand.
  private static let file = ReferenceFile(
    objects: [[0x01], [0xA2, 0x61, 0x62], [0x90]], keys: [([0x61], 0), ([0x62], 1), ([0x63], 1), ([0x64], 2)])

  /// The file with some bytes changed, and then its checksum made right.
  private static func sealed(_ change: (inout ReferenceFile) -> Void) -> [UInt8] {
    var copy = file
    change(&copy)
    copy.seal()
    return copy.bytes
  }

  @Test func `finds nothing in a sound file`() throws {
    #expect(try Self.findings(Self.file.bytes) == [])
    #expect(try Self.findings(WorkedExamples.noKeys) == [])
    #expect(try Self.findings(WorkedExamples.oneKey) == [])
    #expect(try Self.findings(WorkedExamples.twoKeysOneObject) == [])
  }

  @Test func `of a file without a whole header, with another magic or version, says that alone [P6]`() throws {
    for byteCount in 0..<40 {
      #expect(try Self.findings([UInt8](repeating: 0xFF, count: byteCount)) == [Finding("truncated", byteCount)])
    }
    let nonsense = [UInt8](repeating: 0xFF, count: 200)
    #expect(try Self.findings(nonsense) == [Finding("magic", 0)])
    #expect(try Self.findings([UInt8]("FSDB".utf8) + nonsense) == [Finding("version", 4)])
  }

  @Test func `reports each of flags, pad and reserved by its field [H3]`() throws {
    let bytes = Self.sealed {
      $0.bytes[5] = 1
      $0.bytes[7] = 1
      $0.bytes[39] = 1
    }
    #expect(try Self.findings(bytes) == [Finding("header", 5), Finding("header", 6), Finding("header", 36)])
  }

  @Test(arguments: [0, 39, 41, UInt64.max])
  func `walks both sections whatever the data offset says [P8]`(dataOffset: UInt64) throws {
    let bytes = Self.sealed {
      $0.bytes.put(dataOffset, at: 24)
      $0.bytes[48] = 0xC1
    }
    #expect(try Self.findings(bytes) == [Finding("header", 24), Finding("objectChecksum", 40)])
  }

  @Test(arguments: [
    (0, "header"), (39, "header"), (1 << 63, "truncated"), (UInt64.max, "truncated"), (129, "truncated"),
  ])
  func `walks nothing without bounds, and still compares the file's checksum [P7]`(offset: UInt64, kind: String) throws
  {
    var bytes = Self.sealed { $0.bytes.put(offset, at: 16) }
    #expect(try Self.findings(bytes) == [Finding(kind, 16)])
    bytes[60] ^= 1
    #expect(try Self.findings(bytes) == [Finding(kind, 16), Finding("fileChecksum", 32)])
  }

  @Test(arguments: [(39, "header"), (UInt64.max, "truncated")])
  func `tells a wrong data offset and a wrong index offset apart [P1]`(offset: UInt64, kind: String) throws {
    let bytes = Self.sealed {
      $0.bytes.put(offset, at: 16)
      $0.bytes.put(UInt64(41), at: 24)
    }
    #expect(try Self.findings(bytes) == [Finding(kind, 16), Finding("header", 24)])
  }

  @Test(arguments: [0, 2, 4, UInt32.max])
  func `reports a wrong count of objects [H4] [D1]`(count: UInt32) throws {
    #expect(try Self.findings(Self.sealed { $0.bytes.put(count, at: 12) }) == [Finding("count", 12)])
  }

  @Test(arguments: [0, 1, 3])
  func `takes further entries for what they are [P9]`(count: UInt32) throws {
    #expect(try Self.findings(Self.sealed { $0.bytes.put(count, at: 8) }) == [Finding("count", 8)])
  }

  @Test(arguments: [5, 1000, UInt32.max])
  func `misses entries that are counted and not there [I1]`(count: UInt32) throws {
    #expect(try Self.findings(Self.sealed { $0.bytes.put(count, at: 8) }) == [Finding("count", 8)])
  }

  @Test func `reports bytes after the last entry by the first of them [E1]`() throws {
    let end = Self.file.bytes.count
    for tail: [UInt8] in [[0], [UInt8](repeating: 0, count: 10), [UInt8](repeating: 0xFF, count: 100)] {
      #expect(try Self.findings(Self.sealed { $0.bytes += tail }) == [Finding("trailingBytes", end)])
    }
    // One further entry, and then bytes that are none.
    let entry = ReferenceFile.big(1, 2) + [0x65] + ReferenceFile.big(40, 8)
    let both = Self.sealed { $0.bytes += entry + [0, 1] }
    #expect(try Self.findings(both) == [Finding("count", 8), Finding("trailingBytes", end + entry.count)])
    // What looks like an entry, but out of order or at no record.
    for entry in [
      ReferenceFile.big(0, 2) + ReferenceFile.big(40, 8), ReferenceFile.big(1, 2) + [0x65] + ReferenceFile.big(41, 8),
    ] {
      #expect(try Self.findings(Self.sealed { $0.bytes += entry }) == [Finding("trailingBytes", end)])
    }
  }

  @Test func `reports an entry that runs past the end, and does not count then [I2] [P9]`() throws {
    let last = try #require(Self.file.entries.last)
    #expect(
      try Self.findings(Self.sealed { $0.bytes.put(UInt16(2), at: last.offset) }) == [Finding("keyBounds", last.offset)]
    )
    for byteCount in last.offset + 1..<last.end {
      let cut = Self.sealed { $0.bytes.removeSubrange(byteCount...) }
      #expect(try Self.findings(cut) == [Finding("keyBounds", last.offset)])
    }
  }

  @Test func `reports keys out of order one by one, each beside the one before it [I4]`() throws {
    let file = ReferenceFile(
      objects: [[1]], keys: [([0x64], 0), ([0x62], 0), ([0x63], 0), ([0x63], 0), ([0x62], 0)])
    let offsets = file.entries.map(\.offset)
    #expect(try Self.findings(file.bytes) == [1, 3, 4].map { Finding("keyOrder", offsets[$0]) })
  }

  @Test func `reports a key that points anywhere but at the beginning of a record [I5]`() throws {
    let entry = Self.file.entries[2]
    let starts: Set<UInt64> = [40, 49, 60]
    for target in Array(UInt64(0)...80) + [1 << 32 + 40, 1 << 63 + 40, .max - 7, .max] {
      let found = try Self.findings(Self.sealed { $0.bytes.put(target, at: entry.end - 8) })
      #expect(found == (starts.contains(target) ? [] : [Finding("keyTarget", entry.offset)]), "\(target)")
    }
  }

  @Test func `goes on after a record that does not fit, where the next key points [P8]`() throws {
    // The record at 49 reaches too far; keys point at 49 and 60, so 60 is looked at again.
    let bytes = Self.sealed {
      $0.bytes.put(UInt32(1000), at: 49)
      $0.bytes[68] = 0xC1
    }
    #expect(try Self.findings(bytes) == [Finding("objectBounds", 49), Finding("objectChecksum", 60)])
    // The first one hides nothing but itself.
    #expect(try Self.findings(Self.sealed { $0.bytes.put(UInt32.max, at: 40) }) == [Finding("objectBounds", 40)])
    // After the last one there is nothing to go on with.
    #expect(try Self.findings(Self.sealed { $0.bytes.put(UInt32(2), at: 60) }) == [Finding("objectBounds", 60)])
  }

  @Test func `judges objects that no key reaches [P2]`() throws {
    var file = ReferenceFile(objects: [[0x01], [0xC1], [0x02, 0x02], [], [0x03]], keys: [([0x61], 0), ([0x62], 4)])
    #expect(try Self.findings(file.bytes) == [49, 58, 68].map { Finding("objectValue", $0) })
    file.bytes[53] ^= 1
    file.seal()
    let expected = [Finding("objectChecksum", 49), Finding("objectValue", 58), Finding("objectValue", 68)]
    #expect(try Self.findings(file.bytes) == expected)
  }

  @Test(arguments: 0..<40) func `finds one bit of the whole file's checksum or of the record's own [H7] [D3]`(byte: Int)
    throws
  {
    let place = 40 + byte % 29
    let found = try Self.findings(Self.file.bytes.flipping(bit: 8 * place))
    #expect(found.contains(Finding("fileChecksum", 32)))
    #expect(found.count > 1 || [40, 41, 42, 43, 49, 50, 51, 52, 60, 61, 62, 63].contains(place))
    #expect(found == ReferenceFile(Self.file.bytes.flipping(bit: 8 * place)).damage)
  }

  @Test func `does not depend on whether checksums are skipped elsewhere [P2]`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.file.bytes.flipping(bit: 8 * 48))
    let report = try FuseReader(path: path, checksums: .skipped).verify()
    #expect(report.findings == [Finding("fileChecksum", 32), Finding("objectChecksum", 40)])
    #expect(report.path == path)
  }

  @Test func `tells how far it has come, up to 1`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.file.bytes)
    var shares: [Double] = []
    _ = try FuseReader.verify(path: path, progress: { shares.append($0) })
    #expect(shares.last == 1)
    #expect(shares == shares.sorted())
    #expect(shares.allSatisfy { (0...1).contains($0) })
  }

  @Test func `describes damage with its place, kind and a sentence`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sealed { $0.bytes[5] = 1 })
    let damage = try #require(FuseReader.verify(path: path).damage.first)
    #expect(damage.description.hasPrefix("offset 5: header: "))
    #expect(Damage.Kind.allCases.count == 27)
  }
}
