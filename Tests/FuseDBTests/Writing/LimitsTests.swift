import Glibc
import Testing

import FuseDB

@testable import FuseDBWriting

@safe
struct `The limits of a writer` {
  private static func writer(_ change: (inout FuseWriter.Limits) -> Void, _ options: FuseWriter.Options = .init())
    -> FuseWriter
  {
    var limits = FuseWriter.Limits()
    change(&limits)
    return FuseWriter(options, limits: limits)
  }

  @Test func `are those of the specification [L1] [L2] [L3] [L4]`() {
    #expect(FormatLimits.keyByteCount == 65_535)
    #expect(FormatLimits.objectByteCount == 4_294_967_295)
    #expect(FormatLimits.count == 4_294_967_295)
    #expect(FormatLimits.nesting == 128)
  }

  @Test func `take a key of 65,535 bytes and refuse one of 65,536 [L1]`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    let object = try writer.addObject([1])
    try writer.addKey([UInt8](repeating: 0x61, count: 65_535), for: object)
    let error = try #require(failure { try writer.addKey([UInt8](repeating: 0x62, count: 65_536), for: object) })
    #expect(error.code == .limitExceeded)
    #expect(error.message.contains("65535"))
    #expect(error.message.contains("bbbb"))
    // The writer is as before.
    #expect(writer.addedKeyCount == 1)
    #expect(try writer.build(to: folder.path("file.fsdb")).keyCount == 1)
    #expect(try FuseReader.verify(path: folder.path("file.fsdb")).isSound)
  }

  @Test func `refuse an object of 4 GiB without reading it [L2]`() throws {
    let byteCount = 1 << 32
    // Address space without memory.
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    let mapped = unsafe mmap(nil, byteCount, PROT_NONE, flags, -1, 0)
    let start = unsafe try #require(mapped)
    #expect(unsafe start != MAP_FAILED)
    let writer = FuseWriter()
    let huge = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: byteCount)
    var found: FuseError?
    do throws(FuseError) { _ = try writer.addObject(huge) } catch { found = error }
    unsafe munmap(start, byteCount)
    #expect(found?.code == .limitExceeded)
    #expect(found?.message.contains("4294967295") == true)
    #expect(found?.message.contains("4294967296") == true)
  }

  @Test(arguments: [1, 4, 255]) func `made small, hold for the length of keys [L1]`(limit: Int) throws {
    let writer = Self.writer { $0.keyByteCount = limit }
    let object = try writer.addObject([1])
    for byteCount in 0...limit { try writer.addKey([UInt8](repeating: 0x61, count: byteCount), for: object) }
    let error = try #require(failure { try writer.addKey([UInt8](repeating: 0x61, count: limit + 1), for: object) })
    #expect(error.code == .limitExceeded)
    #expect(error.message.contains("\(limit + 1)"))
    #expect(writer.addedKeyCount == limit + 1)
  }

  @Test func `made small, hold for the length of objects [L2]`() throws {
    let writer = Self.writer { $0.objectByteCount = 10 }
    let longest = try writer.addObject([0xA9] + [UInt8](repeating: 0x61, count: 9))
    let error = try #require(failure { _ = try writer.addObject([0xAA] + [UInt8](repeating: 0x61, count: 10)) })
    #expect(error.code == .limitExceeded)
    #expect(error.message.contains("10"))
    #expect(error.message.contains("11"))
    try writer.addKey("k", for: longest)
  }

  @Test func `made small, hold for the keys and objects of a batch [L1] [L2]`() throws {
    var limits = FuseWriter.Limits()
    (limits.keyByteCount, limits.objectByteCount) = (4, 10)
    let batch = RecordBatch(limits: limits)
    let longest = [0xA9] + [UInt8](repeating: 0x61, count: 9)
    let longer = [0xAA] + [UInt8](repeating: 0x61, count: 10)
    try batch.addObject(longest.rawSpan)
    try batch.addKey("four".keyBytes, position: 1)
    #expect(failure { try batch.addKey("fives".keyBytes, position: 2) }?.code == .limitExceeded)
    #expect(failure { try batch.addObject(longer.rawSpan) }?.code == .limitExceeded)
    #expect(batch.keyCount == 1 && batch.lastObject == 0)
  }

  @Test func `made small, hold for the list of a key's objects [L2]`() throws {
    let folder = try TemporaryFolder()
    // A head and four bytes an object: 9 and 13.
    for (count, isRefused) in [(2, false), (3, true)] {
      let writer = Self.writer({ $0.objectByteCount = 10 }, .init(onDuplicate: .collect))
      for number in 0..<count { try writer.add(["k"], messagePack: [0xA3, 0x61, 0x61, 0x61 + UInt8(number)]) }
      let error = failure { _ = try writer.build(to: folder.path("file.fsdb")) }
      #expect(error?.code == (isRefused ? .limitExceeded : nil))
    }
  }

  @Test func `made small, hold for the number of keys, duplicates counted [L3]`() throws {
    let writer = Self.writer { $0.count = 3 }
    let object = try writer.addObject([1])
    for key in ["a", "b", "a"] { try writer.addKey(key, for: object) }
    let error = try #require(failure { try writer.addKey("the one too many", for: object) })
    #expect(error.code == .limitExceeded)
    #expect(error.message.contains("3"))
    #expect(error.message.contains("the one too many"))
    #expect(writer.addedKeyCount == 3)
    let folder = try TemporaryFolder()
    #expect(try writer.build(to: folder.path("file.fsdb")).keyCount == 2)
  }

  @Test(arguments: [FuseWriter.Sharing.identicalObjects, .none])
  func `made small, hold for the number of objects [L3]`(sharing: FuseWriter.Sharing) throws {
    let writer = Self.writer({ $0.count = 2 }, .init(sharing: sharing))
    _ = try writer.addObject([1])
    _ = try writer.addObject([2])
    if sharing == .identicalObjects { _ = try writer.addObject([1]) }
    let error = try #require(failure { _ = try writer.addObject([3]) })
    #expect(error.code == .limitExceeded)
    #expect(error.message.contains("2"))
  }
}
