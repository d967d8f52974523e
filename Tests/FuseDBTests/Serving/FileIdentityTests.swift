import Glibc
import Testing

import FuseDB

@testable import FuseDBSystem

struct `A file's identity` {
  private static func isSame(_ path: String, _ act: () throws -> Void) rethrows -> Bool {
    let before = FileIdentity(path: path)
    try act()
    return FileIdentity(path: path) == before
  }

  @Test func `stays as long as nothing happens to the file`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(ServingBench.file(1))
    #expect(try Self.isSame(path) { _ = try contents(path) })
    #expect(Self.isSame(path) { unsafe symlink(path, folder.path("link")) })
    #expect(FileIdentity(path: path) == FileIdentity(path: folder.path("link")))
    #expect(FileIdentity(path: path).errno == 0)
  }

  @Test func `is another when the file is another of equal size and times`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(ServingBench.file(1))
    makeOld(path)
    #expect(
      try !Self.isSame(path) {
        let other = try folder.write(ServingBench.file(1), as: "other")
        makeOld(other)
        try #require(rename(other, to: path) == 0)
      })
  }

  @Test func `is another when other content is put in place, of equal size and time`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(ServingBench.file(1))
    makeOld(path)
    for number in UInt8(2)...100 {
      let isSame = Self.isSame(path) {
        // Even within one tick of the kernel's clock: the header tells.
        overwrite(path, ServingBench.file(number), at: 0)
        makeOld(path)
      }
      #expect(!isSame)
    }
  }

  @Test func `is another when it is touched, and then the same file is taken again`() throws {
    let bench = try ServingBench()
    makeOld(bench.path)
    #expect(try bench.store.reloadIfChanged())
    #expect(try !bench.store.reloadIfChanged())
    #expect((bench.store.generation, try bench.said) == (2, [1]))
  }

  @Test func `of a folder or a device does not depend on what is in it`() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.isSame(folder.path) { try folder.write([1]) })
    #expect(Self.isSame("/dev/urandom") {})
    #expect(FileIdentity(path: folder.path) != FileIdentity(path: "/dev/zero"))
  }

  @Test func `of nothing is the reason`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("none")
    #expect(FileIdentity(path: path).errno == ENOENT)
    #expect(FileIdentity(path: path) == FileIdentity(path: folder.path("no other")))
    unsafe symlink(path, path)
    #expect(FileIdentity(path: path).errno == ELOOP)
    #expect(FileIdentity(path: "a\u{0}b").errno == ENOENT)
  }

  @Test func `has the same content when only names and rights change`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(ServingBench.file(1))
    makeOld(path)
    let descriptor = try OwnedDescriptor(reading: path)
    let first = FileIdentity(of: descriptor)
    unsafe chmod(path, 0o600)
    unsafe unlink(path)
    let later = FileIdentity(of: descriptor)
    #expect(first.isSameContent(as: later))
    try folder.write(ServingBench.file(1))
    #expect(!first.isSameContent(as: FileIdentity(path: path)))
  }

  @Test func `may hide a change that follows within a tenth of a second`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(ServingBench.file(1))
    var status = stat()
    unsafe stat(path, &status)
    let changed = Double(status.st_ctim.tv_sec) + Double(status.st_ctim.tv_nsec) / 1e9
    let identity = FileIdentity(path: path)
    for (later, isDoubtful) in [(0, true), (0.01, true), (0.2, false), (60, false), (-0.01, true), (-60, false)] {
      #expect(identity.mayHaveChanged(after: changed + later) == isDoubtful)
    }
    #expect(!FileIdentity(path: folder.path).mayHaveChanged(after: changed))
  }
}
