internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// Counts lists of names that may be shapes: how many maps have each.
///
/// As ``PartCounter``; beside, it keeps the names of what at least two maps have.
struct ShapeCounter {
  /// Names, with how many maps were seen to have them; 0 where the place in the table is free.
  private struct Entry: CountedEntry {
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

  private var table: ShareTable<Entry>
  var share: HashShare { table.share }
  /// Of the entries of the share.
  private var kept: [UInt8] = []
  private var other: [UInt8] = []

  private(set) var found: [Shape] = []
  private(set) var names: [UInt8] = []

  /// - Parameter memory: for the table, in bytes; however little it is, some tens of kilobytes are taken.
  init(memory: Int) throws(FuseError) { table = try ShareTable(leastSlots: 1 << 10, memory: memory) }

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
    var slot = table.start(of: hash)
    while table[slot].count != 0 {
      if table[slot].hash == hash, try isEqual(slot, names, in: file) {
        table.countAgain(slot)
        return true
      }
      slot = table.place(after: slot)
    }
    // What is in the table was looked at.
    guard tape.namesDiffer(ofMap: number, in: file) else { return false }
    let start = tape.range(of: tape.nodes[number]).lowerBound
    let entry = Entry(hash: hash, place: start, count: 1, nameByteCount: names.count)
    if try table.put(entry, at: slot) { try dropNames() }
    return true
  }

  /// Whether an entry has the same names, which are then kept.
  @inline(__always)
  private mutating func isEqual(_ slot: Int, _ names: [UInt8], in file: RawSpan) throws(FuseError) -> Bool {
    let entry = table[slot]
    guard entry.nameByteCount == names.count else { return false }
    if entry.count > 1 {
      return kept.rawSpan.extracting(entry.place..<entry.place &+ entry.nameByteCount).equals(names.rawSpan)
    }
    try readNames(ofMapAt: entry.place, in: file)
    guard other == names else { return false }
    try kept.makeRoom(for: names.count)
    table[slot].place = kept.count
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

  /// Keeps no names but those of entries that are in the table.
  @inline(never)
  private mutating func dropNames() throws(FuseError) {
    let before = kept
    kept = []
    for slot in table.entries.indices where table[slot].count > 1 {
      let names = before.rawSpan.extracting(table[slot].place..<table[slot].place + table[slot].nameByteCount)
      try kept.makeRoom(for: names.byteCount)
      table[slot].place = kept.count
      kept.append(names)
    }
  }

  /// Ends a pass over all objects.
  mutating func endPass() throws(FuseError) {
    for entry in table.entries where entry.count > 1 {
      let start = names.count
      try names.makeRoom(for: entry.nameByteCount)
      names += kept[entry.place..<entry.place + entry.nameByteCount]
      try found.grow(by: Shape(hash: entry.hash, range: start..<names.count, count: entry.count))
    }
    kept = []
    table.endPass()
  }
}
