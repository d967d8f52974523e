import Foundation
import Glibc
import ProgramSupport
import Synchronization
import Testing

import FuseDB

struct `A file that is published` {
  /// A writer with one object of this number under "a".
  private static func writer(_ number: UInt8) throws -> FuseWriter {
    let writer = FuseWriter()
    try writer.add(["a"], messagePack: [0xCC, number])
    return writer
  }

  /// The number that a file holds under "a".
  private static func number(_ path: String) throws -> UInt8? {
    try FuseReader(path: path).withBytes(forKey: "a") { $0.byte(at: 1) }
  }

  @Test func `appears with its bytes and leaves nothing beside it`() throws {
    let folder = try TemporaryFolder()
    try Self.writer(200).build(to: folder.path("a.fsdb"))
    #expect(try folder.names == ["a.fsdb"])
    #expect(try Self.number(folder.path("a.fsdb")) == 200)
    #expect(try FuseReader.verify(path: folder.path("a.fsdb")).isSound)
  }

  @Test func `replaces the one before it, and readers keep that [M1]`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    try Self.writer(201).build(to: path)
    let old = try FuseReader(path: path)
    let before = try contents(path)
    for number in UInt8(202)...209 {
      try Self.writer(number).build(to: path)
      #expect(try Self.number(path) == number)
      #expect(try old.withBytes(forKey: "a") { $0.byte(at: 1) } == 201)
    }
    #expect(try old.verify().isSound)
    #expect(old.byteCount == before.count)
    #expect(try folder.names == ["a.fsdb"])
  }

  @Test func `is not seen, nor the old one touched, before it is complete`() throws {
    let folder = try TemporaryFolder()
    let fresh = folder.path("fresh.fsdb")
    let writer = try Self.writer(210)
    var shares: [Double] = []
    try writer.build(to: fresh) { share in
      shares.append(share)
      if share < 1 { #expect((try? folder.names) == []) }
    }
    #expect(shares.count >= 2)
    #expect(shares == shares.sorted())
    #expect(shares.last == 1)
    let before = try folder.read("fresh.fsdb")
    try Self.writer(211).build(to: fresh) { share in
      if share < 1 {
        #expect((try? folder.names) == ["fresh.fsdb"])
        #expect((try? folder.read("fresh.fsdb")) == before)
      }
    }
    #expect(try Self.number(fresh) == 211)
  }

  @Test func `given up before it is published leaves nothing, and the old file as it was`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], as: "old.fsdb")
    for name in ["old.fsdb", "new.fsdb"] {
      let file = try AtomicFile(replacing: PinnedPath(folder.path(name)))
      let some = [UInt8](repeating: 1, count: 3_000_000)
      try file.write(some.rawSpan)
    }
    #expect(try folder.names == ["old.fsdb"])
    #expect(try folder.read("old.fsdb") == [1, 2, 3])
  }

  @Test func `has the checksum and the length of what was written, in parts of any size`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    var model: [UInt8] = []
    do {
      let file = try AtomicFile(replacing: PinnedPath(folder.path("parts")))
      let block = 2 << 20
      for byteCount in [0, 1, 100, block, block - 1, block + 1, 7, 3 * block, 0, 65_535, 2 * block - 9, block - 80_000]
      {
        // Once in the middle of a block.
        if byteCount == 65_535 { try file.flush() }
        // Only a few random bytes: a debug build makes them slowly.
        let part =
          random.bytes(min(byteCount, 64))
          + [UInt8](repeating: UInt8(truncatingIfNeeded: byteCount), count: max(0, byteCount - 64))
        try file.write(part.rawSpan)
        try file.body.write(row: UInt64(byteCount), checksum: 0xDEAD_BEEF)
        try file.body.write(entry: [0x6B].rawSpan, object: UInt64(byteCount))
        try file.body.write(record: [UInt8]("123456789".utf8).rawSpan)
        model += part + ReferenceFile.big(byteCount, 8) + [0xDE, 0xAD, 0xBE, 0xEF]
        model += [0, 1, 0x6B] + ReferenceFile.big(byteCount, 8)
        model += [0, 0, 0, 9, 0xCB, 0xF4, 0x39, 0x26] + Array("123456789".utf8)
      }
      try file.flush()
      #expect(file.byteCount == UInt64(40 + model.count))
      let checksum = Checksum.of(model.rawSpan)
      #expect(file.checksum.value == checksum)
      try file.publish(header: [UInt8](repeating: 0x48, count: 40))
    }
    #expect(try folder.read("parts") == [UInt8](repeating: 0x48, count: 40) + model)
    #expect(try folder.names == ["parts"])
  }

  @Test func `goes nowhere when its folder is missing, or is a file`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1], as: "file")
    for (path, number) in [("missing/a.fsdb", ENOENT), ("file/a.fsdb", ENOTDIR)] {
      let error = failure { try Self.writer(1).build(to: folder.path(path)) }
      #expect(error?.code == .inputOutput)
      #expect(error?.errno == number)
      #expect(error?.path == folder.path(path))
    }
    #expect(try folder.names == ["file"])
    #expect(try folder.read("file") == [1])
  }

  @Test func `takes the place of no folder, pipe or device`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path("folder"), withIntermediateDirectories: false)
    #expect(unsafe mkfifo(folder.path("pipe"), 0o600) == 0)
    for (link, destination) in [("to folder", "folder"), ("to pipe", "pipe"), ("to device", "/dev/null")] {
      try FileManager.default.createSymbolicLink(atPath: folder.path(link), withDestinationPath: destination)
    }
    let names = [
      "folder", "folder/", "folder/.", "folder/..", "pipe", "to folder", "to pipe", "to device", "", ".", "..",
    ]
    for path in names.map({ $0.isEmpty ? $0 : folder.path($0) }) + ["/", "/dev/null"] {
      let error = failure { try Self.writer(1).build(to: path) }
      #expect(error?.code == .inputOutput, "\(path)")
      #expect(error?.path == path)
    }
    #expect(try folder.names == ["folder", "pipe", "to device", "to folder", "to pipe"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("folder")) == [])
  }

  @Test func `takes the place of a link and not of what that leads to, when that is asked for`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], as: "target")
    for destination in ["target", "nowhere"] {
      let link = folder.path("link to \(destination)")
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: destination)
      let error = failure { try Self.writer(212).build(to: link) }
      #expect(error?.code == .inputOutput)
      #expect(error?.message.contains("symbolic link to '\(destination)'") == true)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == destination)
      let writer = FuseWriter(FuseWriter.Options(outputLink: .replaced))
      try writer.add(["a"], messagePack: [0xCC, 212])
      try writer.build(to: link)
      #expect(try Self.number(link) == 212)
      #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: link)) == nil)
    }
    #expect(try folder.read("target") == [1, 2, 3])
    #expect(try folder.names == ["link to nowhere", "link to target", "target"])
  }

  @Test func `that cannot be moved to its name is an error and leaves nothing`() throws {
    let folder = try TemporaryFolder()
    do {
      let file = try AtomicFile(replacing: PinnedPath(folder.path("a.fsdb")))
      // Meanwhile somebody else makes a folder there.
      try FileManager.default.createDirectory(atPath: folder.path("a.fsdb"), withIntermediateDirectories: false)
      let error = failure { try file.publish(header: WorkedExamples.noKeys) }
      #expect(error?.code == .inputOutput)
      #expect(error?.path == folder.path("a.fsdb"))
    }
    #expect(try folder.names == ["a.fsdb"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("a.fsdb")) == [])
  }

  @Test func `whose folder is gone meanwhile is an error`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path("in"), withIntermediateDirectories: false)
    let file = try AtomicFile(replacing: PinnedPath(folder.path("in/a.fsdb")))
    try FileManager.default.removeItem(atPath: folder.path("in"))
    #expect(failure { try file.publish(header: WorkedExamples.noKeys) }?.code == .inputOutput)
    #expect(try folder.names == [])
  }

  @Test(arguments: [
    "plain", "with space", ".hidden", "ünïcode", "new\nline", "back\\slash", "\u{301}accent first",
    "\u{200D}joiner first", "🛰",
    String(repeating: "n", count: 255), String(repeating: "é", count: 127),
  ])
  func `may have any name, the first time and again`(name: String) throws {
    let folder = try TemporaryFolder()
    for number in UInt8(213)...215 {
      try Self.writer(number).build(to: folder.path(name))
      #expect(try Self.number(folder.path(name)) == number)
    }
    #expect(try folder.names.map { Array($0.utf8) } == [Array(name.utf8)])
  }

  @Test func `of a name that is too long is an error`() throws {
    let folder = try TemporaryFolder()
    let error = failure { try Self.writer(1).build(to: folder.path(String(repeating: "n", count: 256))) }
    #expect(error?.code == .inputOutput)
    #expect(error?.errno == ENAMETOOLONG)
    #expect(try folder.names == [])
  }

  @Test func `is readable by those whom the process's mask lets`() throws {
    let folder = try TemporaryFolder()
    try Self.writer(1).build(to: folder.path("a.fsdb"))
    let mode = try FileManager.default.attributesOfItem(atPath: folder.path("a.fsdb"))[.posixPermissions] as? Int
    try folder.write([1], as: "like")
    let like = try FileManager.default.attributesOfItem(atPath: folder.path("like"))[.posixPermissions] as? Int
    #expect(mode == like)
  }

  @Test func `from several threads at once is always one of theirs, whole`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    try Self.writer(0).build(to: path)
    let wrong = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      do {
        for round in 0..<12 {
          if thread == 3 {
            let report = try FuseReader.verify(path: path)
            if !report.isSound { wrong.withLock { $0.append("\(report.damage)") } }
          } else {
            try Self.writer(UInt8(16 * thread + round)).build(to: path)
          }
        }
      } catch { wrong.withLock { $0.append("\(error)") } }
    }
    #expect(wrong.withLock { $0 } == [])
    #expect(try folder.names == ["a.fsdb"])
    #expect(try #require(try Self.number(path)) % 16 == 11)
  }

  @Test func `for the first time from several threads at once is whole, too`() throws {
    let folder = try TemporaryFolder()
    for round in 0..<10 {
      let path = folder.path("\(round).fsdb")
      let wrong = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 4) { thread in
        do { try Self.writer(UInt8(thread)).build(to: path) } catch { wrong.withLock { $0.append("\(error)") } }
      }
      #expect(wrong.withLock { $0 } == [])
      #expect(try #require(try Self.number(path)) < 4)
    }
    #expect(try folder.names.count == 10)
  }

  @Test func `may have a path without a folder`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.buildWithoutFolder() }
  }

  @Test func `for which there is no room is an error, leaves nothing, and the old file as it was`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.buildWithoutRoom() }
  }
}

/// What processes of their own do; they end with 44 when all is well.
private enum Acts {
  static func buildWithoutFolder() throws {
    let folder = try TemporaryFolder()
    guard FileManager.default.changeCurrentDirectoryPath(folder.path) else { exit(2) }
    let writer = FuseWriter()
    try writer.add(["a"], messagePack: [0xCC, 216])
    for _ in 0..<2 { try writer.build(to: "relative.fsdb") }
    let names = try folder.names
    let isThere = try FuseReader(path: "relative.fsdb").contains("a")
    exit(names == ["relative.fsdb"] && isThere ? 44 : 1)
  }

  static func buildWithoutRoom() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write([1, 2, 3], as: "old.fsdb")
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
    let writer = FuseWriter()
    try writer.add(["a"], messagePack: [0xC6, 0x00, 0x30, 0x00, 0x00] + [UInt8](repeating: 1, count: 0x30_0000))
    for name in ["old.fsdb", "new.fsdb"] {
      let error = failure { try writer.build(to: folder.path(name)) }
      guard error?.code == .inputOutput, error?.errno == EFBIG, error?.path == folder.path(name) else { exit(3) }
    }
    let isUntouched = try folder.names == ["old.fsdb"] && contents(path) == [1, 2, 3]
    exit(isUntouched ? 44 : 1)
  }
}
