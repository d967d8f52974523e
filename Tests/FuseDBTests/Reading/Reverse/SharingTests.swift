import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading

/// Which keys share an object: by a scan, and by the section `REVS`.
struct `The keys that share an object` {
  /// Files of some shapes: objects of one key, of many, lists beyond a block, objects in another order than their keys.
  static func files(_ random: inout SeededRandom) -> [ReferenceFile] {
    var files = [0, 1, 2, 40, 300].map { ReferenceFile(canonical: Samples.mapping($0, &random)) }
    files.append(file(keyCount: 900) { $0 % 2 })
    files.append(file(keyCount: 700) { $0 < 300 ? 0 : $0 })
    files.append(file(keyCount: 400) { $0 })
    // A list that ends with a block, and one that goes beyond it by one.
    files.append(file(keyCount: 500) { $0 < 241 ? 0 : 1 })
    files.append(file(keyCount: 500) { $0 < 242 ? 0 : 1 })
    let objects = (0..<50).shuffled(using: &random)
    files.append(file(keyCount: 600) { objects[$0 * $0 % 50] })
    return files
  }

  /// - Parameter object: the number of the object of each key.
  static func file(keyCount: Int, _ object: (Int) -> Int) -> ReferenceFile {
    let objects = (0..<700).map { [0xCD] + ReferenceFile.big($0, 2) }
    return ReferenceFile(
      objects: objects, keys: (0..<keyCount).map { ([UInt8]("key \(String($0 + 1000))".utf8), object($0)) })
  }

  @Test func `are those of a plain loop, both ways, with the section and without [Y5] [Y6]`() throws {
    var random = SeededRandom.announced()
    for file in Self.files(&random) {
      let entries = file.entries
      let lists = Dictionary(grouping: entries) { $0.target }.mapValues { $0.map(\.key) }
      let withoutSection = try FuseReader(bytes: file.bytes(.indexed))
      // Without `ORDR`, strides are known from memory.
      let sections = ReferenceBlock.sections(of: file).filter { $0.kind != "ORDR" }
      let reverse = ReferenceBlock.Section(kind: "REVS", bytes: ReferenceReverse(of: file).bytes)
      for reader in [
        try FuseReader(bytes: file.bytes), withoutSection, try FuseReader(bytes: ReferenceReverse.file(file).bytes),
        try FuseReader(bytes: ReferenceReverse.file(file).bytes, checksums: .skipped),
        try FuseReader(bytes: ReferenceBlock(after: file, sections + [reverse]).bytes),
      ] {
        // A scan for each of many keys would take long.
        let isListed = reader.index.reverse != nil
        for (object, keys) in lists.shuffled(using: &random).prefix(isListed ? 20 : 3) {
          for direction in [FuseReader.Direction.ascending, .descending] {
            let expected = direction == .ascending ? keys : keys.reversed()
            for key in Set([keys[0], keys[keys.count / 2]]) {
              var scan = try #require(try reader.keys(sharing: key.bytes, direction))
              #expect(scan.objectOffset == object)
              #expect(try scan.rest() == expected)
              #expect(try scan.next() == nil)
            }
            var scan = try reader.keys(ofObjectAt: object, direction)
            #expect(try scan.rest() == expected)
          }
        }
        for key in ["nowhere", "key 1000x", ""] where !entries.contains(where: { $0.key == Key(key) }) {
          #expect(try reader.keys(sharing: key) == nil)
        }
        for offset in [0, 39, 41, file.indexOffset - 1, file.indexOffset, UInt64.max] where lists[offset] == nil {
          var scan = try reader.keys(ofObjectAt: offset)
          #expect(try scan.next() == nil)
        }
        var all = try reader.entries()
        while let entry = try all.next() {
          var scan = try reader.keys(sharing: entry)
          guard let keys = lists[entry.objectOffset], isListed else { break }
          #expect(try scan.next()?.key == keys[0].bytes)
        }
      }
    }
  }

  @Test func `are found in a list without a look at other keys`() throws {
    let file = Self.file(keyCount: 200) { $0 == 35 ? 3 : $0 }
    let entries = file.entries
    var bytes = ReferenceReverse.file(file).bytes
    // The strides of all other keys are damaged.
    for entry in entries[64...] { bytes[entry.end - 1] ^= 1 }
    let reader = try FuseReader(bytes: bytes)
    var scan = try #require(try reader.keys(sharing: entries[35].key.bytes))
    #expect(try scan.rest() == [entries[3].key, entries[35].key])
  }

  @Test func `tell how far a scan is`() throws {
    let keyCount = 150_000
    let writer = FuseWriter()
    let common = try writer.addObject([0x01])
    let rare = try writer.addObject([0x02])
    for number in 0..<keyCount { try writer.addKey("\(number + 100_000)", for: number == 120_000 ? rare : common) }
    let folder = try TemporaryFolder()
    try writer.build(to: folder.path("many.fsdb"))
    let reader = try FuseReader(path: folder.path("many.fsdb"))
    var scan = try #require(try reader.keys(sharing: "220000"))
    var shares: [Double] = []
    #expect(try scan.next { shares.append($0) }?.key == [UInt8]("220000".utf8))
    #expect(!shares.isEmpty && shares == shares.sorted() && shares.allSatisfy { $0 > 0 && $0 < 1 })
  }
}

extension SharingScan {
  /// All keys that are still to come.
  mutating func rest() throws(FuseError) -> [Key] {
    var keys: [Key] = []
    while let entry = try next() { keys.append(Key(try entry.key)) }
    return keys
  }
}
