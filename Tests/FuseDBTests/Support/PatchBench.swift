import FuseDB
import ProgramSupport

@testable import FuseDBPatching
@testable import FuseDBSystem

/// A folder in which patches are made and applied.
struct PatchBench {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The bytes of the patch from one file to another.
  func patch(from old: [UInt8], to new: [UInt8]) throws -> [UInt8] {
    try FusePatch.make(from: FuseReader(bytes: old), to: FuseReader(bytes: new), at: folder.path("made.patch"))
    return try folder.read("made.patch")
  }

  /// What applying a patch makes of a file.
  func apply(_ patch: [UInt8], to old: [UInt8]) throws -> [UInt8] {
    try folder.write(patch, as: "applied.patch")
    try FusePatch.apply(folder.path("applied.patch"), to: FuseReader(bytes: old), output: folder.path("new.fsdb"))
    return try folder.read("new.fsdb")
  }

  /// A patch whose head is right for two files, with a body of any bytes.
  func forged(from old: [UInt8], to new: [UInt8], body: [UInt8]) throws -> [UInt8] {
    let file = try AtomicFile(replacing: PinnedPath(folder.path("forged.patch")))
    let head = PatchHead(from: try FuseReader(bytes: old), to: try FuseReader(bytes: new))
    try file.write(head.oldHeader.bytes.rawSpan)
    try file.write(head.newHeader.bytes.rawSpan)
    let writer = try PatchBodyWriter(appendingTo: file)
    try writer.write(body.rawSpan)
    try writer.finish()
    try file.flush()
    // Not published: making a file durable takes longer than all the rest.
    let written = try file.mapped()
    let rest = written.bytes.extracting(droppingFirst: PatchHead.prologueByteCount).array()
    return head.prologue(byteCount: file.byteCount, restChecksum: file.checksum.value) + rest
  }

  /// The same with a body that is packed already, or is not; the new file may be said to be longer than it is.
  func forged(from old: [UInt8], to new: [UInt8], packed: [UInt8], longerBy more: Int = 0) throws -> [UInt8] {
    var head = PatchHead(from: try FuseReader(bytes: old), to: try FuseReader(bytes: new))
    head.newByteCount += more
    let rest = head.oldHeader.bytes + head.newHeader.bytes + packed
    let byteCount = UInt64(PatchHead.prologueByteCount + rest.count)
    return head.prologue(byteCount: byteCount, restChecksum: Checksum.of(rest.rawSpan)) + rest
  }

  /// The body of a patch, unpacked.
  func body(of patch: [UInt8]) throws -> [UInt8] {
    let reader = try PatchBodyReader(
      of: FileMapping(bytes: patch.rawSpan, isLocked: false), at: PatchPlace(path: "patch"))
    var body: [UInt8] = []
    // One byte a step, until there is none.
    while (try? reader.bytes(1) { part in body += part.array() }) != nil {}
    return body
  }
}

/// A file as lists of objects and keys, to be changed at random.
struct PatchSubject {
  var objects: [[UInt8]] = []
  var keys: [Key: Int] = [:]
  /// 0 plain, 1 with the block.
  var form = 0

  init(_ random: inout SeededRandom) {
    for _ in 0..<random.below(12) { objects.append(Self.object(&random)) }
    for _ in 0..<random.below(60) where !objects.isEmpty { addKey(&random) }
    form = random.below(2)
  }

  /// Some keys, objects and places later.
  func changed(_ random: inout SeededRandom) -> PatchSubject {
    var next = self
    for _ in 0..<random.below(6) { next.change(&random) }
    if random.below(4) == 0 { next.form = random.below(2) }
    return next
  }

  private mutating func change(_ random: inout SeededRandom) {
    let count = objects.count
    switch random.below(count == 0 ? 1 : 9) {
    case 0: objects.insert(Self.object(&random), at: random.below(count + 1))
    case 1: objects.append(objects[random.below(count)])
    case 2: objects.swapAt(random.below(count), random.below(count))
    case 3: addKey(&random)
    case 4: if let key = keys.keys.sorted().randomElement(using: &random) { keys[key] = nil }
    case 5: if let key = keys.keys.sorted().randomElement(using: &random) { keys[key] = random.below(count) }
    case 6 where count > 1:
      let gone = random.below(count)
      objects.remove(at: gone)
      keys = keys.mapValues { $0 == gone ? random.below(count - 1) : $0 > gone ? $0 - 1 : $0 }
    default:
      // Some bytes of an object, in a place or two.
      let changed = random.below(count)
      for _ in 0...random.below(2) {
        let start = random.below(objects[changed].count + 1)
        let end = min(objects[changed].count, start + random.below(4))
        objects[changed].replaceSubrange(start..<end, with: random.bytes(random.below(4)))
      }
    }
  }

  private mutating func addKey(_ random: inout SeededRandom) {
    let key = random.below(8) == 0 ? random.bytes(random.below(3)) : [UInt8]("key \(random.below(90))".utf8)
    keys[Key(key)] = random.below(objects.count)
  }

  private static func object(_ random: inout SeededRandom) -> [UInt8] {
    let words = (0..<random.below(12)).map { _ in random.element(["alpha", "beta", "gamma", "x", "yz"]) }
    return [UInt8](words.joined(separator: " ").utf8) + random.bytes(random.below(6))
  }

  var bytes: [UInt8] {
    // Only sound files have patches, and objects are values in those.
    let file = ReferenceFile(objects: objects.map(\.asBin), keys: keys.keys.sorted().map { ($0.bytes, keys[$0]!) })
    return file.bytes(form == 1 ? .indexed : .plain)
  }
}
