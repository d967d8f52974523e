import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading

struct `A damaged reverse index` {
  /// Two blocks and a bit, objects with one key among them.
  private static let plain = `The keys that share an object`.file(keyCount: 700) {
    $0 % 70 == 0 ? 600 - $0 / 70 : $0 % 3 == 0 ? 5 : $0 % 20 + 6
  }

  /// What is wrong with the answers for some objects, or nil: each is the truth or an error of the file.
  private static func complaint(
    about reader: FuseReader, _ lists: [(key: UInt64, value: [Key])], _ errorCount: inout Int
  ) -> String? {
    for (object, keys) in lists {
      do {
        var scan = try #require(try reader.keys(sharing: keys[0].bytes))
        let found = try scan.rest()
        if found != keys { return "object \(object): \(found.count) keys for \(keys.count)" }
      } catch {
        guard let error = error as? FuseError, error.code == .corrupted, error.offset != nil, error.path != nil else {
          return "\(error)"
        }
        errorCount += 1
      }
    }
    return nil
  }

  @Test func `gives the right answer or an error, whatever bit is flipped, and verification names it [Y4] [Y7] [Y9]`()
    throws
  {
    let plain = Self.plain
    let block = ReferenceReverse.file(plain)
    let range = try #require(block.range("REVS"))
    #expect(range.count >= 3 * 256)
    let entries = plain.entries
    let lists = Dictionary(grouping: entries) { $0.target }.mapValues { $0.map(\.key) }.sorted { $0.key < $1.key }
    var bytes = block.bytes
    var errorCount = 0
    for bit in 0..<8 * range.count {
      let offset = range.lowerBound + bit / 8
      bytes[offset] ^= 1 << UInt8(bit % 8)
      defer { bytes[offset] ^= 1 << UInt8(bit % 8) }
      let reader = try FuseReader(bytes: bytes)
      // Another list for each bit, so that the test ends.
      if let wrong = Self.complaint(about: reader, [lists[bit % lists.count]], &errorCount) {
        Issue.record("bit \(bit): \(wrong)")
      }
      guard bit % 197 == 0 else { continue }
      var sealed = ReferenceBlock(bytes)
      sealed.sealSections()
      let report = try FuseReader(bytes: sealed.bytes).verify()
      let start = range.lowerBound + bit / 8 / 256 * 256
      #expect(report.findings == [ReferenceFile.Finding("reverse", UInt64(start))], "bit \(bit)")
    }
    #expect(errorCount > range.count / 4)
  }

  @Test func `is an error where its blocks have right checks and say something else [Y3] [Y7] [Y8]`() throws {
    let plain = `The keys that share an object`.file(keyCount: 64) { $0 % 4 }
    let objects = Set(plain.entries.map(\.target)).sorted()
    func answers(
      _ numbers: [UInt8], object: UInt64? = nil, first: Int = 0, to asked: [UInt64]? = nil
    ) throws -> FuseError? {
      let body =
        ReferenceFile.big(Int(object ?? objects[0]), 8) + ReferenceFile.big(first, 4) + numbers
        + [UInt8](repeating: 0, count: 240 - numbers.count)
      let file = ReferenceReverse.file(plain, section: ReferenceReverse.sealed(body, number: 0, next: -1))
      let reader = try FuseReader(bytes: file.bytes)
      return failure {
        for object in asked ?? objects {
          for direction in [FuseReader.Direction.ascending, .descending] {
            var scan = try reader.keys(ofObjectAt: object, direction)
            while try scan.next() != nil {}
          }
        }
      }
    }
    // The list itself, the next one, entries of another object, beyond the last key and beyond all numbers.
    #expect(try answers([4, 4]) == nil)
    #expect(try answers([4, 0, 11, 2, 4]) == nil)
    #expect(try answers([4, 1])?.code == .corrupted)
    #expect(try answers([64])?.code == .corrupted)
    #expect(try answers([0xFF, 0xFF, 0xFF, 0xFF, 0x0F])?.code == .corrupted)
    #expect(try answers([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])?.code == .corrupted)
    #expect(try answers([4, 0, 11, 1, 4])?.code == .corrupted)
    #expect(try answers([4, 0] + [UInt8](repeating: 0xFF, count: 8) + [0x7F, 1])?.code == .corrupted)
    #expect(try answers([UInt8](repeating: 0xFF, count: 240))?.code == .corrupted)
    #expect(try answers([4, 4], first: 64)?.code == .corrupted)
    // Whose end is not there, before a list that would be passed by.
    #expect(try answers([UInt8](repeating: 0x80, count: 9) + [100, 2], to: [objects[1]])?.code == .corrupted)
    // A number that does not end before the block does, after a list that is not wanted.
    #expect(try answers([4] + [UInt8](repeating: 0, count: 238) + [0x80]) == nil)
    #expect(try answers([4, 0] + [UInt8](repeating: 0x80, count: 238))?.code == .corrupted)
  }

  @Test func `whose entries are damaged gives the right keys or an error, whatever bit is flipped [X18] [Y8]`() throws {
    let plain = `The keys that share an object`.file(keyCount: 48) { $0 % 4 }
    let block = ReferenceReverse.file(plain)
    let lists = Dictionary(grouping: plain.entries) { $0.target }.mapValues { $0.map(\.key) }
    let entries = Int(plain.indexOffset)..<plain.bytes.count
    for bit in 8 * entries.lowerBound..<8 * entries.upperBound {
      let reader = try FuseReader(bytes: block.bytes.flipping(bit: bit))
      for (object, keys) in lists {
        var found: [Key] = []
        let error = failure {
          var scan = try reader.keys(ofObjectAt: object, .ascending)
          found = try scan.rest()
        }
        if let error {
          #expect(error.code == .corrupted, "bit \(bit): \(error)")
        } else {
          #expect(found == keys, "bit \(bit)")
        }
      }
    }
  }

  @Test func `of other blocks in another order is an error [Y4]`() throws {
    let plain = Self.plain
    let section = ReferenceReverse(of: plain).bytes
    let blocks = Swift.stride(from: 0, to: section.count, by: 256).map { [UInt8](section[$0..<$0 + 256]) }
    let lists = Dictionary(grouping: plain.entries) { $0.target }.mapValues { $0.map(\.key) }.sorted { $0.key < $1.key }
    for other in [
      [UInt8](blocks.reversed().joined()), [UInt8](blocks.dropLast().joined()), [UInt8](blocks.dropFirst().joined()),
      blocks.flatMap { _ in blocks[0] },
    ] {
      var errorCount = 0
      let reader = try FuseReader(bytes: ReferenceReverse.file(plain, section: other).bytes)
      #expect(Self.complaint(about: reader, lists, &errorCount) == nil)
      #expect(errorCount > 0)
      let report = try reader.verify()
      #expect(!report.isSound && report.damage.allSatisfy { $0.kind == .reverse })
    }
  }

  /// All keys have one object, whose list fills five blocks. By halves, the search comes to all of them but the fourth.
  @Test(arguments: [FuseReader.Checksums.verified, .skipped])
  func `that calls a block in the middle of a list another object's is an error, never a shorter list [Y7]`(
    checksums: FuseReader.Checksums
  ) throws {
    let plain = `The keys that share an object`.file(keyCount: 1100) { _ in 0 }
    let block = ReferenceReverse.file(plain)
    let range = try #require(block.range("REVS"))
    #expect(range.count == 5 * 256)
    for bit in 0..<64 {
      let bytes = block.bytes.flipping(bit: 8 * (range.lowerBound + 3 * 256) + bit)
      let reader = try FuseReader(bytes: bytes, checksums: checksums)
      for direction in [FuseReader.Direction.ascending, .descending] {
        let error = failure {
          var scan = try reader.keys(ofObjectAt: plain.entries[0].target, direction)
          while try scan.next() != nil {}
        }
        #expect(error?.code == .corrupted, "bit \(bit)")
      }
    }
  }

  @Test func `is no danger, whatever bytes its blocks have`() throws {
    var random = SeededRandom.announced()
    let plain = Self.plain
    var bytes = ReferenceReverse.file(plain).bytes
    let range = try #require(ReferenceBlock(bytes).range("REVS"))
    let sound = [UInt8](bytes[range])
    for _ in 0..<100 {
      var section = sound
      let share = random.element([1, 4, 40])
      for offset in section.indices where offset % 256 < 252 && random.below(share) == 0 {
        section[offset] = random.element([0, 1, 0x80, 0xFF, UInt8(truncatingIfNeeded: random.next())])
      }
      for number in 0..<section.count / 256 {
        let start = 256 * number
        let next = start + 256 < section.count ? Int(truncatingIfNeeded: section.number(at: start + 256, 8)) : -1
        let sealed = ReferenceReverse.sealed([UInt8](section[start..<start + 252]), number: number, next: next)
        section.replaceSubrange(start..<start + 256, with: sealed)
      }
      bytes.replaceSubrange(range, with: section)
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let reader = try FuseReader(bytes: bytes, checksums: checksums)
        for object in Set(plain.entries.map(\.target)) {
          _ = failure {
            var scan = try reader.keys(ofObjectAt: object)
            while let entry = try scan.next() { #expect(entry.objectOffset == object) }
          }
        }
      }
    }
  }

  @Test(arguments: [1, 255, 257]) func `of no whole number of blocks is refused when the file is opened [Y2]`(
    byteCount: Int
  ) throws {
    let section = [UInt8](repeating: 0, count: byteCount)
    let file = ReferenceReverse.file(Samples.small, section: section)
    let error = try #require(failure { _ = try FuseReader(bytes: file.bytes) })
    #expect(error.code == .corrupted)
    #expect(error.offset == file.range("REVS").map { UInt64($0.lowerBound) })
    let folder = try TemporaryFolder()
    let report = try FuseReader.verify(path: folder.write(file.bytes))
    #expect(report.damage.map(\.kind) == [.reverse])
  }
}
