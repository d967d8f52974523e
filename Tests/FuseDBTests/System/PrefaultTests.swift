import Glibc
import Testing

import FuseDB

@testable import FuseDBSystem

struct `Pages that are brought in` {
  /// A file of some nine million bytes: several blocks of a prefault, more than one large page.
  static func file(in folder: TemporaryFolder) throws -> String {
    let writer = FuseWriter()
    let path = folder.path("large.fsdb")
    for number in UInt8(1)...9 {
      try writer.add(
        ["key \(number)"], messagePack: [0xC6, 0x00, 0x10, 0x00, 0x00] + [UInt8](repeating: number, count: 1 << 20))
    }
    try writer.build(to: path)
    return path
  }

  @Test func `at opening are all there when it returns, and without that are not`() throws {
    let folder = try TemporaryFolder()
    let path = try Self.file(in: folder)
    for advice in [FuseAccess.Advice.normal, .random] {
      let lazy = try FuseReader(path: path, checksums: .skipped, access: FuseAccess(advice: advice))
      #expect(try MemoryUse.of(lazy.mapping).residentByteCount < lazy.mapping.pagesByteCount)
      let access = FuseAccess(advice: advice, prefault: .atOpen)
      let reader = try FuseReader(path: path, checksums: .skipped, access: access)
      #expect(try MemoryUse.of(reader.mapping).residentByteCount == reader.mapping.pagesByteCount)
      #expect(try reader.copy(of: [UInt8]("key 9".utf8))?.last == 9)
    }
  }

  @Test(arguments: [FuseAccess.Advice.normal, .random])
  func `in the background are all there after a while`(advice: FuseAccess.Advice) throws {
    let folder = try TemporaryFolder()
    let access = FuseAccess(advice: advice, prefault: .background)
    let reader = try FuseReader(path: Self.file(in: folder), checksums: .skipped, access: access)
    for _ in 0..<3000 {
      if try MemoryUse.of(reader.mapping).residentByteCount == reader.mapping.pagesByteCount { break }
      usleep(10_000)
    }
    #expect(try MemoryUse.of(reader.mapping).residentByteCount == reader.mapping.pagesByteCount)
    #expect(try reader.copy(of: [UInt8]("key 9".utf8))?.last == 9)
  }

  @Test(arguments: [true, false]) func `are so by the kernel, and where it cannot, by reading`(asksKernel: Bool) throws
  {
    let folder = try TemporaryFolder()
    let mapping = try FileMapping(path: Self.file(in: folder))
    mapping.bringIn(asksKernel: asksKernel)
    #expect(try MemoryUse.of(mapping).residentByteCount == mapping.pagesByteCount)
    #expect(mapping.shrunkAt == nil)
  }

  @Test(arguments: [true, false]) func `are so until told to stop, which is asked before each block`(asksKernel: Bool)
    throws
  {
    let folder = try TemporaryFolder()
    let mapping = try FileMapping(path: Self.file(in: folder))
    var questions = 0
    mapping.bringIn(
      unless: {
        questions += 1
        return questions == 2
      }, asksKernel: asksKernel)
    #expect(questions == 2)
    let resident = try MemoryUse.of(mapping).residentByteCount
    #expect(resident >= Prefault.blockByteCount && resident < mapping.pagesByteCount)
    questions = 0
    mapping.bringIn(
      unless: {
        questions += 1
        return false
      }, asksKernel: asksKernel)
    #expect(questions == 3)
  }

  @Test(arguments: [true, false]) func `but are gone from the file mark it as cut, and the process lives [M2]`(
    asksKernel: Bool
  )
    throws
  {
    let folder = try TemporaryFolder()
    let path = try Self.file(in: folder)
    for byteCount in [0, 4096, 5_000_000, 9_400_000] {
      let mapping = try FileMapping(path: Self.file(in: folder))
      let result = unsafe truncate(path, byteCount)
      #expect(result == 0)
      mapping.bringIn(asksKernel: asksKernel)
      #expect(try #require(mapping.shrunkAt) >= byteCount)
    }
  }

  @Test func `in the background of a file that is cut meanwhile end in an error and no crash [M2]`() throws {
    let folder = try TemporaryFolder()
    for byteCount in [0, 5_000_000, 9_400_000] {
      let path = try Self.file(in: folder)
      let reader = try FuseReader(path: path, checksums: .skipped, access: FuseAccess(prefault: .background))
      let result = unsafe truncate(path, byteCount)
      #expect(result == 0)
      #expect(failure { _ = try reader.contains("key 1") }?.code == .truncated)
    }
  }

  @Test func `in the background keep no reader alive, and end with it`() throws {
    let folder = try TemporaryFolder()
    let path = try Self.file(in: folder)
    for _ in 0..<50 {
      weak var mapping: FileMapping?
      do {
        let reader = try FuseReader(path: path, checksums: .skipped, access: FuseAccess(prefault: .background))
        mapping = reader.mapping
        #expect(mapping != nil)
      }
      #expect(mapping == nil)
    }
    #expect(!String(decoding: procFile("maps"), as: UTF8.self).contains(folder.path))
  }
}
