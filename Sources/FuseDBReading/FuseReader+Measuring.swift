// For measuring a file: keys by their number, and the memory that every look-up of them has to touch.
package import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension FuseReader {
  /// Whether the file lacks an extension block, so that opening makes an index in memory.
  package var isPlain: Bool { index.end == byteCount }

  /// The entry with a number, in the order of the keys; of a set, shard by shard, which finds it at once: for samples.
  ///
  /// - Throws: as ``entry(number:)``.
  /// - Precondition: as for it.
  package func sampleEntry(number: Int) throws(FuseError) -> Entry {
    guard let set = shardSet else { return try entry(number: number) }
    var left = number
    for (shard, file) in set.files.enumerated() {
      guard left >= file.keyCount else {
        let found = try set.shard(at: shard).entry(number: left)
        let owner = forEntries()
        return Entry(reader: owner, entry: try owner.entry(found.entry, of: found.reader, shard, once: false))
      }
      left -= file.keyCount
    }
    throw changed(at: 0)
  }

  /// The entry with a number, in the order of the keys.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  /// - Precondition: `number` is below ``keyCount``.
  /// - Complexity: O(1): up to 32 index entries.
  package func entry(number: Int) throws(FuseError) -> Entry {
    precondition(number >= 0 && number < keyCount, "there is no such entry")
    if let compact { return try compactEntry(number: number, in: compact) }
    if shardSet != nil {
      var scan = try entries(numbered: number..<number + 1)
      guard let entry = try scan.next() else { throw changed(at: 0) }
      return entry
    }
    let mapping = mapping
    var entry = try entry(at: index.order.offset(ofStride: number / KeyOrder.stride, in: mapping.bytes))
    for _ in 0..<number % KeyOrder.stride { entry = try self.entry(at: entry.end) }
    try mapping.checkNotShrunk()
    return Entry(reader: self, entry: entry)
  }
}

/// The floor under look-ups: the cache lines that a hit cannot do without, touched with addresses known beforehand, so
/// that no load waits for another.
///
/// They are the slots' line, the index entry and the object.
@safe
package struct LookupFloor: Sendable {
  @unsafe
  private struct Lines {
    var slots: UnsafeRawPointer
    var entry: UnsafeRawPointer
    var object: UnsafeRawPointer
  }

  // SAFETY: all lines lie in the mapping or in the index in memory, and the reader keeps both.
  private let reader: FuseReader
  private nonisolated(unsafe) var lines: [Lines]

  // SAFETY: asking how many there are follows no pointer.
  /// How many hits it has.
  package var count: Int { unsafe lines.count }

  package init(_ reader: FuseReader) {
    self.reader = reader
    // SAFETY: an array without elements has no pointer that could be wrong.
    unsafe lines = []
  }

  /// Adds the lines of a hit on `entry`, which is of the same reader.
  ///
  /// Of a compact file, which has neither keys nor objects in place, nothing is added.
  package mutating func add(_ entry: Entry) throws(FuseError) {
    var (reader, place, object) = (reader, entry.entry.offset, entry.objectOffset)
    if let set = reader.shardSet {
      let (number, own) = FuseReader.parts(of: object)
      let shard = try set.shard(at: number)
      // Counted from the first byte of the shard.
      // SAFETY: a distance is a number; nothing is read here.
      unsafe place &-= Int(bitPattern: shard.mapping.address(of: 0)) &- Int(bitPattern: reader.mapping.address(of: 0))
      (reader, object) = (shard, own)
    }
    guard reader.compact == nil else { return }
    let mapping = reader.mapping
    let file = mapping.bytes
    let record = try reader.record(at: object)
    let key = file.extracting(place + 2..<place + 2 + entry.entry.keyByteCount)
    // SAFETY: the entry was read and the record checked, so both lie inside the file. A line of slots does as well.
    unsafe file.withUnsafeBytes { file in
      let start = file.baseAddress!
      let slots = unsafe reader.index.slots(of: key, file: start)
      let first = unsafe start + place
      unsafe lines.append(Lines(slots: slots ?? first, entry: first, object: start + record.offset))
    }
  }

  /// Touches the lines of some hits. The sum of what is there is returned only so that the reads are not optimised away.
  @inline(never)
  package func touch(_ hits: Range<Int>) -> UInt64 {
    var sum: UInt64 = 0
    for hit in hits {
      let lines = unsafe lines[hit]
      // SAFETY: `add` took all three from inside the file or the index in memory, and `reader` keeps both.
      unsafe sum &+=
        UInt64(lines.slots.load(as: UInt8.self)) &+ UInt64(lines.entry.load(as: UInt8.self))
        &+ UInt64(lines.object.load(as: UInt8.self))
    }
    return sum
  }
}

extension KeyIndex {
  /// Where the slots begin among which a look-up of `key` finds its entry; nil where it searches the order.
  @unsafe
  fileprivate func slots(of key: RawSpan, file: UnsafeRawPointer) -> UnsafeRawPointer? {
    if let table {
      let probe = table.probe(of: key.hash(seed: table.section.seed))
      // SAFETY: the line lies inside the file that the table is in.
      return unsafe file + table.offset(ofSlotLine: probe.position.line)
    }
    return unsafe memory.map { unsafe $0.home(of: key) }
  }
}
