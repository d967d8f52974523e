import FuseDB
import Testing

struct `A walk over the objects` {
  @Test func `returns each record once, in file order, also those that no key reaches [G6]`() throws {
    let folder = try TemporaryFolder()
    let objects: [[UInt8]] = [[0x05], [0xA3, 0x61, 0x62, 0x63], [0x05], [0x90], [0xC4, 0x00], [0x05]]
    let file = ReferenceFile(objects: objects, keys: [([0x61], 3), ([0x62], 1), ([0x63], 3)])
    let reader = try FuseReader(path: folder.write(file.bytes))
    var scan = reader.objects()
    var found: [[UInt8]] = []
    var offsets: [UInt64] = []
    while let object = try scan.next() {
      found.append(try object.bytes.array())
      offsets.append(object.offset)
      #expect(try object.bytes.byteCount == found.last?.count)
    }
    #expect(found == objects)
    #expect(offsets == [40, 49, 61, 70, 79, 89])
    #expect(try scan.next() == nil)
  }

  @Test func `of a file without objects is empty`() throws {
    let folder = try TemporaryFolder()
    var scan = try FuseReader(path: folder.write(WorkedExamples.noKeys)).objects()
    #expect(try scan.next() == nil)
  }

  @Test(arguments: [0, 4, 6, UInt32.max])
  func `ends with an error when the header counts other objects [H4] [D1]`(count: UInt32) throws {
    let folder = try TemporaryFolder()
    var file = ReferenceFile(objects: (0..<5).map { [UInt8($0)] }, keys: [([0x61], 4)])
    file.bytes.put(count, at: 12)
    let reader = try FuseReader(path: folder.write(file.bytes))
    var scan = reader.objects()
    for number in 0..<5 {
      let object = try #require(try scan.next())
      #expect(try object.bytes.array() == [UInt8(number)])
    }
    let error = failure { _ = try scan.next() }
    #expect(error?.code == .corrupted)
    #expect(error?.offset == 12)
    #expect(failure { _ = try reader.statistics() }?.offset == 12)
  }

  @Test func `refuses a record that does not end inside the section, and what has another checksum [D1] [D3]`() throws {
    let folder = try TemporaryFolder()
    var file = ReferenceFile(objects: [[0x01], [0x02], [0x03]], keys: [([0x61], 0), ([0x62], 2)])
    for (byte, value) in [(49, UInt8(0xFF)), (52, 60), (57, 3), (55, 1)] {
      var damaged = file
      damaged.bytes[byte] = value
      damaged.seal()
      let reader = try FuseReader(path: folder.write(damaged.bytes))
      var scan = reader.objects()
      let object = try #require(try scan.next())
      #expect(try object.bytes.array() == [1])
      let error = failure { _ = try scan.next() }
      #expect(error?.code == .corrupted)
      #expect(error?.offset == 49)
      #expect(failure { _ = try reader.statistics() }?.offset == 49)
    }
    // The last record is met at opening already [O5].
    file.bytes.put(UInt32(2), at: 58)
    file.seal()
    let error = failure { _ = try FuseReader(path: folder.write(file.bytes)) }
    #expect(error?.offset == 58)
  }
}
