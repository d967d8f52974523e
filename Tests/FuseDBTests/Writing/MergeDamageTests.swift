import Testing

import FuseDB

struct `A merge of damaged files` {
  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `never gives a wrong file, whichever bit is flipped`(layout: FuseWriter.Layout) throws {
    let mapping: MergeBench.Mapping = [Key("a"): [1], Key("b"): [0xA2, 0x68, 0x69], Key("c"): [1], Key("d"): [4]]
    let sound = ReferenceFile(canonical: mapping).bytes(layout)
    let expected = ReferenceFile(canonical: mapping).bytes(.indexed)
    let folder = try TemporaryFolder()
    let empty = try folder.write(ReferenceFile(canonical: [:]).bytes(.plain), as: "empty.fsdb")
    // What is set up for more threads and memory would take most of the time.
    let small = MergeOptions(memory: 16 << 20, threadCount: 1)
    var refusedCount = 0
    for bit in 0..<sound.count * 8 {
      let path = try folder.write(sound.flipping(bit: bit), as: "in.fsdb")
      let error = failure { try FuseWriter.merge([empty, path], to: folder.path("out.fsdb"), options: small) }
      if let error {
        #expect(error.path == path, "bit \(bit): \(error)")
        #expect(
          [.corrupted, .truncated, .notADatabase, .unsupportedVersion].contains(error.code), "bit \(bit): \(error)")
        refusedCount += 1
        #expect(try folder.names == ["empty.fsdb", "in.fsdb"])
      } else {
        // A bit that nothing depends on, as in the table of hashes.
        let isEqual = try folder.read("out.fsdb") == expected
        #expect(isEqual, "bit \(bit)")
        try folder.remove("out.fsdb")
      }
    }
    #expect(refusedCount > (sound.count - (layout == .plain ? 16 : 300)) * 8)
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `never gives a file of one that was cut`(layout: FuseWriter.Layout) throws {
    let sound = ReferenceFile(canonical: [Key("a"): [1], Key("b"): [0xA2, 0x68, 0x69]]).bytes(layout)
    let folder = try TemporaryFolder()
    for count in 0..<sound.count {
      let path = try folder.write(Array(sound[..<count]), as: "in.fsdb")
      #expect(failure { try FuseWriter.merge([path], to: folder.path("out.fsdb")) }?.path == path)
      #expect(try folder.names == ["in.fsdb"])
    }
  }

  @Test(arguments: Fixtures.badNames.filter { $0.hasPrefix("block-row-") })
  func `refuses rows that do not say where strides begin, their checksums being right [X18]`(name: String) throws {
    let folder = try TemporaryFolder()
    let error = failure { try FuseWriter.merge([Fixtures.path(bad: name)], to: folder.path("out.fsdb")) }
    #expect(error?.code == .corrupted)
    #expect(try folder.names == [])
  }

  @Test(arguments: Fixtures.badNames)
  func `of the fixtures refuses them, or gives every answer that is expected of them`(name: String) throws {
    let folder = try TemporaryFolder()
    let expected = try #require(try Fixtures.bad()[name])
    let path = Fixtures.path(bad: name)
    let error = failure { try FuseWriter.merge([path], to: folder.path("out.fsdb")) }
    guard error == nil else {
      #expect(error?.path == path)
      #expect(error?.offset != nil)
      return
    }
    // A merge does not use the tables that lead to a key; damage there is none of its output.
    #expect(expected.open == "opens" && (expected.invalid ?? []).isEmpty)
    #expect(name.hasPrefix("block-") || (expected.fails ?? []).isEmpty)
    #expect(try FuseReader.verify(path: folder.path("out.fsdb")).isSound)
    let merged = try FuseReader(path: folder.path("out.fsdb"))
    #expect(merged.keyCount == expected.keys.count)
    for (key, object) in expected.answers ?? [:] {
      #expect(try merged.copy(of: [UInt8](hex: key)) == [UInt8](hex: object))
    }
  }

  @Test(arguments: Fixtures.goodNames)
  func `is no matter of sound ones, of whatever kind`(name: String) throws {
    let folder = try TemporaryFolder()
    let expected = try #require(try Fixtures.good()[name])
    let report = try FuseWriter.merge([Fixtures.path(good: name)], to: folder.path("out.fsdb"))
    #expect(report.inputKeyCount == expected.keyCount)
    let merged = try FuseReader(path: folder.path("out.fsdb"))
    for (key, object) in expected.keys {
      #expect(try merged.copy(of: [UInt8](hex: key)) == [UInt8](hex: object))
    }
  }

  @Test func `names the file that is damaged, and that one that is subtracted`() throws {
    let folder = try TemporaryFolder()
    let sound = ReferenceFile(canonical: [Key("a"): [1]]).bytes(.plain)
    let good = try folder.write(sound, as: "good.fsdb")
    let bad = try folder.write(sound.flipping(bit: sound.count * 8 - 1), as: "bad.fsdb")
    #expect(failure { try FuseWriter.merge([good, bad], to: folder.path("out.fsdb")) }?.path == bad)
    let options = MergeOptions(subtracting: [bad])
    #expect(failure { try FuseWriter.merge([good], to: folder.path("out.fsdb"), options: options) }?.path == bad)
    let missing = folder.path("missing.fsdb")
    let error = failure { try FuseWriter.merge([good, missing], to: folder.path("out.fsdb")) }
    #expect(error?.code == .notFound)
    #expect(error?.path == missing)
    #expect(try folder.names == ["bad.fsdb", "good.fsdb"])
  }
}
