import Foundation
import Glibc
import Testing

import FuseDB

@testable import FuseDBSystem

struct `A file that takes the place of another` {
  /// A writer with so many keys.
  private static func writer(_ keyCount: Int, _ change: (inout FuseWriter.Options) -> Void = { _ in }) throws
    -> FuseWriter
  {
    var options = FuseWriter.Options()
    change(&options)
    let writer = FuseWriter(options)
    for number in 0..<keyCount { try writer.add(["\(number)"], messagePack: [0x01]) }
    return writer
  }

  private static func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test(arguments: [0o600, 0o640, 0o604, 0o444, 0o777, 0o666])
  func `has its mode`(mode: Int) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    #expect(try Self.writer(1).build(to: path).replacedKeyCount == nil)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    #expect(try Self.writer(2).build(to: path).replacedKeyCount == 1)
    #expect(try Self.mode(path) == mode)
    try FuseWriter.reindex(path)
    #expect(try Self.mode(path) == mode)
    let reader = try FuseReader(path: path)
    try FuseWriter.merge([path], to: path)
    #expect(try Self.mode(path) == mode)
    #expect(reader.keyCount == 2)
  }

  @Test func `has its mode before the first byte is written`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write([1], as: "a.fsdb")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    let file = try AtomicFile(replacing: PinnedPath(path))
    var status = stat()
    #expect(unsafe fstat(file.descriptor, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test(
    arguments: [
      (0, 0, 0.0, true), (1, 0, 0.0, false), (4, 0, nil, false), (3, 0, nil, true), (0, 4, 0.25, true),
      (0, 4, 0.24, false), (0, 30, 0.9, true), (0, 30, 0.89, false), (0, 3, 0.0, true), (0, 2, 0.0, true),
    ] as [(Int, Int, Double?, Bool)])
  func `has as many keys as it must, of three`(
    leastKeyCount: Int, before: Int, greatestShrink: Double?, isTaken: Bool
  ) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    let count = leastKeyCount == 1 ? 0 : 3
    if before > 0 { try Self.writer(before).build(to: path) }
    let others = try folder.names.map { try folder.read($0) }
    let new = folder.path("new.fsdb")
    try Self.writer(count).build(to: new)
    var merging = MergeOptions()
    merging.leastKeyCount = leastKeyCount
    merging.greatestShrink = greatestShrink
    let writer = try Self.writer(count) {
      $0.leastKeyCount = leastKeyCount
      $0.greatestShrink = greatestShrink
    }
    for act in [{ _ = try writer.build(to: path) }, { _ = try FuseWriter.merge([new], to: path, options: merging) }] {
      let error = failure { try act() }
      #expect((error == nil) == isTaken)
      if let error {
        #expect(error.code == .refused)
        #expect(error.path == path)
        #expect(error.message.contains("the new file has \(count) keys"))
        #expect(before == 0 || error.message.contains("the file here has \(before)"))
        #expect(try folder.names.filter { $0 != "new.fsdb" }.map { try folder.read($0) } == others)
      }
      if isTaken, before > 0 { try Self.writer(before).build(to: path) }
    }
  }

  /// What becomes of a file when another appears under its name between the last look and the renaming.
  @Test(arguments: ["replaced", "written to", "removed"])
  func `does not take the place of what was not read`(change: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    try Self.writer(3).build(to: path)
    do {
      let file = try AtomicFile(replacing: PinnedPath(path))
      file.source = try #require(try file.place.look()).content
      file.beforeNaming = {
        file.beforeNaming = nil
        switch change {
        case "replaced": try! Self.writer(5).build(to: path)
        case "written to": try! Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
        default: unsafe unlink(path)
        }
      }
      let error = failure { try file.publish(header: WorkedExamples.noKeys, keyCount: 0) }
      #expect(error?.code == .outputChanged, "\(error as Any)")
      #expect(error?.path == path)
    }
    #expect(try folder.names == (change == "removed" ? [] : ["a.fsdb"]))
    if change == "replaced" { #expect(try FuseReader(path: path).keyCount == 5) }
  }

  @Test(arguments: [true, false])
  func `is compared with what it replaces, also when that came in the last moment`(isThere: Bool) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    if isThere { try Self.writer(0).build(to: path) }
    do {
      let file = try AtomicFile(replacing: PinnedPath(path), ReplacementRules(greatestShrink: 0))
      file.beforeNaming = {
        file.beforeNaming = nil
        try! Self.writer(5).build(to: path)
      }
      let error = failure { try file.publish(header: WorkedExamples.noKeys, keyCount: 0) }
      #expect(error?.code == .refused, "\(error as Any)")
    }
    #expect(try folder.names == ["a.fsdb"])
    #expect(try FuseReader(path: path).keyCount == 5)
  }

  /// Bytes of a database that does not tell how many keys it has, and of what is none.
  @Test(arguments: ["cut short", "cut within the header", "of a later version", "no database", "empty", "removed"])
  func `is not compared with nothing where it is a database that does not tell its keys`(what: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    try Self.writer(5).build(to: path)
    var bytes = try folder.read("a.fsdb")
    switch what {
    case "cut short": bytes.removeLast(bytes.count - 44)
    case "cut within the header": bytes.removeLast(bytes.count - 39)
    case "of a later version": bytes[4] = 3
    case "no database": bytes[0] ^= 1
    default: bytes = []
    }
    try folder.write(bytes, as: "a.fsdb")
    if what == "removed" { try folder.remove("a.fsdb") }
    let counts = ["no database", "empty", "removed"].contains(what)
    let error = failure { try Self.writer(4) { $0.greatestShrink = 1 }.build(to: path) }
    #expect(error?.code == (counts ? nil : .refused))
    #expect(error == nil || error?.path == path)
    #expect(try folder.names == ["a.fsdb"])
    if !counts { #expect(try folder.read("a.fsdb") == bytes) }
    // Nobody asked for a comparison.
    #expect(try Self.writer(3).build(to: path).replacedKeyCount == (counts ? 4 : nil))
  }

  @Test func `is not compared with nothing where it is a file that may not be read`() async {
    await #expect(processExitsWith: .exitCode(44)) { exit44(if: try Acts.keepUnreadable()) }
  }

  @Test func `is where a followed link leads, which stays`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path("in"), withIntermediateDirectories: false)
    try Self.writer(1).build(to: folder.path("in/v12"))
    try FileManager.default.createSymbolicLink(atPath: folder.path("in/v"), withDestinationPath: "v12")
    try FileManager.default.createSymbolicLink(atPath: folder.path("current"), withDestinationPath: "in/v")
    let report = try Self.writer(2) { $0.outputLink = .followed }.build(to: folder.path("current"))
    #expect(report.replacedKeyCount == 1)
    #expect(try FuseReader(path: folder.path("in/v12")).keyCount == 2)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path("current")) == "in/v")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path("in/v")) == "v12")
    try FuseWriter.reindex(folder.path("current"), outputLink: .followed)
    let merging = MergeOptions(outputLink: .followed)
    #expect(try FuseWriter.merge([folder.path("in/v12")], to: folder.path("current"), options: merging).keyCount == 2)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("in")).sorted() == ["v", "v12"])
  }

  @Test func `is not a patch of it`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    try Self.writer(3).build(to: path)
    try Self.writer(4).build(to: folder.path("b.fsdb"))
    let (old, new) = (try FuseReader(path: path), try FuseReader(path: folder.path("b.fsdb")))
    for other in [path, folder.path("b.fsdb")] {
      #expect(failure { try FusePatch.make(from: old, to: new, at: other) }?.code == .inputOutput)
    }
    #expect(try FuseReader(path: path).keyCount == 3)
  }

  @Test func `is not the patched form of what a rebuild replaced`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    try Self.writer(3).build(to: path)
    try Self.writer(4).build(to: folder.path("b.fsdb"))
    let old = try FuseReader(path: path)
    try FusePatch.make(from: old, to: FuseReader(path: folder.path("b.fsdb")), at: folder.path("patch"))
    try Self.writer(9).build(to: path)
    let error = failure { try FusePatch.apply(folder.path("patch"), to: old, output: path) }
    #expect(error?.code == .outputChanged)
    #expect(try FuseReader(path: path).keyCount == 9)
    var options = FusePatch.Options()
    options.leastKeyCount = 5
    #expect(
      failure { try FusePatch.apply(folder.path("patch"), to: old, output: folder.path("c"), options: options) }?.code
        == .refused)
  }
}

/// What processes of their own do.
private enum Acts {
  /// Whoever may read everything gives that up meanwhile.
  static func keepUnreadable() throws -> Bool {
    func writer(_ greatestShrink: Double?) throws -> FuseWriter {
      let writer = FuseWriter(FuseWriter.Options(greatestShrink: greatestShrink))
      try writer.add(["a"], messagePack: [0x01])
      return writer
    }
    let folder = try TemporaryFolder()
    let path = folder.path("a.fsdb")
    try writer(nil).build(to: path)
    let user = geteuid()
    if user == 0 {
      for path in [folder.path, path] { try succeed(unsafe chown(path, 65_534, 65_534)) }
      try succeed(seteuid(65_534))
    }
    defer { seteuid(user) }
    try succeed(unsafe chmod(path, 0))
    let error = failure { try writer(1).build(to: path) }
    guard error?.code == .inputOutput, error?.errno == EACCES, error?.path == path else { return false }
    guard error?.message.contains("greatestShrink") == true, try folder.names == ["a.fsdb"] else { return false }
    // Nobody asked for a comparison.
    return try writer(nil).build(to: path).replacedKeyCount == nil
  }
}
