import ProgramSupport
import Testing

import FuseDB

/// Patches with right checksums and any body. The old file has the records 01 and 92 03 04, and the keys a, c -> record 0
/// and e -> record 1; the new one also d -> record 1.
struct `A body that makes no sense is refused` {
  private static let objects: [[UInt8]] = [[1], [0x92, 3, 4]]
  private static let old = ReferenceFile(objects: objects, keys: [([0x61], 0), ([0x63], 0), ([0x65], 1)]).bytes
  private static let new = ReferenceFile(
    objects: objects, keys: [([0x61], 0), ([0x63], 0), ([0x64], 1), ([0x65], 1)]
  ).bytes
  /// Two records are copied, two keys stay, one is added, one stays, no block.
  private static let right: [UInt8] = [0x08, 0x08, 0x03, 0x01, 0x64, 0x00, 0x04, 0x00]

  @Test func `the right one is taken, and it is what is made`() throws {
    let bench = try PatchBench()
    #expect(try bench.apply(try bench.forged(from: Self.old, to: Self.new, body: Self.right), to: Self.old) == Self.new)
    #expect(try bench.body(of: try bench.patch(from: Self.old, to: Self.new)) == Self.right)
  }

  /// In both the key a or c gets 09, which is made of record 0 before or after the copy of that.
  @Test(arguments: [
    ([[9], [1], [0x92, 3, 4]], "05 00 01 01 09 07 08 02 08 00"),
    ([[1], [9], [0x92, 3, 4]], "04 07 05 00 01 01 09 04 04 02 04 00"),
  ])
  func `a copy succeeds a record before an edit of it does, whatever comes first [U11]`(
    objects: [[UInt8]], hex: String
  ) throws {
    let new = ReferenceFile(objects: objects, keys: [([0x61], 0), ([0x63], 1), ([0x65], 2)]).bytes
    let bench = try PatchBench()
    #expect(try bench.body(of: try bench.patch(from: Self.old, to: new)) == [UInt8](hex: hex))
    #expect(try bench.apply(try bench.forged(from: Self.old, to: new, body: [UInt8](hex: hex)), to: Self.old) == new)
  }

  @Test(arguments: [
    // Numbers, [U4] and [U5]
    ("", "the patch ends in its middle"),
    ("08 08", "the patch ends in its middle"),
    ("08 08 03 01 64 00 04 00 00", "the patch goes on after its end"),
    ("88 00", "a number is longer than it need be"),
    ("ff ff ff ff ff ff ff ff ff 01", "a number has more than 63 bits"),
    // Records, [U9] and [U10]
    ("00", "no record is to be copied"),
    ("0c", "there are 3 records to copy, and 2 at most are possible"),
    ("fc ff ff ff ff ff ff ff 7f", "records to copy, and 2 at most are possible"),
    ("04 07 04 07 04", "the new file has 2 records up to 60, and more follow"),
    ("03", "the cursor is to move to record 0"),
    ("07", "the cursor is to move to record -1"),
    ("13", "the cursor is to move to record 2"),
    ("ff ff ff ff ff ff ff ff 7f", "the cursor is to move to record"),
    ("0b 07", "the cursor is to move twice"),
    ("05 02", "there are 2 bytes to keep, and 1 at most are possible"),
    ("05 00 02", "there are 2 bytes to drop, and 1 at most are possible"),
    ("05 01 00 00", "an edit changes nothing"),
    ("05 01 00 ff ff ff ff 0f", "bytes to insert, and 11 at most are possible"),
    ("06 01 06 01 06 01", "there are 1 bytes of an object, and 0 at most are possible"),
    ("4a", "there are 18 bytes of an object, and 12 at most are possible"),
    ("fe ff ff ff ff 0f", "bytes of an object, and 12 at most are possible"),
    ("32 00 00 00 00 00 00 00 00 00 00 00 00", "it makes 1 record, and the new file has 2"),
    // Entries, [U12] to [U14]
    ("08 00", "no key is to be kept"),
    ("08 10", "there are 4 keys to keep, and 3 at most are possible"),
    ("08 01", "no key is to be dropped"),
    ("08 11", "there are 4 keys to drop, and 3 at most are possible"),
    ("08 0d 02", "the old file has no more keys"),
    ("04 0e 02 03 04 08 03 01 64 00 04", "a key is to be kept whose object has gone"),
    ("08 06", "a key is to point at record -1, and the new file has 2"),
    ("08 12", "a key is to point at record 2, and the new file has 2"),
    ("08 07", "bytes shared with the key added before, and 0 at most are possible"),
    ("08 03 80 80 04", "there are 65536 bytes of a key, and 65535 at most are possible"),
    ("08 03 40 " + String(repeating: "61 ", count: 64) + "00", "the keys do not fit into"),
    ("08 08 03 01 63 00", "an added key is out of order"),
    ("08 08 03 01 62 00", "an added key is out of order"),
    ("08 08 03 01 66 00 04", "an added key is out of order"),
    ("08 08 03 01 66 00 06", "an added key is out of order"),
    ("08 08 03 01 64 00 03 01 64 01", "an added key is out of order"),
    // What follows, [U15] and [U16]
    ("08 08 03 01 64 00 04 05", "there is no such block"),
    ("08 08 03 01 64 00 04 03 00", "no further sections are named"),
    ("08 08 03 01 64 00 04 03 40", "sections that this library does not know"),
    ("08 08 03 01 64 00 04 01 02", "there are 2 sections of metadata, and 1 at most are possible"),
    ("08 08 03 01 64 00 04 01 01 ff ff ff 01", "bytes of metadata, and 1048576 at most are possible"),
    ("08 08 03 01 64 00 04 01 00", "and must have"),
    ("08 08 03 01 64 01 04 00", "and must have"),
    ("05 00 01 01 05 04 08 03 01 64 00 04 00", "and must have"),
  ])
  func `and the reason is named`(hex: String, message: String) throws {
    let bench = try PatchBench()
    let patch = try bench.forged(from: Self.old, to: Self.new, body: [UInt8](hex: hex))
    let error = failure { _ = try bench.apply(patch, to: Self.old) }
    #expect(error?.code == .corrupted)
    #expect(error?.path == bench.folder.path("applied.patch"))
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "no error")")
    #expect(try !bench.folder.names.contains("new.fsdb"))
  }

  /// Packed by zstd: a frame of one block that is not packed, and that says of itself whether it is the last.
  private static func frame(isLast: Bool) -> [UInt8] {
    let head: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x20, UInt8(right.count)]
    return head + [UInt8(right.count << 3 | (isLast ? 1 : 0)), 0, 0] + right
  }

  @Test(arguments: [
    (true, [], nil), (false, [], "the patch ends in its middle"), (true, [0], "bytes follow the patch"),
    (true, frame(isLast: true), "bytes follow the patch"),
  ])
  func `as packed, it ends where the patch does [U4]`(isLast: Bool, more: [UInt8], message: String?) throws {
    let bench = try PatchBench()
    let patch = try bench.forged(from: Self.old, to: Self.new, packed: Self.frame(isLast: isLast) + more)
    var made: [UInt8]?
    let error = failure { made = try bench.apply(patch, to: Self.old) }
    #expect(made == (message == nil ? Self.new : nil))
    #expect(error?.code == (message == nil ? nil : .corrupted))
    if let message { #expect(error?.message.contains(message) == true) }
  }

  @Test func `and so is one whose new header is none of a file of the new length [U3]`() throws {
    let bench = try PatchBench()
    let index = Int(try FuseReader(bytes: Self.new).header.indexOffset)
    let patch = try bench.forged(
      from: Self.old, to: Self.new, packed: Self.frame(isLast: true), longerBy: index - 1 - Self.new.count)
    let error = failure { _ = try bench.apply(patch, to: Self.old) }
    #expect(error?.message.contains("the index begins at \(index) and the file ends at \(index - 1)") == true)
  }

  @Test func `and so is one that makes a file of another length than the head says [U17]`() throws {
    let bench = try PatchBench()
    let packed = Self.frame(isLast: true)
    let patch = try bench.forged(from: Self.old, to: Self.new, packed: packed, longerBy: 1)
    let error = failure { _ = try bench.apply(patch, to: Self.old) }
    #expect(error?.code == .corrupted)
    #expect(error?.message.contains("and must have") == true)
  }

  @Test func `a hundred thousand random ones make the right file or none [U16] [U17]`() throws {
    var random = SeededRandom.announced()
    let bench = try PatchBench()
    for _ in 0..<2500 {
      let subject = PatchSubject(&random)
      let (old, new) = (subject.bytes, subject.changed(&random).bytes)
      let right = try bench.body(of: try bench.patch(from: old, to: new))
      for _ in 0..<40 {
        var body = right
        for _ in 0...random.below(3) {
          let place = random.below(body.count)
          switch random.below(4) {
          case 0: body[place] = random.element([0, 1, 2, 3, 4, 7, 0x7F, 0x80, 0xFF])
          case 1: body[place] ^= 1 << UInt8(random.below(8))
          case 2: body.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
          default: if body.count > 1 { body.remove(at: place) }
          }
        }
        let patch = try bench.forged(from: old, to: new, body: body)
        do {
          try #require(try bench.apply(patch, to: old) == new, "\(body.hex)")
        } catch let error as FuseError {
          #expect(error.code == .corrupted, "\(body.hex): \(error)")
        }
      }
    }
  }
}
