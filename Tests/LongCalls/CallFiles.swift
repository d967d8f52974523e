import FuseDB
import Glibc
import ProgramSupport

/// The files that the calls are made with.
struct CallFiles {
  let folder: Scratch
  /// Two files with keys in common, under some of which they have different objects; a third without those.
  let old: String
  let new: String
  let other: String
  /// `old` without an extension block.
  let plain: String
  /// More than fits into the least memory.
  let large: String
  /// A copy of `plain`, to be reindexed.
  let reindexed: String
  /// `old` with one byte changed: in an object, and in the table of hashes.
  let damagedObject: String
  let damagedBlock: String
  let missing: String
  /// A name in a folder that is not there.
  let unwritable: String
  let output: String
  let patch: String
  let damagedPatch: String

  init(in folder: Scratch) throws {
    self.folder = folder
    old = folder.path("old.fsdb")
    new = folder.path("new.fsdb")
    other = folder.path("other.fsdb")
    plain = folder.path("plain.fsdb")
    large = folder.path("large.fsdb")
    reindexed = folder.path("reindexed.fsdb")
    missing = folder.path("missing.fsdb")
    unwritable = folder.path("missing/out.fsdb")
    output = folder.path("out.fsdb")
    patch = folder.path("new.patch")
    try Self.writer(0..<200).build(to: old)
    try Self.writer(100..<300, seed: 1).build(to: new)
    try Self.writer(300..<400).build(to: other)
    try Self.writer(0..<200, FuseWriter.Options(layout: .plain)).build(to: plain)
    try Self.largeWriter().build(to: large)
    _ = folder.write(Scratch.bytes(of: plain)!, to: "reindexed.fsdb")
    var bytes = Scratch.bytes(of: old)!
    bytes[60] ^= 1
    damagedObject = folder.write(bytes, to: "damaged.fsdb")
    bytes[60] ^= 1
    bytes[bytes.count * 3 / 4] ^= 1
    damagedBlock = folder.write(bytes, to: "damaged-block.fsdb")
    try FusePatch.make(from: FuseReader(path: old), to: FuseReader(path: new), at: patch)
    bytes = Scratch.bytes(of: patch)!
    bytes[bytes.count - 20] ^= 1
    damagedPatch = folder.write(bytes, to: "damaged.patch")
  }

  /// The least that a writer takes: clearing more would take longer than the calls.
  static let memory = 16 << 20

  /// A writer that has some keys.
  static func writer(
    _ numbers: Range<Int>, seed: Int = 0, _ options: FuseWriter.Options = FuseWriter.Options()
  ) throws -> FuseWriter {
    var options = options
    options.memory = memory
    let writer = FuseWriter(options)
    for number in numbers {
      // Four keys to an object; some of the objects differ with the seed.
      let value = number / 4 % 5 == 0 ? number / 4 + seed : number / 4
      let text = Array("value \(value)".utf8)
      let object = try writer.addObject([0xA0 | UInt8(text.count)] + text)
      try writer.addKey("key \(number)", for: object)
    }
    return writer
  }

  /// The same, with objects of which not all fit into its memory, and keys that fill more than one of its buffers.
  static func largeWriter(_ options: FuseWriter.Options = FuseWriter.Options()) throws -> FuseWriter {
    var options = options
    options.threadCount = 4
    let writer = try writer(0..<100, options)
    var object = [0xC5, 0x75, 0x30] + [UInt8](repeating: 0, count: 30_000)
    for number in UInt8(0)..<64 {
      object[3] = number
      try writer.addKey([number], for: try writer.addObject(object))
    }
    for number in UInt8(0)..<5 {
      try writer.addKey([UInt8](repeating: number, count: 60_000), for: try writer.addObject(object))
    }
    return writer
  }
}
