internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// Counts lists of names that may be shapes: how many maps have each.
///
/// As ``PartCounter``; beside, it keeps the names of what at least two maps have.
struct ShapeCounter {
  /// Names, with how many maps were seen to have them; 0 where the place in the table is free.
  private struct Entry {
    var hash: UInt64
    /// Where the one map begins in the file; of two or more, where the names begin among those that are kept.
    var place: Int
    var count: UInt64
    var nameByteCount: Int

    static let free = Entry(hash: 0, place: 0, count: 0, nameByteCount: 0)
  }

  /// Names that at least two maps have.
  struct Shape {
    let hash: UInt64
    /// Where they stand among all names that are kept.
    let range: Range<Int>
    let count: UInt64
  }

  private static let leastSlots = 1 << 10

  private var entries: [Entry] = []
  private var used = 0
  private let mostSlots: Int
  private(set) var share = HashShare()
  /// Of the entries of the share.
  private var kept: [UInt8] = []
  private var other: [UInt8] = []

  private(set) var found: [Shape] = []
  private(set) var names: [UInt8] = []

  /// - Parameter memory: for the table, in bytes; however little it is, some tens of kilobytes are taken.
  init(memory: Int) throws(FuseError) {
    var slots = Self.leastSlots
    while slots * 2 * MemoryLayout<Entry>.stride * 3 / 2 <= memory { slots *= 2 }
    mostSlots = slots
    entries = try [Entry](Self.leastSlots, of: .free)
  }

  /// Counts a map of the tape, where its names may be a shape.
  ///
  /// - Parameter names: those of the map.
  /// - Returns: whether they are a shape that other maps may have.
  @inline(__always)
  mutating func add(
    map number: Int, of tape: ValueTape, names: [UInt8], in file: RawSpan
  ) throws(FuseError) -> Bool {
    let hash = names.rawSpan.hash(seed: 0)
    guard share.contains(hash), !share.isDone else { return tape.namesDiffer(ofMap: number, in: file) }
    let mask = entries.count &- 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while entries[slot].count != 0 {
      if entries[slot].hash == hash, try isEqual(slot, names, in: file) {
        entries[slot].count &+= 1
        return true
      }
      slot = (slot &+ 1) & mask
    }
    // What is in the table was looked at.
    guard tape.namesDiffer(ofMap: number, in: file) else { return false }
    let start = tape.range(of: tape.nodes[number]).lowerBound
    entries[slot] = Entry(hash: hash, place: start, count: 1, nameByteCount: names.count)
    used += 1
    if used > entries.count / 4 * 3 { try makeRoom() }
    return true
  }

  /// Whether an entry has the same names, which are then kept.
  @inline(__always)
  private mutating func isEqual(_ slot: Int, _ names: [UInt8], in file: RawSpan) throws(FuseError) -> Bool {
    let entry = entries[slot]
    guard entry.nameByteCount == names.count else { return false }
    if entry.count > 1 {
      return kept.rawSpan.extracting(entry.place..<entry.place &+ entry.nameByteCount).equals(names.rawSpan)
    }
    try readNames(ofMapAt: entry.place, in: file)
    guard other == names else { return false }
    try kept.makeRoom(for: names.count)
    entries[slot].place = kept.count
    kept += names
    return true
  }

  /// Reads the names of the map at an offset, which has been read before.
  @inline(never)
  private mutating func readNames(ofMapAt offset: Int, in file: RawSpan) throws(FuseError) {
    other.removeAll(keepingCapacity: true)
    var cursor = MessagePackCursor(file, at: offset)
    guard case .map(let count) = try cursor.readHead() else { return }
    for _ in 0..<count {
      let start = cursor.offset
      try cursor.skipValue()
      other.append(file.extracting(start..<cursor.offset))
      try cursor.skipValue()
    }
  }

  @inline(never)
  private mutating func makeRoom() throws(FuseError) {
    let (before, keptBefore) = (entries, kept)
    let isHalved = before.count >= mostSlots && share.canBeHalved
    if isHalved { share.halve() }
    entries = try [Entry](isHalved ? before.count : 2 * before.count, of: .free)
    kept = []
    used = 0
    for var entry in before where entry.count != 0 && share.contains(entry.hash) {
      if entry.count > 1 {
        let names = keptBefore.rawSpan.extracting(entry.place..<entry.place + entry.nameByteCount)
        entry.place = kept.count
        try kept.makeRoom(for: names.byteCount)
        kept.append(names)
      }
      var slot = Int(truncatingIfNeeded: entry.hash) & (entries.count - 1)
      while entries[slot].count != 0 { slot = (slot + 1) & (entries.count - 1) }
      entries[slot] = entry
      used += 1
    }
  }

  /// Ends a pass over all objects.
  mutating func endPass() throws(FuseError) {
    for slot in entries.indices {
      let entry = entries[slot]
      if entry.count > 1 {
        let start = names.count
        try names.makeRoom(for: entry.nameByteCount)
        names += kept[entry.place..<entry.place + entry.nameByteCount]
        try found.grow(by: Shape(hash: entry.hash, range: start..<names.count, count: entry.count))
      }
      entries[slot].count = 0
    }
    kept = []
    used = 0
    share.advance()
    if share.isDone { entries = [] }
  }
}
