import FuseDB
import Glibc

/// The files that the calls are made with.
struct CallFiles {
  let folder: ScratchFolder
  /// Two files with keys in common, under some of which they have different objects; a third without those.
  let old: String
  let new: String
  let other: String
  /// `old` without an extension block.
  let plain: String
  /// The same, to be reindexed.
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

  init(in folder: ScratchFolder) throws {
    self.folder = folder
    old = folder.path("old.fsdb")
    new = folder.path("new.fsdb")
    other = folder.path("other.fsdb")
    plain = folder.path("plain.fsdb")
    reindexed = folder.path("reindexed.fsdb")
    missing = folder.path("missing.fsdb")
    unwritable = folder.path("missing/out.fsdb")
    output = folder.path("out.fsdb")
    patch = folder.path("new.patch")
    try Self.writer(0..<200).build(to: old)
    try Self.writer(100..<300, seed: 1).build(to: new)
    try Self.writer(300..<400).build(to: other)
    try Self.writer(0..<200, FuseWriter.Options(layout: .plain)).build(to: plain)
    _ = try folder.write(try ScratchFolder.read(plain), as: "reindexed.fsdb")
    var bytes = try ScratchFolder.read(old)
    bytes[60] ^= 1
    damagedObject = try folder.write(bytes, as: "damaged.fsdb")
    bytes[60] ^= 1
    bytes[bytes.count * 3 / 4] ^= 1
    damagedBlock = try folder.write(bytes, as: "damaged-block.fsdb")
    try FusePatch.make(from: FuseReader(path: old), to: FuseReader(path: new), at: patch)
    bytes = try ScratchFolder.read(patch)
    bytes[bytes.count - 20] ^= 1
    damagedPatch = try folder.write(bytes, as: "damaged.patch")
  }

  /// A writer that has some keys.
  static func writer(
    _ numbers: Range<Int>, seed: Int = 0, _ options: FuseWriter.Options = FuseWriter.Options()
  ) throws -> FuseWriter {
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
}
