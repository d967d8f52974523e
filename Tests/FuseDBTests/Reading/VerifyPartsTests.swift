import ProgramSupport
import Testing

import FuseDB

/// Verification in parts beside ``SequentialVerifier``, which goes through the file in one go.
struct `Verification in parts` {
  typealias Report = SequentialVerifier.Report

  /// Fewer bytes than any record and any entry has, so that each may be a part of its own.
  private static let smallest = 8

  private static func report(
    _ mapping: FileMapping, level: VerificationLevel = .full, threads: Int, partByteCount: Int
  ) throws -> Report {
    var report = Report()
    let division = Verifier.Division(threadCount: threads, partByteCount: partByteCount)
    let summary = try Verifier.run(mapping, level: level, division: division, progress: nil) {
      report.damage.append($0)
    }
    #expect(summary.damageCount == report.damage.count)
    report.keyCount = summary.keyCount
    report.objectCount = summary.objectCount
    return report
  }

  /// Fails unless every division gives the report of the model, word for word.
  private static func compare(_ bytes: [UInt8], in folder: TemporaryFolder, _ threads: [Int], _ sizes: [Int]) throws {
    let mapping = try FileMapping(path: folder.write(bytes))
    let model = try SequentialVerifier.report(on: mapping)
    for threadCount in threads {
      for size in sizes {
        let found = try report(mapping, threads: threadCount, partByteCount: size)
        // The first difference is enough: what follows is mostly the same.
        try #require(found == model, "\(threadCount) threads, parts of \(size) bytes: \(bytes.hex)")
      }
    }
  }

  /// A file of some hundred keys, with objects from one byte to some hundred.
  private static func sample(_ random: inout SeededRandom) -> ReferenceFile {
    let objects = (0..<1 + random.below(60)).map { _ in ReferenceValue.random(&random, depth: 2).bytes }
    let keys = Samples.mapping(random.below(120), &random).keys.filter { $0.bytes.count < 100 }
    return ReferenceFile(
      objects: objects.filter { $0.count < 600 } + [[0xC0]], keys: keys.sorted().map { ($0.bytes, 0) }
    ).withRandomTargets(&random)
  }

  private static func change(_ file: inout ReferenceFile, _ random: inout SeededRandom) {
    let place = 40 + random.below(file.bytes.count - 40)
    let small = UInt64(random.below(file.bytes.count + 12))
    switch random.below(10) {
    case 0: file.bytes = file.bytes.flipping(bit: random.below(8 * file.bytes.count))
    case 1: file.bytes[place] = random.element([0, 1, 0x7F, 0x80, 0xFF])
    case 2: file.bytes.removeSubrange(place...)
    case 3: file.bytes.remove(at: place)
    case 4: file.bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
    case 5: file.bytes += random.bytes(1 + random.below(24))
    case 6: file.bytes.put(random.element([small, 40, UInt64(file.bytes.count)]), at: 16)
    case 7:
      file.bytes.put(UInt32(truncatingIfNeeded: random.element([small, 0, 1, .max])), at: random.element([8, 12]))
    case 8:
      // A hole, as a lost block of a disk leaves one.
      let end = min(file.bytes.count, place + random.below(300))
      file.bytes.replaceSubrange(
        place..<end, with: [UInt8](repeating: random.element([0, 0, 0xFF]), count: end - place))
    default:
      guard file.bytes.count >= place + 8 else { return }
      file.bytes.put(random.element([small, small << 32, 40, 1 << 31, .max]), at: place)
    }
  }

  @Test func `of a sound file finds nothing, however it is divided [P3]`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    for _ in 0..<40 {
      let file = Self.sample(&random)
      let mapping = try FileMapping(path: folder.write(file.bytes))
      for size in [Self.smallest, 50, 128, 129, 1000, 1 << 20] {
        let found = try Self.report(mapping, threads: 2, partByteCount: size)
        #expect(found == Report(keyCount: file.entries.count, objectCount: file.objectCount), "\(file.bytes.hex)")
      }
    }
  }

  @Test func `gives the report of the model on random damage [P1] [P3]`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    for _ in 0..<300 {
      var file = Self.sample(&random)
      for _ in 0..<1 + random.below(4) where file.bytes.count > 41 { Self.change(&file, &random) }
      if random.below(2) == 0 { file.seal() }
      let size = random.element([Self.smallest, 16, 64, 200, 128, 999])
      try Self.compare(file.bytes, in: folder, [random.element([1, 2, 3, 8])], [size, 1 << 20])
    }
  }

  @Test(arguments: [1, 2, 3, 8]) func `gives the report of the model on every plain fixture`(threads: Int) throws {
    let folder = try TemporaryFolder()
    for name in Fixtures.badNames {
      let bytes = try contents(Fixtures.path(bad: name))
      // The plain model knows no block; those files have their lists in `expected.json`.
      guard !bytes.isEmpty, !ExtensionFooter.isPresent(in: bytes.rawSpan) else { continue }
      try Self.compare(bytes, in: folder, [threads], [Self.smallest, 30, 1 << 20])
    }
  }

  @Test func `gives one report on every fixture with an extension block`() throws {
    for name in Fixtures.badNames where name.hasPrefix("block-") {
      let mapping = try FileMapping(path: Fixtures.path(bad: name))
      let whole = try Self.report(mapping, threads: 1, partByteCount: 1 << 30)
      for (threads, size) in [(1, Self.smallest), (2, 30), (3, 1000)] {
        #expect(
          try Self.report(mapping, threads: threads, partByteCount: size) == whole, "\(name), parts of \(size) bytes")
      }
    }
  }

  @Test(arguments: [UInt8(0), 0xFF, 0x20]) func `gives the report of the model on a hole anywhere`(filler: UInt8) throws
  {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let file = Self.sample(&random)
    for start in stride(from: 40, to: file.bytes.count - 200, by: 97) {
      var bytes = file.bytes
      bytes.replaceSubrange(start..<start + 200, with: [UInt8](repeating: filler, count: 200))
      try Self.compare(bytes, in: folder, [2], [100])
    }
  }

  @Test func `does not take for records what stands inside of one, also where keys point there [I5]`() throws {
    // The first object holds a dozen records with right checksums, which keys make the beginnings of parts.
    let inner = ReferenceFile(objects: (0..<12).map { _ in [0xB3] + [UInt8](repeating: 0x61, count: 19) }, keys: [])
    let object = [0xC5] + ReferenceFile.big(inner.bytes.count - 40, 2) + inner.bytes[40...]
    var file = ReferenceFile(
      objects: [object, [0x02]], keys: (0..<6).map { ([0x61 + UInt8($0)], $0 < 5 ? 0 : 1) })
    for (entry, record) in zip(file.entries[1...4], [0, 3, 4, 9]) {
      file.bytes.put(UInt64(40 + 8 + 3 + 28 * record), at: entry.end - 8)
    }
    file.seal()
    let folder = try TemporaryFolder()
    let mapping = try FileMapping(path: folder.write(file.bytes))
    for size in [1, 30, 60, 100, 200, 1 << 20] {
      let found = try Self.report(mapping, threads: 2, partByteCount: size)
      #expect(found.damage.map(\.kind) == [.keyTarget, .keyTarget, .keyTarget, .keyTarget], "parts of \(size) bytes")
      #expect(found.damage.map(\.offset) == file.entries[1...4].map { UInt64($0.offset) })
      #expect(found.objectCount == 2)
    }
  }

  @Test(arguments: VerificationLevel.allCases)
  func `sums up small and large objects alike [H7] [D3]`(level: VerificationLevel) throws {
    let objects = [3, 16_380, 70_000, 5, 16_384, 200_000, 9].map { byteCount in
      [0xC6] + ReferenceFile.big(byteCount, 4) + [UInt8](repeating: UInt8(byteCount & 0x7F), count: byteCount)
    }
    let file = ReferenceFile(objects: objects, keys: (0..<7).map { ([UInt8($0)], $0) })
    let folder = try TemporaryFolder()
    for size in [1, 50_000, 1 << 20] {
      let mapping = try FileMapping(path: folder.write(file.bytes))
      let sound = try Self.report(mapping, level: level, threads: 2, partByteCount: size)
      #expect(sound.damage == [])
      for place in [45, 100, 17_000, 90_000, 290_000, file.bytes.count - 1] {
        let mapping = try FileMapping(path: folder.write(file.bytes.flipping(bit: 8 * place)))
        let found = try Self.report(mapping, level: level, threads: 2, partByteCount: size)
        #expect(found.damage.first?.kind == .fileChecksum, "\(place)")
        // The last byte is the last key's target.
        #expect(found.damage.count == (place == file.bytes.count - 1 && level == .checksums ? 1 : 2), "\(place)")
      }
    }
  }

  @Test func `at the level of checksums reports no values, order and targets, and all else alike`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    for _ in 0..<120 {
      var file = Self.sample(&random)
      for _ in 0..<1 + random.below(3) where file.bytes.count > 41 { Self.change(&file, &random) }
      let mapping = try FileMapping(path: folder.write(file.bytes))
      var model = try SequentialVerifier.report(on: mapping)
      model.damage.removeAll {
        [.objectValue, .keyBounds, .keyOrder, .keyTarget, .trailingBytes].contains($0.kind)
          || $0.kind == .count && $0.offset == 8
      }
      for size in [64, 1 << 20] {
        let found = try Self.report(mapping, level: .checksums, threads: 2, partByteCount: size)
        #expect(found.damage == model.damage, "\(file.bytes.hex)")
        #expect(found.objectCount == model.objectCount)
      }
    }
  }

  @Test func `ends with the error of whoever is told of damage, at once`() throws {
    let folder = try TemporaryFolder()
    var file = ReferenceFile(objects: [[0xC1], [0xC1]], keys: [([0x61], 0)])
    file.bytes[5] = 1
    let path = try folder.write(file.bytes)
    let full = FuseError(.inputOutput, "the disk is full")
    let calls = Calls()
    let error = failure {
      _ = try FuseReader.verify(path: path) { _ throws(FuseError) in
        calls.count += 1
        if calls.count == 2 { throw full }
      }
    }
    #expect(error == full)
    #expect(calls.count == 2)
  }

  private final class Calls { var count = 0 }
}

extension ReferenceFile {
  /// The same keys, each pointing at a random record.
  fileprivate func withRandomTargets(_ random: inout SeededRandom) -> ReferenceFile {
    var copy = self
    let starts = recordOffsets
    for entry in entries { copy.bytes.put(UInt64(random.element(starts)), at: entry.end - 8) }
    copy.seal()
    return copy
  }

  private var recordOffsets: [Int] {
    var offsets: [Int] = []
    var offset = 40
    while let record = record(at: UInt64(offset)) {
      offsets.append(offset)
      offset = Int(record.end)
    }
    return offsets
  }
}
