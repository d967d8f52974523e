import Foundation
import Glibc
import Testing

import FuseDB

@testable import FuseDBWriting

struct `Reindexing` {
  /// Files of 0, 1 and more keys, with more than one stride, with an object that no key reaches.
  private static let samples: [ReferenceFile] = [
    ReferenceFile(WorkedExamples.noKeys), ReferenceFile(WorkedExamples.oneKey), Samples.small, Samples.twoSamples,
    ReferenceFile(objects: [[1], [2], [3]], keys: [([0x61], 2), ([0x62], 0)]),
  ]

  /// What the writer makes of a file's own keys and objects, so that data and index are those of the file.
  private func built(_ file: ReferenceFile, _ metadata: [String: String] = [:], in folder: TemporaryFolder) throws
    -> [UInt8]
  {
    let writer = FuseWriter(FuseWriter.Options(order: .insertion, sharing: .none, metadata: metadata))
    var objects: [UInt64: ObjectID] = [:]
    var offset: UInt64 = 40
    while offset < file.indexOffset, let record = file.record(at: offset) {
      objects[offset] = try writer.addObject(record.object)
      offset = UInt64(record.end)
    }
    for entry in file.entries { try writer.addKey(entry.key.bytes, for: objects[entry.target]!) }
    try writer.build(to: folder.path("built.fsdb"))
    return try folder.read("built.fsdb")
  }

  @Test(arguments: samples.indices)
  func `adds to a plain file the block that building would have written`(number: Int) throws {
    let folder = try TemporaryFolder()
    let plain = Self.samples[number]
    let path = try folder.write(plain.bytes)
    let report = try FuseWriter.reindex(path)
    let bytes = try folder.read("file.fsdb")
    #expect(bytes == (try built(plain, in: folder)))
    #expect(bytes[40..<plain.bytes.count] == plain.bytes[40...])
    #expect(
      report
        == ReindexReport(
          keyCount: plain.keyCount, objectCount: plain.objectCount, byteCountBefore: plain.bytes.count,
          byteCount: bytes.count, extensionByteCount: bytes.count - plain.bytes.count, wasPlain: true,
          replacedKeyCount: plain.keyCount))
    #expect(try folder.names == ["built.fsdb", "file.fsdb"])
  }

  @Test(arguments: samples.indices)
  func `makes the same block again`(number: Int) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.samples[number].bytes)
    try FuseWriter.reindex(path)
    let once = try folder.read("file.fsdb")
    let report = try FuseWriter.reindex(path)
    #expect(try folder.read("file.fsdb") == once)
    #expect(!report.wasPlain)
    #expect(report.byteCountBefore == once.count)
    #expect(report.extensionByteCount == once.count - Self.samples[number].bytes.count)
  }

  @Test func `keeps metadata byte for byte unless others are given`() throws {
    let folder = try TemporaryFolder()
    let metadata = ["source": "registry", "built": "2026-01-31T12:00:00Z", "": "ö"]
    let path = try folder.write(try built(Samples.small, metadata, in: folder))
    let before = try folder.read("file.fsdb")
    #expect(try FuseReader(path: path).metadata == metadata)
    try FuseWriter.reindex(path)
    #expect(try folder.read("file.fsdb") == before)
    try FuseWriter.reindex(path, metadata: ["source": "another"])
    #expect(try folder.read("file.fsdb") == (try built(Samples.small, ["source": "another"], in: folder)))
    try FuseWriter.reindex(path, metadata: [:])
    #expect(try FuseReader(path: path).metadata.isEmpty)
    #expect(try folder.read("file.fsdb") == (try built(Samples.small, in: folder)))
  }

  @Test func `keeps metadata in the spelling that another writer chose`() throws {
    let folder = try TemporaryFolder()
    // {"a": 5} with 5 as four bytes, in a map that says its count in two.
    let odd: [UInt8] = [0xDE, 0, 1, 0xA1, 0x61, 0xCE, 0, 0, 0, 5]
    let path = try folder.write(try file(withMetadata: odd, in: folder))
    let before = try folder.read("file.fsdb")
    #expect(try FuseReader(path: path).metadata == ["a": "{\"$msgpack\":\"ce00000005\"}"])
    try FuseWriter.reindex(path)
    #expect(try folder.read("file.fsdb") == before)
  }

  @Test(
    arguments: [
      (hex: "80", metadata: [:]), ("81a161a0", ["a": ""]), ("81a16107", ["a": "7"]),
      ("82a161c0a16293c3a178cb3ff8000000000000", ["a": "null", "b": "[true,\"x\",1.5]"]),
      ("81a161a1ff", ["a": "{\"$str\":\"ff\"}"]), ("82a16101a16102", ["a": "2"]),
    ] as [(hex: String, metadata: [String: String])])
  func `metadata that are no text are given as JSON`(hex: String, metadata: [String: String]) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(try file(withMetadata: [UInt8](hex: hex), in: folder))
    #expect(try FuseReader(path: path).metadata == metadata)
  }

  @Test(arguments: ["01", "90", "81a161", "8101a0", "81a1ffa0", "8080", "c1", ""])
  func `metadata that are no map with names are damage, and stay [X13]`(hex: String) throws {
    let folder = try TemporaryFolder()
    let bytes = try file(withMetadata: [UInt8](hex: hex), in: folder)
    let path = try folder.write(bytes)
    let reader = try FuseReader(path: path)
    #expect(failure { _ = try reader.metadata }?.code == .corrupted)
    #expect(failure { _ = try FuseWriter.reindex(path) }?.code == .corrupted)
    #expect(try folder.read("file.fsdb") == bytes)
    try FuseWriter.reindex(path, metadata: [:])
    #expect(try FuseReader(path: path).metadata.isEmpty)
  }

  @Test(arguments: [0, 1]) func `metadata have a mebibyte at most, whoever wrote them [X13]`(excess: Int) throws {
    let folder = try TemporaryFolder()
    let count = 1 << 20 - 8 + excess
    let metadata = [0x81, 0xA1, 0x61, 0xDB] + ReferenceFile.big(count, 4) + [UInt8](repeating: 0x78, count: count)
    let path = try folder.write(try file(withMetadata: metadata, in: folder))
    let reader = try FuseReader(path: path)
    let damage = try FuseReader.verify(path: path).damage.map(\.kind)
    if excess == 0 {
      #expect(try reader.metadata["a"]?.utf8.count == count)
      #expect(damage == [])
    } else {
      #expect(failure { _ = try reader.metadata }?.message.contains("1048577 bytes") == true)
      #expect(damage == [.metadata])
    }
  }

  @Test func `metadata are compared with their checksum first [X13]`() throws {
    let folder = try TemporaryFolder()
    var bytes = try built(Samples.small, ["source": "registry"], in: folder)
    let place = try #require(bytes.indices.last { bytes[$0...].starts(with: Array("registry".utf8)) })
    bytes[place] ^= 1
    let reader = try FuseReader(path: try folder.write(bytes))
    let error = try #require(failure { _ = try reader.metadata })
    #expect(error.code == .corrupted)
    #expect(error.path == folder.path("file.fsdb"))
    // The map begins with its head, and the name with one too.
    #expect(error.offset == UInt64(place - 9))
  }

  @Test(arguments: [false, true])
  func `a file with a bit flipped in any byte is refused and stays as it is`(hasBlock: Bool) throws {
    let folder = try TemporaryFolder()
    let plain = Samples.small
    let sound = hasBlock ? try built(plain, ["a": "b"], in: folder) : plain.bytes
    for bit in sound.indices.map({ 8 * $0 + $0 % 8 }) {
      let bytes = sound.flipping(bit: bit)
      let path = try folder.write(bytes)
      let error = failure { _ = try FuseWriter.reindex(path) }
      #expect(error != nil, "bit \(bit)")
      #expect(error?.path == path)
      #expect(try folder.read("file.fsdb") == bytes)
    }
    #expect(try folder.names == (hasBlock ? ["built.fsdb", "file.fsdb"] : ["file.fsdb"]))
  }

  @Test func `what is wrong under right checksums is refused too`() throws {
    let folder = try TemporaryFolder()
    var wrong: [String: [UInt8]] = [:]
    // A count of objects that is not theirs.
    var file = Samples.small
    file.bytes.put(UInt32(file.objectCount - 1), at: 12)
    wrong["objects"] = file.bytes
    // A key that points between two records.
    file = Samples.small
    file.bytes.put(UInt64(41), at: file.bytes.count - 8)
    file.seal()
    wrong["target"] = file.bytes
    // An object that differs from its checksum.
    file = Samples.small
    file.bytes[48] ^= 1
    file.seal()
    wrong["object"] = file.bytes
    for (name, bytes) in wrong {
      let path = try folder.write(bytes)
      #expect(failure { _ = try FuseWriter.reindex(path) }?.code == .corrupted, "\(name)")
      #expect(try folder.read("file.fsdb") == bytes)
    }
  }

  /// What is made anew may be wrong, under a right checksum of the file: the rest is proved without it.
  private static let madeAnew: Set<String> = ["directory", "padding", "sectionChecksum", "hash", "order"]

  @Test(arguments: Fixtures.badNames)
  func `of the fixtures refuses what verifying calls damaged, but for a block that is made anew`(name: String) throws {
    let folder = try TemporaryFolder()
    let bytes = try contents(Fixtures.path(bad: name))
    let path = try folder.write(bytes)
    let expected = try #require(try Fixtures.bad()[name])
    let error = failure { _ = try FuseWriter.reindex(path) }
    if expected.open == "opens", expected.damage.allSatisfy({ Self.madeAnew.contains($0.kind) }), error == nil {
      #expect(try FuseReader.verify(path: path).isSound)
      let reader = try FuseReader(path: path)
      for (key, value) in expected.answers ?? [:] {
        #expect(try reader.copy(of: [UInt8](hex: key)) == [UInt8](hex: value))
      }
      for key in expected.lost ?? [] { #expect(try reader.copy(of: [UInt8](hex: key)) != nil) }
    } else {
      let code = try #require(error?.code)
      #expect([.corrupted, .truncated, .notADatabase, .unsupportedVersion].contains(code))
      #expect(error?.path == path)
      #expect(try folder.read("file.fsdb") == bytes)
    }
    #expect(try folder.names == ["file.fsdb"])
  }

  @Test func `a block that was written wrong is made anew`() throws {
    let folder = try TemporaryFolder()
    for name in ["block-slot-emptied", "block-padding-before", "block-section-crc-hash", "block-section-misaligned"] {
      let path = try folder.write(try contents(Fixtures.path(bad: name + ".fsdb")))
      #expect(try !FuseReader.verify(path: path).isSound)
      try FuseWriter.reindex(path)
      #expect(try FuseReader.verify(path: path).isSound, "\(name)")
    }
  }

  @Test func `who has the old file open keeps it`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Samples.small.bytes)
    let reader = try FuseReader(path: path)
    try FuseWriter.reindex(path)
    #expect(try reader.copy(of: Array("a".utf8)) == Samples.small.entries[1].object(in: Samples.small))
    #expect(reader.byteCount == Samples.small.bytes.count)
  }

  @Test func `metadata that are too long are refused before the file is touched`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Samples.small.bytes)
    let long = ["a": String(repeating: "x", count: 1 << 20)]
    #expect(failure { _ = try FuseWriter.reindex(path, metadata: long) }?.code == .limitExceeded)
    #expect(try folder.read("file.fsdb") == Samples.small.bytes)
  }

  @Test func `progress goes from 0 to 1`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Samples.twoSamples.bytes)
    var shares: [Double] = []
    try FuseWriter.reindex(path) { shares.append($0) }
    #expect(shares == shares.sorted())
    #expect(shares.last == 1)
    #expect(shares.allSatisfy { $0 > 0 && $0 <= 1 })
  }

  /// Calls `change` once, when the file is proved sound and nothing has been written yet.
  private func reindex(
    _ path: String, output: String? = nil, outputLink: OutputLink = .refused, change: @escaping () throws -> Void
  ) -> FuseError? {
    var isDone = false
    return failure {
      try FuseWriter.reindex(path, output: output, outputLink: outputLink) { share in
        guard !isDone, share >= ReindexSource.shareOfProof else { return }
        isDone = true
        do { try change() } catch { Issue.record(error) }
      }
    }
  }

  /// A rebuild of the file that is read, whichever of its names that goes by.
  @Test(arguments: ["file.fsdb", "other name", "link"])
  func `does not undo a rebuild that came while the file was proved`(name: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Samples.small.bytes)
    try FileManager.default.linkItem(atPath: path, toPath: folder.path("other name"))
    try makeLink(to: "file.fsdb", at: folder.path("link"))
    let error = reindex(folder.path(name), output: path) {
      try folder.write(Samples.twoSamples.bytes, as: "new.fsdb")
      try renameFile(folder.path("new.fsdb"), to: path)
    }
    #expect(error?.code == .outputChanged, "\(error as Any)")
    #expect(try folder.read("file.fsdb") == Samples.twoSamples.bytes)
    #expect(try folder.names == ["file.fsdb", "link", "other name"])
  }

  @Test func `gives no new checksum to what was written over after it was proved`() throws {
    let folder = try TemporaryFolder()
    // More than a page, of which the last is read from a copy.
    let bytes = `A file that is truncated while it is open`.sample.bytes
    let path = try folder.write(bytes)
    let error = reindex(path, output: folder.path("new.fsdb")) {
      let descriptor = unsafe open(path, O_WRONLY)
      defer { close(descriptor) }
      // In the first object.
      try succeed(unsafe pwrite(descriptor, [bytes[48] ^ 1], 1, 48) == 1 ? 0 : -1)
    }
    #expect(error?.code == .corrupted, "\(error as Any)")
    #expect(try folder.names == ["file.fsdb"])
  }

  /// The link `current` leads to `v12` when it is followed, and to `v13` afterwards.
  @Test func `of a link that is pointed elsewhere meanwhile leaves that file alone`() throws {
    let folder = try TemporaryFolder()
    let (old, new, link) = (Samples.small.bytes, Samples.twoSamples.bytes, folder.path("current"))
    func begin() throws {
      try folder.write(old, as: "v12")
      try folder.write(new, as: "v13")
      try? folder.remove("current")
      try makeLink(to: "v12", at: link)
    }
    func flip() throws {
      try makeLink(to: "v13", at: folder.path("next"))
      try renameFile(folder.path("next"), to: link)
    }
    func expect(v12: [UInt8]) throws {
      #expect(try folder.read("v12") == v12)
      #expect(try folder.read("v13") == new)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "v13")
      #expect(try folder.names == ["current", "v12", "v13"])
    }
    try begin()
    try FuseWriter.reindex(link, outputLink: .followed)
    let reindexed = try folder.read("v12")
    #expect(reindexed != old)

    try begin()
    #expect(reindex(link, outputLink: .followed, change: flip) == nil)
    try expect(v12: reindexed)
    // Where the link itself is to give way, it is no longer what was read.
    try begin()
    #expect(reindex(link, outputLink: .replaced, change: flip)?.code == .outputChanged)
    try expect(v12: old)
    // Between the look at the link and the opening of the file.
    try begin()
    let place = try OutputPlace(PinnedPath(link), links: .followed)
    try flip()
    #expect(failure { _ = try ReindexSource(link, replacedAt: place, isItself: true) }?.code == .outputChanged)
    try expect(v12: old)
  }

  /// A sound file whose section `META` has these bytes.
  private func file(withMetadata bytes: [UInt8], in folder: TemporaryFolder) throws -> [UInt8] {
    let (file, header) = try BlockMaker(metadata: bytes).file(of: Samples.small, in: folder, named: "made.fsdb")
    try file.publish(header: header.bytes)
    return try folder.read("made.fsdb")
  }
}

extension ReferenceFile.Entry {
  fileprivate func object(in file: ReferenceFile) -> [UInt8]? { file.record(at: target)?.object }
}
