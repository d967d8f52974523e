import Glibc
import ProgramSupport
import Testing

import FuseDB

struct `A scan` {
  /// A reader over a random mapping, its keys in order and its objects.
  private static func open(
    _ size: Int, in folder: TemporaryFolder, _ random: inout SeededRandom
  ) throws -> (FuseReader, [Key], [Key: [UInt8]]) {
    let mapping = Samples.mapping(size, &random)
    let path = try folder.write(ReferenceFile(canonical: mapping).bytes)
    return (try FuseReader(path: path), mapping.keys.sorted(), mapping)
  }

  @Test(arguments: Samples.sizes)
  func `of all keys gives them in order and in the opposite order, with their objects [G4]`(size: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let (reader, keys, mapping) = try Self.open(size, in: folder, &random)
    var up = try reader.entries()
    #expect(up.count == size)
    let found = try up.rest()
    #expect(found.map(\.key) == keys)
    #expect(found.map(\.object) == keys.map { mapping[$0] })
    #expect(up.count == 0)
    #expect(try up.next() == nil)
    var down = try reader.entries(.descending)
    #expect(down.count == size)
    #expect(try down.restOfKeys() == keys.reversed())
    #expect(try down.next() == nil)
  }

  @Test(arguments: Samples.sizes)
  func `between any bounds is that part of the sorted keys [G4]`(size: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let (reader, keys, mapping) = try Self.open(size, in: folder, &random)
    let absent = Samples.absent(from: mapping, &random)
    for _ in 0..<60 {
      let lower = keys.isEmpty || random.below(3) == 0 ? random.element(absent) : random.element(keys)
      let upper = keys.isEmpty || random.below(3) == 0 ? random.element(absent) : random.element(keys)
      let expected = keys.filter { $0 >= lower && $0 < upper }
      var up = try reader.entries(from: lower.bytes, upTo: upper.bytes)
      var down = try reader.entries(from: lower.bytes, upTo: upper.bytes, .descending)
      #expect(up.count == expected.count, "from \(lower) up to \(upper)")
      #expect(down.count == expected.count, "from \(lower) up to \(upper)")
      #expect(try up.restOfKeys() == expected, "from \(lower) up to \(upper)")
      #expect(try down.restOfKeys() == expected.reversed(), "from \(lower) up to \(upper)")
    }
  }

  @Test(arguments: Samples.sizes)
  func `with one bound runs to the end of the keys`(size: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let (reader, keys, mapping) = try Self.open(size, in: folder, &random)
    for bound in (keys + Samples.absent(from: mapping, &random)).shuffled(using: &random).prefix(25) {
      var from = try reader.entries(from: bound.bytes)
      #expect(try from.restOfKeys() == keys.filter { $0 >= bound }, "from \(bound)")
      var upTo = try reader.entries(upTo: bound.bytes)
      #expect(try upTo.restOfKeys() == keys.filter { $0 < bound }, "up to \(bound)")
      var fromBack = try reader.entries(from: bound.bytes, .descending)
      #expect(try fromBack.restOfKeys() == keys.filter { $0 >= bound }.reversed(), "from \(bound), descending")
    }
  }

  @Test(arguments: Samples.sizes)
  func `of a prefix gives the keys that begin with it, and no others [G5]`(size: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let (reader, keys, _) = try Self.open(size, in: folder, &random)
    var prefixes: [[UInt8]] = [
      [], [0], [0xFF], [0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [0xFE], [0x61], [0x61, 0xFF], [0x61, 0x61],
    ]
    prefixes += [
      [UInt8](repeating: 0x61, count: 65_535), [UInt8](repeating: 0xFF, count: 65_535), [UInt8]("8.8.".utf8),
    ]
    // Longer than any key can be.
    prefixes.append([UInt8](repeating: 0x61, count: 65_536))
    for key in keys.shuffled(using: &random).prefix(15) {
      prefixes.append(key.bytes)
      prefixes.append([UInt8](key.bytes.prefix(random.below(key.bytes.count + 1))))
      prefixes.append(key.bytes + [0xFF])
    }
    for prefix in prefixes {
      let expected = keys.filter { $0.bytes.starts(with: prefix) }
      var up = try reader.prefix(prefix)
      #expect(up.count == expected.count, "prefix \(Key(prefix))")
      #expect(try up.restOfKeys() == expected, "prefix \(Key(prefix))")
      var down = try reader.prefix(prefix, .descending)
      #expect(try down.restOfKeys() == expected.reversed(), "prefix \(Key(prefix)), descending")
    }
  }

  @Test(arguments: [FuseReader.Direction.ascending, .descending])
  func `that skips goes on where a list that drops as many would`(direction: FuseReader.Direction) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let (reader, keys, _) = try Self.open(100, in: folder, &random)
    let ordered = direction == .ascending ? keys : keys.reversed()
    for skipped in [0, 1, 31, 32, 33, 68, 99, 100, 101, 1000] {
      var scan = try reader.entries(direction)
      try scan.skip(skipped)
      #expect(scan.count == max(0, 100 - skipped))
      #expect(try scan.restOfKeys() == Array(ordered.dropFirst(skipped)))
    }
    var steps = try reader.entries(direction)
    var place = 0
    while place < 100 {
      let skipped = random.below(7)
      try steps.skip(skipped)
      place += skipped
      let next = try steps.next()
      #expect(try next?.key == (place < 100 ? ordered[place].bytes : nil))
      place += 1
    }
  }

  @Test func `that is copied goes on twice, each copy on its own`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let (reader, keys, _) = try Self.open(70, in: folder, &random)
    for direction in [FuseReader.Direction.ascending, .descending] {
      var scan = try reader.entries(direction)
      try scan.skip(33)
      var copy = scan
      let rest = try scan.restOfKeys()
      #expect(try copy.restOfKeys() == rest)
      #expect(rest == Array((direction == .ascending ? keys : keys.reversed()).dropFirst(33)))
    }
  }

  @Test func `keeps the file open, and an entry does too`() throws {
    let folder = try TemporaryFolder()
    func firstEntry() throws -> Entry? {
      var scan = try FuseReader(path: folder.write(WorkedExamples.twoKeysOneObject)).entries()
      return try scan.next()
    }
    let entry = try #require(try firstEntry())
    #expect(try entry.key == [UInt8]("8.8.8.8".utf8))
    #expect(try entry.keyBytes.byteCount == 7)
    #expect(try entry.bytes.byteCount == 4)
    #expect(try entry.bytes.array() == WorkedExamples.object)
    #expect(entry.objectOffset == 40)
  }

  @Test func `gives keys of damaged objects and an error for the object itself [G3]`() throws {
    let folder = try TemporaryFolder()
    var file = ReferenceFile(WorkedExamples.twoKeysOneObject.flipping(bit: 8 * 50))
    file.seal()
    let reader = try FuseReader(path: folder.write(file.bytes))
    var scan = try reader.entries()
    let entry = try #require(try scan.next())
    #expect(try entry.key == [UInt8]("8.8.8.8".utf8))
    let error = failure { _ = try entry.bytes.array() }
    #expect(error?.code == .corrupted)
    #expect(error?.offset == 40)
    #expect(failure { _ = try entry.bytes.byteCount }?.offset == 40)
    #expect(try scan.next() != nil)
    #expect(try scan.next() == nil)
  }

  @Test func `stops at keys that are not in order any more, since the file was opened [G4]`() throws {
    let folder = try TemporaryFolder()
    // More than a page after them, of which the last is read from a copy.
    let keys = ["a", "b", "c", "d"] + (0..<800).map { "e\(1000 + $0)" }
    let file = ReferenceFile(objects: [[0x01]], keys: keys.map { (Array($0.utf8), 0) })
    // Entries have 2 + 1 + 8 bytes. "b" becomes what stands before it, or what comes after the next.
    for (byte, up, down) in [("a", 1, 0), ("A", 1, 0), ("c", 2, 1), ("z", 2, 1)] {
      let path = try folder.write(file.bytes)
      let reader = try FuseReader(path: path)
      let descriptor = unsafe Glibc.open(path, O_WRONLY)
      let start = Int(file.indexOffset)
      try #require(unsafe pwrite(descriptor, byte, 1, off_t(start + 11 + 2)) == 1)
      Glibc.close(descriptor)
      for (direction, number) in [(FuseReader.Direction.ascending, up), (.descending, down)] {
        var scan = try reader.entries(direction)
        let error = failure { while try scan.next() != nil {} }
        #expect(error?.code == .corrupted, "\(byte), \(direction)")
        #expect(error?.offset == UInt64(start + 11 * number), "\(byte), \(direction)")
      }
    }
  }

  @Test(arguments: [FuseReader.ExpectedLookups.many, .few])
  func `meets a sampled key that changed since the file was opened [G3] [G4]`(lookups: FuseReader.ExpectedLookups)
    throws
  {
    let folder = try TemporaryFolder()
    let keys = (0..<300).map { Array("k\(1000 + $0)".utf8) }
    let file = ReferenceFile(objects: [[0x01]], keys: keys.map { ($0, 0) })
    // Entries have one length; every 32nd key is where a search may turn.
    let entryByteCount = 2 + 5 + 8
    for (sample, first) in [
      (0, UInt8(0x7A)), (32, 0x7A), (128, 0x7A), (288, 0x7A), (32, 0x61), (160, 0x61), (288, 0x61),
    ] {
      let path = try folder.write(file.bytes)
      let reader = try FuseReader(path: path, expecting: lookups)
      let descriptor = unsafe Glibc.open(path, O_WRONLY)
      let place = Int(file.indexOffset) + sample * entryByteCount + 2
      try #require(unsafe pwrite(descriptor, [first], 1, off_t(place)) == 1)
      Glibc.close(descriptor)
      for prefix in ["k10", "k11", "k12", "k1", "k", "k1032", "k1129", "k1287", "k1289"] {
        let expected = keys.count { $0.starts(with: prefix.utf8) }
        let error = failure {
          var scan = try reader.prefix(prefix)
          #expect(scan.count == expected, "prefix \(prefix), sample \(sample)")
          var found = 0
          while try scan.next() != nil { found += 1 }
          #expect(found == expected, "prefix \(prefix), sample \(sample)")
        }
        #expect(error == nil || error?.offset != nil)
      }
      for key in keys {
        let isMissed = (try? reader.contains(key)) == false
        #expect(!isMissed, "\(key.hex), sample \(sample)")
      }
    }
  }

  /// Entry 40 becomes one with the next: its key then has all of that in it, and is in order. Entries that come after it would be
  /// counted one too low.
  @Test func `meets two entries that became one since the file was opened, where a stride ends [G3] [G4]`() throws {
    let folder = try TemporaryFolder()
    let keys = (0..<300).map { Array("k\(1000 + $0)".utf8) }
    let file = ReferenceFile(objects: [[0x01]], keys: keys.map { ($0, 0) })
    let path = try folder.write(file.bytes)
    let reader = try FuseReader(path: path)
    let descriptor = unsafe Glibc.open(path, O_WRONLY)
    let entryByteCount = 2 + 5 + 8
    let place = Int(file.indexOffset) + 40 * entryByteCount
    try #require(unsafe pwrite(descriptor, [0, UInt8(5 + entryByteCount)], 2, off_t(place)) == 2)
    Glibc.close(descriptor)
    // A search for a key of the third stride begins with the second one, at whose end it finds itself elsewhere than the third one begins.
    for number in 65...96 {
      #expect(failure { _ = try reader.entries(from: keys[number]) }?.code == .corrupted, "\(number)")
    }
    for number in Array(0..<40) + Array(97..<300) {
      #expect(try reader.entries(from: keys[number]).count == 300 - number)
    }
  }

  /// What a scan gave, and how it ended.
  private struct Outcome: Equatable {
    var found: [[UInt8]] = []
    var error: FuseError?
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain], [FuseReader.Checksums.verified, .skipped])
  func `visits what its steps give and ends as they do, whichever byte is damaged [G3] [G4] [X18]`(
    layout: FuseWriter.Layout, checksums: FuseReader.Checksums
  ) throws {
    let objects = (0..<9).map { [0xC4, UInt8($0)] + [UInt8](repeating: 0x55, count: $0) }
    let file = ReferenceFile(objects: objects, keys: (0..<70).map { (Array("key \(10 + $0)".utf8), $0 * 7 % 9) })
    let bytes = file.bytes(layout)
    var endings: Set<FuseError.Code?> = []
    for place in 40..<bytes.count {
      var damaged = bytes
      damaged[place] ^= 1 << (place % 8)
      guard let reader = try? FuseReader(bytes: damaged, checksums: checksums) else { continue }
      for direction in [FuseReader.Direction.ascending, .descending] {
        for prefix in ["", "key 4"] {
          var (steps, visits) = (Outcome(), Outcome())
          do throws(FuseError) {
            var scan = try reader.prefix(prefix, direction)
            while let entry = try scan.next() {
              let object = try entry.bytes.array()
              steps.found.append(try entry.key + [0] + object)
            }
          } catch { steps.error = error }
          do {
            try reader.prefix(prefix, direction).forEachInPlace { key, object in
              visits.found.append(key.array() + [0] + object.array())
            }
          } catch { visits.error = try #require(error as? FuseError) }
          #expect(steps == visits, "byte \(place), \(direction)")
          endings.insert(steps.error?.code)
        }
      }
    }
    // A plain file is compared with its checksum when it is opened.
    #expect(endings == (layout == .plain && checksums == .verified ? [] : [nil, .corrupted]))
  }

  @Test func `stops a visitor by what it throws, and visits only what is left`() throws {
    let file = ReferenceFile(objects: [[0x01]], keys: (10..<80).map { (Array("\($0)".utf8), 0) })
    var scan = try FuseReader(bytes: file.bytes(.indexed)).entries()
    try scan.skip(40)
    var keys: [[UInt8]] = []
    try scan.forEachInPlace { key, _ in keys.append(key.array()) }
    #expect(keys == (50..<80).map { Array("\($0)".utf8) })
    #expect(scan.count == 30)
    var count = 0
    #expect(throws: FuseError(.refused, "enough")) {
      try scan.forEachInPlace { _, _ in
        count += 1
        if count == 7 { throw FuseError(.refused, "enough") }
      }
    }
    #expect(count == 7)
  }
}
