import CCallgrind
import CReader
import FuseDB

// What `Scripts/count-instructions` has valgrind count: look-ups and scans as a user's release calls them, and the same by a reader in C.

let keyCount = 20_000
let keysPerGroup = 50
let path = CommandLine.arguments[1]

/// Keys of 16 bytes, 50 to a group.
func key(_ number: Int, _ word: String = "item") -> String {
  func digits(_ number: Int, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: count - text.count) + text
  }
  return "g" + digits(number / keysPerGroup, 5) + "-" + word + digits(number % keysPerGroup * 1_999, 5)
}

/// Texts one after the other, as a service has them in its buffer.
struct Texts: RandomAccessCollection, Sendable {
  struct Text: FuseKeyBytes {
    let start: UnsafePointer<UInt8>
    let count: Int
    var keyBytes: RawSpan {
      @_lifetime(borrow self)
      get { _overrideLifetime(RawSpan(_unsafeStart: start, byteCount: count), borrowing: self) }
    }
  }

  nonisolated(unsafe) let bytes: UnsafePointer<UInt8>
  nonisolated(unsafe) let offsets: UnsafePointer<UInt32>
  var startIndex: Int
  var endIndex: Int

  init(_ texts: [String]) {
    let all = texts.flatMap { Array($0.utf8) }
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: all.count)
    bytes.initialize(from: all, count: all.count)
    let offsets = UnsafeMutablePointer<UInt32>.allocate(capacity: texts.count + 1)
    offsets[0] = 0
    for (number, text) in texts.enumerated() { offsets[number + 1] = offsets[number] + UInt32(text.utf8.count) }
    (self.bytes, self.offsets) = (UnsafePointer(bytes), UnsafePointer(offsets))
    (startIndex, endIndex) = (0, texts.count)
  }

  subscript(index: Int) -> Text {
    Text(start: bytes + Int(offsets[index]), count: Int(offsets[index + 1] - offsets[index]))
  }

  subscript(range: Range<Int>) -> Texts {
    var some = self
    (some.startIndex, some.endIndex) = (range.lowerBound, range.upperBound)
    return some
  }
}

struct Tally: Equatable {
  var found = 0
  var sum: UInt64 = 0

  mutating func add(_ object: RawSpan) {
    found += 1
    sum &+= object.unsafeLoadUnaligned(as: UInt64.self)
  }
}

struct Subject: Sendable {
  let reader: FuseReader
  let shards: ShardedReader
  nonisolated(unsafe) let inC: OpaquePointer

  init(_ checksums: FuseReader.Checksums) throws {
    reader = try FuseReader(path: path, checksums: checksums)
    shards = try ShardedReader(path: path + ".set", checksums: checksums)
    try shards.openAll()
    guard let inC = c_reader_open(path, checksums == .verified) else { fatalError("the reader in C does not open it") }
    self.inC = inC
  }

  @inline(never) func lookUps(_ keys: Texts) throws -> Tally {
    var tally = Tally()
    for key in keys { try reader.withBytes(forKey: key.keyBytes) { tally.add($0) } }
    return tally
  }

  @inline(never) func lookUpsInShards(_ keys: Texts) throws -> Tally {
    var tally = Tally()
    for key in keys { try shards.withBytes(forKey: key.keyBytes) { tally.add($0) } }
    return tally
  }

  @inline(never) func lookUpsByReaderOfShards(_ keys: Texts) throws -> Tally {
    var tally = Tally()
    let reader = shards.reader
    for key in keys { try reader.withBytes(forKey: key.keyBytes) { tally.add($0) } }
    return tally
  }

  @inline(never) func batchesInShards(_ keys: Texts) throws -> Tally {
    var tally = Tally()
    let reader = shards.reader
    for start in stride(from: 0, to: keys.count, by: 64) {
      try reader.withBytes(forKeys: keys[start..<min(start + 64, keys.count)]) { (_, bytes) throws(FuseError) in
        if let bytes { tally.add(bytes) }
      }
    }
    return tally
  }

  @inline(never) func scanOfShards() throws -> Tally {
    var tally = Tally()
    try shards.reader.entries().forEachInPlace { key, object in
      tally.add(object)
      tally.sum &+= UInt64(key.byteCount)
    }
    return tally
  }

  @inline(never) func batches(_ keys: Texts) throws -> Tally {
    var tally = Tally()
    for start in stride(from: 0, to: keys.count, by: 64) {
      try reader.withBytes(forKeys: keys[start..<min(start + 64, keys.count)]) { (_, bytes) throws(FuseError) in
        if let bytes { tally.add(bytes) }
      }
    }
    return tally
  }

  @inline(never) func scan() throws -> Tally {
    var tally = Tally()
    try reader.entries().forEachInPlace { key, object in
      tally.add(object)
      tally.sum &+= UInt64(key.byteCount)
    }
    return tally
  }

  @inline(never) func steps() throws -> Tally {
    var tally = Tally()
    var scan = try reader.entries()
    while let entry = try scan.next() {
      tally.add(try entry.bytes)
      tally.sum &+= UInt64(try entry.keyBytes.byteCount)
    }
    return tally
  }

  @inline(never) func prefixes(_ prefixes: Texts) throws -> Tally {
    var tally = Tally()
    for prefix in prefixes { try reader.prefix(prefix).forEachInPlace { _, object in tally.add(object) } }
    return tally
  }

  @inline(never) func lookUpsInC(_ keys: Texts) -> Tally {
    var tally = c_tally()
    guard c_reader_hits(inC, keys.bytes, keys.offsets, 0, keys.count, &tally) else { fatalError("damage") }
    return Tally(found: Int(tally.found), sum: tally.sum)
  }

  @inline(never) func batchesInC(_ keys: Texts) -> Tally {
    var tally = c_tally()
    guard c_reader_batches(inC, keys.bytes, keys.offsets, 0, keys.count, &tally) else { fatalError("damage") }
    return Tally(found: Int(tally.found), sum: tally.sum)
  }

  @inline(never) func scanInC() -> Tally {
    let tally = c_reader_scan(inC)
    return Tally(found: Int(tally.found), sum: tally.sum)
  }

  @inline(never) func prefixesInC(_ prefixes: Texts) -> Tally {
    var tally = c_tally()
    for prefix in prefixes {
      guard c_reader_prefix(inC, prefix.start, prefix.count, &tally) else { fatalError("damage") }
    }
    return Tally(found: Int(tally.found), sum: tally.sum)
  }
}

let keys = Texts((0..<keyCount).map { key($0 * 7919 % keyCount) })
let others = Texts((0..<keyCount).map { key($0, "none") })
let groups = Texts(
  (0..<keyCount / keysPerGroup).map { String(key($0 * 37 % (keyCount / keysPerGroup) * keysPerGroup).prefix(7)) })
let writer = FuseWriter()
for number in 0..<keyCount / 2 {
  let text = String(repeating: "An object of some hundred bytes, of which each has two keys. ", count: 2).prefix(96)
  try writer.add([key(2 * number), key(2 * number + 1)], "\(number) \(text)")
}
try writer.build(to: path)
try FuseSet.split(FuseReader(path: path), into: path + ".set", by: .hash(count: 64))
let (on, off) = (try Subject(.verified), try Subject(.skipped))

let rows: [(name: String, ours: () throws -> Tally, inC: () -> Tally, items: Int)] = [
  ("hit, on", { try on.lookUps(keys) }, { on.lookUpsInC(keys) }, keyCount),
  ("hit, off", { try off.lookUps(keys) }, { off.lookUpsInC(keys) }, keyCount),
  ("hit in 64 shards, on", { try on.lookUpsInShards(keys) }, { on.lookUpsInC(keys) }, keyCount),
  ("hit in 64 shards, off", { try off.lookUpsInShards(keys) }, { off.lookUpsInC(keys) }, keyCount),
  ("hit by a reader of 64 shards, on", { try on.lookUpsByReaderOfShards(keys) }, { on.lookUpsInC(keys) }, keyCount),
  ("batch in 64 shards, on", { try on.batchesInShards(keys) }, { on.batchesInC(keys) }, keyCount),
  ("miss, on", { try on.lookUps(others) }, { on.lookUpsInC(others) }, keyCount),
  ("miss, off", { try off.lookUps(others) }, { off.lookUpsInC(others) }, keyCount),
  ("batch, on", { try on.batches(keys) }, { on.batchesInC(keys) }, keyCount),
  ("batch, off", { try off.batches(keys) }, { off.batchesInC(keys) }, keyCount),
  ("scan, on", { try on.scan() }, { on.scanInC() }, keyCount),
  ("scan, off", { try off.scan() }, { off.scanInC() }, keyCount),
  ("scan by steps, on", { try on.steps() }, { on.scanInC() }, keyCount),
  ("scan by steps, off", { try off.steps() }, { off.scanInC() }, keyCount),
  ("scan of 64 shards, on", { try on.scanOfShards() }, { on.scanInC() }, keyCount),
  ("prefix, on", { try on.prefixes(groups) }, { on.prefixesInC(groups) }, groups.count),
  ("prefix, off", { try off.prefixes(groups) }, { off.prefixesInC(groups) }, groups.count),
]
for row in rows {
  callgrind_begin()
  let ours = try row.ours()
  callgrind_end("ours")
  callgrind_begin()
  let inC = row.inC()
  callgrind_end("C")
  guard ours == inC else { fatalError("\(row.name): \(ours) here, \(inC) in C") }
  print(row.items, row.name)
}
