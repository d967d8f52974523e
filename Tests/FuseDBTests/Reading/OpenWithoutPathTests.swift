import Foundation
import Glibc
import Testing

import FuseDB

struct `Opening without a path` {
  private static let sample = `A file that is truncated while it is open`.sample
  private static let memories = [FuseAccess.mapped, .copied]

  private static func check(_ reader: FuseReader) throws {
    for key in sample.keys { #expect(try reader.copy(of: key.bytes) == sample.mapping[key]) }
    for key in sample.absent { #expect(try !reader.contains(key.bytes)) }
    #expect(try reader.verify().isSound)
  }

  @Test(arguments: memories)
  func `takes a descriptor, neither closes nor moves it, and needs it no more`(access: FuseAccess) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    let descriptor = unsafe open(path, O_RDONLY)
    #expect(lseek(descriptor, 17, SEEK_SET) == 17)
    let reader = try FuseReader(descriptor: descriptor, access: access)
    #expect(reader.path == "descriptor \(descriptor)")
    #expect(lseek(descriptor, 0, SEEK_CUR) == 17)
    #expect(close(descriptor) == 0)
    try Self.check(reader)
  }

  @Test(arguments: memories) func `takes a file that was deleted`(access: FuseAccess) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    let descriptor = unsafe open(path, O_RDONLY)
    #expect(unsafe unlink(path) == 0)
    let reader = try FuseReader(descriptor: descriptor, access: access)
    close(descriptor)
    try Self.check(reader)
  }

  @Test(arguments: memories) func `takes a file that never had a name, on disk and in memory`(access: FuseAccess) throws
  {
    let folder = try TemporaryFolder()
    // The constant O_TMPFILE is hidden, as memfd_create is; where the file system has no such files, a deleted one serves.
    var onDisk = unsafe open(folder.path, 0o20_000_000 | O_DIRECTORY | O_RDWR, 0o600)
    if onDisk < 0 {
      onDisk = unsafe open(folder.path("x"), O_RDWR | O_CREAT, 0o600)
      unsafe unlink(folder.path("x"))
    }
    typealias Create = @convention(c) (UnsafePointer<CChar>, UInt32) -> Int32
    let found = unsafe dlsym(nil, "memfd_create")
    guard let symbol = unsafe found else { throw FuseError(.notFound, "no memfd_create") }
    // SAFETY: that is its signature in memfd_create(2).
    let inMemory = unsafe unsafeBitCast(symbol, to: Create.self)("test", 0)
    for descriptor in [onDisk, inMemory] {
      try #require(descriptor >= 0)
      #expect(unsafe write(descriptor, Self.sample.bytes, Self.sample.bytes.count) == Self.sample.bytes.count)
      let reader = try FuseReader(descriptor: descriptor, access: access)
      close(descriptor)
      try Self.check(reader)
    }
  }

  @Test(arguments: memories) func `refuses what is no regular file, is not open or cannot be read`(access: FuseAccess)
    throws
  {
    let folder = try TemporaryFolder()
    func refusal(_ descriptor: Int32) -> FuseError? {
      let error = failure { _ = try FuseReader(descriptor: descriptor, access: access) }
      #expect(error?.path == "descriptor \(descriptor)")
      return error
    }
    var pipes: [Int32] = [0, 0]
    #expect(unsafe pipe(&pipes) == 0)
    let path = try folder.write(WorkedExamples.oneKey)
    let empty = try folder.write([], as: "empty.fsdb")
    let wrong: [Int32] = unsafe [
      open(folder.path, O_RDONLY | O_DIRECTORY), open("/dev/null", O_RDONLY), pipes[0], pipes[1], open(path, O_WRONLY),
    ]
    let nothing = unsafe open(empty, O_RDONLY)
    defer { for descriptor in wrong + [nothing] { close(descriptor) } }
    for descriptor in wrong { #expect(refusal(descriptor)?.code == .notFound) }
    #expect(refusal(nothing)?.code == .truncated)
    #expect(refusal(nothing)?.offset == 0)
    #expect(refusal(-1)?.code == .inputOutput)
    #expect(refusal(-1)?.errno == EBADF)
  }

  @Test func `takes bytes, and keeps its own copy of them`() throws {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.sample.bytes.count, alignment: 1)
    unsafe memory.copyBytes(from: Self.sample.bytes)
    // SAFETY: the memory is released after the span was used.
    let reader = try unsafe FuseReader(bytes: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(memory)))
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0xAA)
    unsafe memory.deallocate()
    #expect(reader.path == "bytes in memory")
    try Self.check(reader)
    try Self.check(FuseReader(bytes: Self.sample.bytes))
  }

  @Test func `refuses no bytes, as it does an empty file`() throws {
    let error = failure { _ = try FuseReader(bytes: [UInt8]()) }
    #expect(error?.code == .truncated)
    #expect(error?.offset == 0)
    #expect(error?.path == "bytes in memory")
  }
}
