import FuseDB

/// A file by the letter of spec/format.md: written and taken apart slowly, with nothing of the library's in it.
struct ReferenceFile {
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Assembles a file from objects and from keys that name the place of their object in the list.
  init(objects: [[UInt8]], keys: [(key: [UInt8], object: Int)]) {
    var body: [UInt8] = []
    var offsets: [Int] = []
    for object in objects {
      offsets.append(40 + body.count)
      body += Self.big(object.count, 4) + Self.big(Int(Self.crc(object)), 4) + object
    }
    let indexOffset = 40 + body.count
    for entry in keys {
      body += Self.big(entry.key.count, 2) + entry.key + Self.big(offsets[entry.object], 8)
    }
    bytes = [UInt8]("FSDB".utf8) + [2, 0, 0, 0] + Self.big(keys.count, 4) + Self.big(objects.count, 4)
    bytes += Self.big(indexOffset, 8) + Self.big(40, 8) + Self.big(Int(Self.crc(body)), 4) + [0, 0, 0, 0] + body
  }

  /// Canonical order: identical objects once, in the order of their smallest keys.
  init(canonical mapping: [Key: [UInt8]]) {
    var objects: [[UInt8]] = []
    var numbers: [Key: Int] = [:]
    let keys = mapping.keys.sorted().map { key in
      let object = mapping[key] ?? []
      if let known = numbers[Key(object)] { return (key.bytes, known) }
      numbers[Key(object)] = objects.count
      objects.append(object)
      return (key.bytes, objects.count - 1)
    }
    self.init(objects: objects, keys: keys)
  }

  static func big(_ value: Int, _ byteCount: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    bytes.put(UInt64(bitPattern: Int64(value)), byteCount: byteCount, at: 0)
    return bytes
  }

  /// CRC-32, bit by bit.
  static func bitwiseCRC(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var remainder: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      remainder ^= UInt32(byte)
      for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1 }
    }
    return ~remainder
  }

  private static let byteTable = (0..<256).map { byte -> UInt32 in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
  }

  /// CRC-32, byte by byte, of bytes that follow others of the CRC-32 `previous`.
  static func crc(_ bytes: some Sequence<UInt8>, after previous: UInt32 = 0) -> UInt32 {
    let table = byteTable
    func crc(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
      var remainder = ~previous
      var place = 0
      // SAFETY: the place is below the count of bytes.
      while place < bytes.count {
        remainder = unsafe table[Int(UInt8(remainder & 0xFF) ^ bytes[place])] ^ remainder &>> 8
        place += 1
      }
      return ~remainder
    }
    return unsafe bytes.withContiguousStorageIfAvailable { unsafe crc($0) }
      ?? [UInt8](bytes).withUnsafeBufferPointer { unsafe crc($0) }
  }

  /// Puts the right checksum into the header. A file without a whole header stays as it is.
  mutating func seal() {
    if bytes.count >= 40 { bytes.put(Self.crc(bytes[40...]), at: 32) }
  }

  /// The file in a layout: as it is, or with the canonical extension block.
  func bytes(_ layout: FuseWriter.Layout) -> [UInt8] {
    layout == .plain ? bytes : ReferenceBlock(after: self).bytes
  }

  // MARK: Taken apart

  var keyCount: Int { Int(bytes.number(at: 8, 4)) }
  var objectCount: Int { Int(bytes.number(at: 12, 4)) }
  var indexOffset: UInt64 { bytes.number(at: 16, 8) }

  struct Entry {
    var offset: Int
    var key: Key
    var target: UInt64
    var end: Int
  }

  struct Record {
    var offset: Int
    var object: [UInt8]
    var hasRightChecksum: Bool
    var end: Int
  }

  func entry(at offset: Int) -> Entry? {
    guard offset + 2 <= bytes.count else { return nil }
    let end = offset + 10 + Int(bytes.number(at: offset, 2))
    guard end <= bytes.count else { return nil }
    let key = Key([UInt8](bytes[offset + 2..<end - 8]))
    return Entry(offset: offset, key: key, target: bytes.number(at: end - 8, 8), end: end)
  }

  func record(at offset: UInt64) -> Record? {
    guard offset >= 40, offset <= UInt64(bytes.count), offset + 8 <= indexOffset, indexOffset <= UInt64(bytes.count)
    else { return nil }
    let start = Int(offset)
    let end = start + 8 + Int(bytes.number(at: start, 4))
    guard end <= Int(indexOffset) else { return nil }
    let object = [UInt8](bytes[start + 8..<end])
    return Record(
      offset: start, object: object, hasRightChecksum: UInt64(Self.crc(object)) == bytes.number(at: start + 4, 4),
      end: end)
  }

  /// Why opening refuses the file: the code. Nil where it opens. §7
  func refusal(comparingChecksums: Bool) -> String? {
    if bytes.count < 40 { return "truncated" }
    if bytes[0..<4] != [0x46, 0x53, 0x44, 0x42] { return "notADatabase" }
    if bytes[4] != 2, bytes[4] != 3 { return "unsupportedVersion" }
    if bytes.number(at: 24, 8) != 40 || indexOffset < 40 { return "corrupted" }
    if indexOffset > UInt64(bytes.count) { return "truncated" }
    // Where a compact file has its footer, this has none.
    if bytes[4] == 3 { return "truncated" }
    if comparingChecksums, UInt64(Self.crc(bytes[40...])) != bytes.number(at: 32, 4) { return "corrupted" }
    var offset = Int(indexOffset)
    var previous: Key?
    var highest: UInt64 = 0
    for _ in 0..<keyCount {
      guard let entry = entry(at: offset) else { return "corrupted" }
      if let previous, previous >= entry.key { return "corrupted" }
      if entry.target < 40 || entry.target > UInt64.max - 8 || entry.target + 8 > indexOffset { return "corrupted" }
      highest = max(highest, entry.target)
      previous = entry.key
      offset = entry.end
    }
    if offset != bytes.count { return "corrupted" }
    if keyCount > 0 {
      while highest < indexOffset {
        guard let record = record(at: highest) else { return "corrupted" }
        highest = UInt64(record.end)
      }
    }
    return nil
  }

  /// The entries of a file that opens.
  var entries: [Entry] {
    var offset = Int(indexOffset)
    return (0..<keyCount).compactMap { _ in
      let entry = entry(at: offset)
      offset = entry?.end ?? offset
      return entry
    }
  }

  /// One piece of damage.
  struct Finding: Hashable, Comparable, CustomStringConvertible {
    var kind: String
    var offset: UInt64

    init(_ kind: String, _ offset: some BinaryInteger) {
      self.kind = kind
      self.offset = UInt64(offset)
    }

    static func < (left: Finding, right: Finding) -> Bool { (left.offset, left.kind) < (right.offset, right.kind) }
    var description: String { "\(kind) \(offset)" }
  }

  /// All that is wrong, sorted. §10
  var damage: [Finding] {
    if bytes.count < 40 { return [Finding("truncated", bytes.count)] }
    if bytes[0..<4] != [0x46, 0x53, 0x44, 0x42] { return [Finding("magic", 0)] }
    // What says that it is compact and is not; it has no footer.
    if bytes[4] == 3 {
      if bytes.number(at: 24, 8) != 40 { return [Finding("header", 24)] }
      if indexOffset < 40 { return [Finding("header", 16)] }
      return [Finding("truncated", indexOffset > UInt64(bytes.count) ? 16 : UInt64(bytes.count))]
    }
    if bytes[4] != 2 { return [Finding("version", 4)] }
    var found: [Finding] = []
    for (offset, byteCount) in [(5, 1), (6, 2), (36, 4)] where bytes.number(at: offset, byteCount) != 0 {
      found.append(Finding("header", offset))
    }
    if bytes.number(at: 24, 8) != 40 { found.append(Finding("header", 24)) }
    if UInt64(Self.crc(bytes[40...])) != bytes.number(at: 32, 4) { found.append(Finding("fileChecksum", 32)) }
    if indexOffset < 40 {
      found.append(Finding("header", 16))
    } else if indexOffset > UInt64(bytes.count) {
      found.append(Finding("truncated", 16))
    } else {
      let starts = walkRecords(&found)
      walkEntries(&found, starts)
    }
    return found.sorted()
  }

  private func walkRecords(_ found: inout [Finding]) -> Set<UInt64> {
    var targets: [UInt64] = []
    var place = Int(indexOffset)
    while let entry = entry(at: place) {
      targets.append(entry.target)
      place = entry.end
    }
    var starts: Set<UInt64> = []
    var count = 0
    var isWhole = true
    var offset: UInt64 = 40
    while offset < indexOffset {
      starts.insert(offset)
      if let record = record(at: offset) {
        if !record.hasRightChecksum {
          found.append(Finding("objectChecksum", offset))
        } else if !ReferenceValue.isOneValue(record.object) {
          found.append(Finding("objectValue", offset))
        }
        count += 1
        offset = UInt64(record.end)
      } else {
        isWhole = false
        found.append(Finding("objectBounds", offset))
        offset = targets.filter { $0 > offset }.min() ?? indexOffset
      }
    }
    if isWhole, count != objectCount { found.append(Finding("count", 12)) }
    return starts
  }

  private func walkEntries(_ found: inout [Finding], _ starts: Set<UInt64>) {
    var offset = Int(indexOffset)
    var count = 0
    var previous: Key?
    while offset < bytes.count {
      guard let entry = entry(at: offset) else {
        if count < keyCount {
          found.append(Finding("keyBounds", offset))
          return
        }
        found.append(Finding("trailingBytes", offset))
        break
      }
      let ascends = previous.map { $0 < entry.key } ?? true
      let hits = starts.contains(entry.target)
      if count >= keyCount, !(ascends && hits) {
        found.append(Finding("trailingBytes", offset))
        break
      }
      if !ascends { found.append(Finding("keyOrder", offset)) }
      if !hits { found.append(Finding("keyTarget", offset)) }
      previous = entry.key
      count += 1
      offset = entry.end
    }
    if count != keyCount { found.append(Finding("count", 8)) }
  }
}
