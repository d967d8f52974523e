import ProgramSupport
import Testing

import FuseDB

/// Random damage, with the checksum made right in half of the files, beside a model that reads spec/format.md slowly.
struct `Random damage` {
  /// A file of up to some dozen keys with a few changes of many kinds.
  private static func damaged(_ random: inout SeededRandom) -> [UInt8] {
    let objects = (0..<1 + random.below(5)).map { _ in ReferenceValue.random(&random, depth: 2).bytes }.filter {
      $0.count < 400
    }
    let mapping = Samples.mapping(random.below(12), &random).keys.filter { $0.bytes.count < 100 }
    let list = objects.isEmpty ? [[0xC0]] : objects
    var file = ReferenceFile(objects: list, keys: mapping.sorted().map { ($0.bytes, random.below(list.count)) })
    for _ in 0..<1 + random.below(3) { change(&file, &random) }
    if random.below(2) == 0 { file.seal() }
    return file.bytes
  }

  private static func change(_ file: inout ReferenceFile, _ random: inout SeededRandom) {
    guard !file.bytes.isEmpty else { return }
    let place = random.below(file.bytes.count)
    let small = UInt64(random.below(file.bytes.count + 12))
    switch random.below(9) {
    case 0: file.bytes = file.bytes.flipping(bit: random.below(8 * file.bytes.count))
    case 1: file.bytes[place] = random.element([0, 1, 0x7F, 0x80, 0xFF])
    case 2: file.bytes.removeSubrange(place...)
    case 3: file.bytes.remove(at: place)
    case 4: file.bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
    case 5: file.bytes += random.bytes(1 + random.below(24))
    case 6 where file.bytes.count >= 40:
      file.bytes.put(random.element([small, 0, 39, 40, 1 << 63, .max]), at: random.element([16, 16, 24]))
    case 7 where file.bytes.count >= 40:
      file.bytes.put(UInt32(truncatingIfNeeded: random.element([small, 0, 1, .max])), at: random.element([8, 12]))
    default:
      // A number of the sections: a length, a checksum or a target.
      guard file.bytes.count >= 60 else { return }
      let at = 40 + random.below(file.bytes.count - 48)
      file.bytes.put(random.element([small, small << 32, 40, 1 << 31, .max]), at: at)
    }
  }

  @Test func `is listed, refused and answered as the model says [P1] [P3] [P4] [G3]`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    var opened = 0
    for _ in 0..<3000 {
      let bytes = Self.damaged(&random)
      let model = ReferenceFile(bytes)
      let path = try folder.write(bytes)
      // The first difference is enough: what follows is mostly the same.
      try #require(try FuseReader.verify(path: path).findings == model.damage, "\(bytes.hex)")
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let refusal = model.refusal(comparingChecksums: checksums == .verified)
        let error = failure {
          let reader = try FuseReader(path: path, checksums: checksums, expecting: opened % 2 == 0 ? .many : .few)
          opened += 1
          if refusal == nil { try Self.check(reader, model) }
        }
        #expect(error?.code.rawValue == refusal, "\(bytes.hex)")
        #expect(error == nil || error?.offset != nil, "\(bytes.hex)")
      }
    }
    #expect(opened > 100)
  }

  /// Compares the answers of a reader with what stands in the file.
  private static func check(_ reader: FuseReader, _ model: ReferenceFile) throws {
    let entries = model.entries
    for entry in entries {
      #expect(try reader.contains(entry.key.bytes))
      let record = model.record(at: entry.target)
      let isHandedOut = record.map { $0.hasRightChecksum || reader.checksums == .skipped } ?? false
      if isHandedOut {
        #expect(try reader.copy(of: entry.key.bytes) == record?.object)
      } else {
        let error = failure { _ = try reader.copy(of: entry.key.bytes) }
        #expect(error?.code == .corrupted)
        #expect(error?.offset == entry.target)
      }
      let next = Key(entry.key.bytes + [0])
      let isThere = entries.contains { $0.key == next }
      #expect(try reader.contains(next.bytes) == isThere)
    }
    var scan = try reader.entries()
    var keys: [Key] = []
    while let entry = try scan.next() { keys.append(Key(try entry.key)) }
    #expect(keys == entries.map(\.key))
    if model.damage.isEmpty {
      #expect(try reader.statistics().keyCount == keys.count)
    }
  }

  @Test func `of random bytes alone ends in verification and in opening [P4]`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    for _ in 0..<500 {
      // After a sound magic and version, so that there is something to walk; some small numbers, so that things fit now and then.
      var bytes = [UInt8]("FSDB".utf8) + [2] + random.bytes(35 + random.below(400))
      bytes.put(UInt64(40), at: 24)
      bytes.put(UInt64(40 + random.below(bytes.count)), at: 16)
      for _ in 0..<random.below(20) where bytes.count > 60 {
        bytes.put(UInt32(random.below(30)), at: 40 + random.below(bytes.count - 48))
      }
      let path = try folder.write(bytes)
      try #require(try FuseReader.verify(path: path).findings == ReferenceFile(bytes).damage, "\(bytes.hex)")
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let error = failure { _ = try FuseReader(path: path, checksums: checksums) }
        let expected = ReferenceFile(bytes).refusal(comparingChecksums: checksums == .verified)
        #expect(error?.code.rawValue == expected, "\(bytes.hex)")
      }
    }
  }
}
