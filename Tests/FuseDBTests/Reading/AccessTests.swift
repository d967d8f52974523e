import Glibc
import Testing

import FuseDB

@testable import FuseDBSystem

struct `Access to a file` {
  private static let sample = `A file that is truncated while it is open`.sample
  private static let asked = sample.keys + sample.absent

  /// Every combination but the locked ones, which need a limit that allows them.
  static let all = [FuseAccess.Memory.mapped, .copied].flatMap { memory in
    [FuseAccess.Advice.normal, .random].flatMap { advice in
      [FuseAccess.Prefault.none, .background, .atOpen].map {
        FuseAccess(memory: memory, advice: advice, prefault: $0)
      }
    }
  }

  @Test(arguments: all, [FuseReader.Checksums.verified, .skipped])
  func `of any kind gives the same answers [G1]`(access: FuseAccess, checksums: FuseReader.Checksums) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    let expected = try Answers.of(try FuseReader(path: path), asking: Self.asked)
    try #require(expected.found.prefix(Self.sample.keys.count).allSatisfy { $0 != nil })
    let reader = try FuseReader(path: path, checksums: checksums, access: access)
    #expect(try Answers.of(reader, asking: Self.asked) == expected)
    #expect(try reader.verify().isSound)
    #expect(reader.path == path)
    #expect(reader.checksums == checksums)
    #expect(reader.byteCount == Self.sample.bytes.count)
  }

  @Test(arguments: Fixtures.badNames)
  func `of any kind refuses what is damaged for the same reason`(name: String) throws {
    let path = Fixtures.path(bad: name)
    let bytes = try contents(path)
    let descriptor = unsafe open(path, O_RDONLY)
    defer { close(descriptor) }
    for checksums in [FuseReader.Checksums.verified, .skipped] {
      let expected = failure { _ = try FuseReader(path: path, checksums: checksums) }
      let others = [
        failure { _ = try FuseReader(path: path, checksums: checksums, access: .copied) },
        failure { _ = try FuseReader(path: path, checksums: checksums, access: FuseAccess(prefault: .background)) },
        failure { _ = try FuseReader(descriptor: descriptor, checksums: checksums) },
        failure { _ = try FuseReader(bytes: bytes, checksums: checksums) },
      ]
      for other in others {
        #expect(other?.code == expected?.code)
        #expect(other?.offset == expected?.offset)
      }
      #expect(
        others.map { $0?.path }
          == (expected == nil ? [nil, nil, nil, nil] : [path, path, "descriptor \(descriptor)", "bytes in memory"]))
    }
  }

  @Test func `in a copy outlives the file's truncation, and another content [M2]`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    let reader = try FuseReader(path: path, access: .copied)
    let before = try Answers.of(reader, asking: Self.asked)
    for byteCount in [Self.sample.bytes.count - 1, 5000, 0] {
      let result = unsafe truncate(path, byteCount)
      #expect(result == 0)
      #expect(try Answers.of(reader, asking: Self.asked) == before)
      try reader.checkNotShrunk()
    }
    let result = unsafe truncate(path, Self.sample.bytes.count)
    #expect(result == 0)
    #expect(try Answers.of(reader, asking: Self.asked) == before)
    #expect(try reader.verify().isSound)
  }

  @Test func `in a copy is refused when the file ends before its size was read [M2]`() throws {
    let folder = try TemporaryFolder()
    let descriptor = unsafe open(try folder.write(Self.sample.bytes), O_RDONLY)
    defer { close(descriptor) }
    let count = Self.sample.bytes.count
    let error = failure { _ = try FileMapping(reading: descriptor, byteCount: count + 1, path: "x", isLocked: false) }
    #expect(error?.code == .truncated)
    #expect(error?.offset == UInt64(count))
    #expect(error?.path == "x")
  }

  @Test func `at random is not read ahead, also after all of it was read in order`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    for checksums in [FuseReader.Checksums.verified, .skipped] {
      let random = try FuseReader(path: path, checksums: checksums, access: FuseAccess(advice: .random))
      #expect(try MemoryUse.of(random.mapping).flags.contains("rr"))
      #expect(try random.verify().isSound)
      #expect(try MemoryUse.of(random.mapping).flags.contains("rr"))
      random.mapping.willReadInOrder()
      #expect(try !MemoryUse.of(random.mapping).flags.contains("rr"))
      let normal = try FuseReader(path: path, checksums: checksums)
      #expect(try !MemoryUse.of(normal.mapping).flags.contains("rr"))
    }
  }

  @Test(arguments: all) func `begins at a multiple of 64 bytes, as buckets do`(access: FuseAccess) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(WorkedExamples.oneKey)
    let mappings = [
      try FileMapping(path: path, access: access),
      try FuseReader(bytes: WorkedExamples.oneKey).mapping,
    ]
    for mapping in mappings {
      // SAFETY: the address is a number here.
      let address = unsafe mapping.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
      #expect(address % 64 == 0)
    }
  }
}
