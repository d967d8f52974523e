import Glibc
import Testing

import FuseDB

@testable import FuseDBPatching
@testable import FuseDBSystem

struct `A patch that is not right makes no file` {
  private static let old = Samples.small.bytes(.indexed)
  private static let new = ReferenceFile(canonical: [
    Key(""): [0x02], Key("a"): [0x82, 0xA1, 0x6E, 0x08, 0xA1, 0x73, 0xA3, 0x61, 0x62, 0x63], Key("b"): [0x05],
    Key([0xC3, 0x28]): [0xC4, 0x02, 0x00, 0x28], Key([0xFF, 0xFF]): [0x02],
  ]).bytes(.indexed)

  /// Expects an error, the old output as it was, and nothing else in the folder.
  private func expectRefused(
    _ patch: [UInt8], of old: [UInt8] = Self.old, _ code: FuseError.Code? = nil, _ what: String
  ) throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], as: "new.fsdb")
    try folder.write(patch, as: "p")
    let reader = try FuseReader(bytes: old, checksums: .skipped)
    let error = failure {
      _ = try FusePatch.apply(folder.path("p"), to: reader, output: folder.path("new.fsdb"))
    }
    #expect(error != nil, "\(what)")
    if let code { #expect(error?.code == code, "\(what): \(error?.description ?? "")") }
    #expect(try folder.read("new.fsdb") == [1, 2, 3], "\(what)")
    #expect(try folder.names == ["new.fsdb", "p"], "\(what)")
  }

  @Test func `every byte is covered [U1] [U2]`() throws {
    let patch = try PatchBench().patch(from: Self.old, to: Self.new)
    for place in patch.indices {
      for mask in [0x01, 0x80, 0xFF] as [UInt8] {
        var damaged = patch
        damaged[place] ^= mask
        let code: FuseError.Code = place == 6 || place == 7 ? .unsupportedVersion : .corrupted
        try expectRefused(damaged, code, "byte \(place) changed by \(mask)")
      }
    }
  }

  @Test func `it is whole [U2]`() throws {
    let patch = try PatchBench().patch(from: Self.old, to: Self.new)
    for count in patch.indices { try expectRefused(Array(patch.prefix(count)), nil, "cut to \(count)") }
    try expectRefused(patch + [0], .truncated, "one byte more")
  }

  @Test func `it belongs to the old file [U7]`() throws {
    let patch = try PatchBench().patch(from: Self.old, to: Self.new)
    try expectRefused(patch, of: Self.new, .patchMismatch, "the new file")
    try expectRefused(patch, of: Samples.small.bytes, .patchMismatch, "the same mapping, plain")
    try expectRefused(patch, of: Samples.twoSamples.bytes, .patchMismatch, "another file")
  }

  @Test func `the old file is sound [U8]`() throws {
    let patch = try PatchBench().patch(from: Self.old, to: Self.new)
    let sections = 128
    for place in Array(40..<sections) + [Self.old.count - 12] {
      // Where the file cannot even be opened, there is nothing to apply to.
      let damaged = Self.old.flipping(bit: place * 8)
      guard (try? FuseReader(bytes: damaged, checksums: .skipped)) != nil else { continue }
      try expectRefused(patch, of: damaged, .corrupted, "byte \(place) of the old file")
    }
    var header = Samples.small.bytes
    let plainPatch = try PatchBench().patch(from: header, to: Self.new)
    header[36] = 1
    try expectRefused(plainPatch, of: header, .patchMismatch, "the reserved field of the header")
  }

  @Test func `it must be there, and a database is none [U1]`() throws {
    let reader = try FuseReader(bytes: Self.old)
    let folder = try TemporaryFolder()
    let missing = failure { _ = try FusePatch.apply(folder.path("p"), to: reader, output: folder.path("x")) }
    #expect(missing?.code == .notFound)
    #expect(missing?.path == folder.path("p"))
    try expectRefused(Self.new, .corrupted, "a database")
    try expectRefused([0x46], .corrupted, "one byte")
  }

  @Test func `a damaged file has no patch [U8]`() throws {
    let folder = try TemporaryFolder()
    let (old, new) = (try FuseReader(bytes: Self.old), try FuseReader(bytes: Self.new))
    for place in 40..<Self.old.count - 48 {
      let damaged = Self.old.flipping(bit: place * 8 + 3)
      guard let reader = try? FuseReader(bytes: damaged, checksums: .skipped) else { continue }
      for (from, to) in [(reader, new), (new, reader), (reader, old)] {
        #expect(failure { _ = try FusePatch.make(from: from, to: to, at: folder.path("p")) }?.code == .corrupted)
      }
    }
    #expect(try folder.names == [])
  }

  @Test(arguments: Fixtures.badNames)
  func `no file that verifying calls damaged is an end of a patch [U8]`(name: String) throws {
    let folder = try TemporaryFolder()
    let sound = try FuseReader(bytes: Self.old)
    // Where the file cannot even be opened, there is nothing to make a patch of.
    guard let bad = try? FuseReader(path: Fixtures.path(bad: name), checksums: .skipped) else { return }
    for (from, to) in [(sound, bad), (bad, sound), (bad, bad)] {
      let code = failure { _ = try FusePatch.make(from: from, to: to, at: folder.path("p")) }?.code
      #expect(code == .corrupted || code == .truncated)
    }
    #expect(try folder.names == [])
  }

  @Test func `a patch that makes a damaged file makes none [U18]`() throws {
    let bench = try PatchBench()
    let old = ReferenceFile(canonical: [Key("a"): [1], Key("b"): [2]]).bytes(.plain)
    let sound = ReferenceFile(canonical: [Key("a"): [1], Key("b"): [0x0D]])
    let body = try bench.body(of: try bench.patch(from: old, to: sound.bytes))
    // One byte of an object: right under every checksum, and no MessagePack.
    let bad = ReferenceFile(canonical: [Key("a"): [1], Key("b"): [0xC1]]).bytes
    let place = try #require(body.firstIndex(of: 0x0D))
    var wrong = body
    wrong[place] = 0xC1
    #expect(try bench.apply(try bench.forged(from: old, to: sound.bytes, body: body), to: old) == sound.bytes)
    let patch = try bench.forged(from: old, to: bad, body: wrong)
    let path = try bench.folder.write(patch, as: "p")
    let error = failure {
      _ = try FusePatch.apply(path, to: FuseReader(bytes: old), output: bench.folder.path("out.fsdb"))
    }
    #expect(error?.code == .corrupted)
    #expect(error?.path == path)
    #expect(error?.message.contains("the patch makes a damaged file") == true)
    #expect(try !bench.folder.names.contains("out.fsdb"))
  }

  @Test func `and memory that is too short for verifying it is no fault of the patch [U18]`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      let error = try Self.errorOfVerifyingWithoutMemory()
      exit44(if: error?.code == .inputOutput && error?.errno == ENOMEM)
    }
  }

  /// Leaves this process without memory.
  private static func errorOfVerifyingWithoutMemory() throws -> FuseError? {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(layout: .plain))
    try writer.addKey("k", for: try writer.addObject([UInt8](repeating: 0, count: 32 << 20).asBin))
    try writer.build(to: folder.path("new.fsdb"))
    let (old, new) = (try FuseReader(bytes: Self.old), try FuseReader(path: folder.path("new.fsdb")))
    let file = try AtomicFile(replacing: PinnedPath(folder.path("out.fsdb")))
    let mapping = new.mapping
    try file.write(mapping.bytes.extracting(droppingFirst: Header.byteCount))
    let head = PatchHead(from: old, to: new)
    let patch = try FileMapping(bytes: Self.old.rawSpan, isLocked: false)
    let material = PatchMaterial(try PatchEnd(old), in: file.folder)
    let patcher = try Patcher(
      head, from: PatchLevel(material.old), of: material, to: file,
      body: PatchBodyReader(of: patch, at: PatchPlace(path: "p")))
    try patcher.proveResult(file)
    // Verifying takes a byte for each 64 of the data section: more than there is now, which is enough for mapping the file.
    MemoryUse.limitData(toMore: MemoryRoom.reserve + (256 << 10))
    _ = try file.mapped(header: head.newHeader.bytes, byteCount: head.newByteCount)
    return failure { try patcher.proveResult(file) }
  }

  @Test func `a file longer than is allowed is not begun`() throws {
    let bench = try PatchBench()
    let path = try bench.folder.write(try bench.patch(from: Self.old, to: Self.new), as: "p")
    let old = try FuseReader(bytes: Self.old)
    func apply(_ most: Int?) throws {
      var options = FusePatch.Options()
      options.greatestByteCount = most
      try FusePatch.apply(path, to: old, output: bench.folder.path("out.fsdb"), options: options)
    }
    let error = failure { try apply(Self.new.count - 1) }
    #expect(error?.code == .limitExceeded)
    #expect(error?.path == path)
    #expect(try !bench.folder.names.contains("out.fsdb"))
    try apply(Self.new.count)
    #expect(try bench.folder.read("out.fsdb") == Self.new)
  }

  /// Two kinds of bombs: one announces more than is allowed by default, the other more than any disk has.
  @Test(
    arguments: [(300 << 20, nil, .limitExceeded), (1 << 60, 1 << 62, .inputOutput)] as [(Int, Int?, FuseError.Code)])
  func `a small patch that announces a giant file ends at once`(
    announced: Int, most: Int?, code: FuseError.Code
  ) throws {
    let bench = try PatchBench()
    let old = try FuseReader(bytes: Self.old)
    var head = PatchHead(from: old, to: old)
    head.newByteCount = announced
    let file = try AtomicFile(replacing: PinnedPath(bench.folder.path("bomb.patch")))
    try file.write(head.oldHeader.bytes.rawSpan)
    try file.write(head.newHeader.bytes.rawSpan)
    try file.flush()
    try file.publish(header: head.prologue(byteCount: file.byteCount, restChecksum: file.checksum.value))
    var options = FusePatch.Options()
    options.greatestByteCount = most
    let error = failure {
      _ = try FusePatch.apply(
        bench.folder.path("bomb.patch"), to: old, output: bench.folder.path("out.fsdb"), options: options)
    }
    #expect(error?.code == code)
    #expect(try bench.folder.names == ["bomb.patch"])
  }
}
