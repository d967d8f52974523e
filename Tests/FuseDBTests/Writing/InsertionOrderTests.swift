import FuseDB
import Glibc
import ProgramSupport
import Testing

struct `Insertion order` {
  @Test func `keeps every object as it was added, also identical and unreached ones [C5]`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.compatible)
    _ = try writer.addObject([0xC0])
    let second = try writer.addObject([0x05])
    let third = try writer.addObject([0x05])
    #expect(second != third)
    try writer.addKey("z", for: second)
    try writer.addKey("a", for: third)
    _ = try writer.addObject([0xC0])
    let report = try writer.build(to: folder.path("file.fsdb"))
    let expected = ReferenceFile(objects: [[0xC0], [5], [5], [0xC0]], keys: [([0x61], 2), ([0x7A], 1)])
    #expect(try folder.read("file.fsdb") == expected.bytes)
    #expect(report.unreachedObjectCount == 2)
    #expect(report.objectCount == 4)
    #expect(report.sharedObjectCount == 0)
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `with sharing writes no object that was there before`(layout: FuseWriter.Layout) throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(order: .insertion, layout: layout))
    let first = try writer.addObject([9])
    let second = try writer.addObject([5])
    #expect(try writer.addObject([9]) == first)
    try writer.addKey("a", for: second)
    let report = try writer.build(to: folder.path("file.fsdb"))
    let expected = ReferenceFile(objects: [[9], [5]], keys: [([0x61], 1)])
    #expect(try folder.read("file.fsdb") == expected.bytes(layout))
    #expect(report.sharedObjectCount == 1)
    #expect(report.unreachedObjectCount == 1)
  }

  @Test(arguments: ModelWriter.options.indices)
  func `and canonical order are those of the model, whatever the options [C1] [C2] [C3] [C5] [C6]`(number: Int) throws {
    var random = SeededRandom.announced()
    let options = ModelWriter.options[number]
    let folder = try TemporaryFolder()
    for size in [(0, 0), (1, 0), (1, 1), (3, 10), (20, 60), (40, 30)] {
      let model = ModelWriter.random(&random, objects: size.0, keys: size.1)
      let writer = FuseWriter(options)
      try model.add(to: writer)
      #expect(writer.addedKeyCount == (size.0 > 0 ? size.1 : 0))
      for name in ["file.fsdb", "again.fsdb"] { unsafe unlink(folder.path(name)) }
      let report = try writer.build(to: folder.path("file.fsdb"))
      let expected = model.build(options)
      #expect(try folder.read("file.fsdb") == expected.bytes)
      #expect(report == expected.report)
      // Nothing of the first build is left in the second.
      #expect(try writer.build(to: folder.path("again.fsdb")) == report)
      #expect(try folder.read("again.fsdb") == expected.bytes)
      #expect(try FuseReader.verify(path: folder.path("file.fsdb")).damage == [])
    }
  }
}
