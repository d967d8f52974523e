internal import FuseDBFormat
internal import FuseDBSystem

/// Counts values that may be parts: how often each stands in the objects.
///
/// It has 24 bytes for each different value of a share of all, at most as many as its memory allows, and 24 for each that it has found to
/// stand twice.
struct PartCounter {
  /// A value, with how often it was seen; 0 where the place in the table is free.
  struct Entry: CountedEntry {
    var hash: UInt64
    /// Where it stands: the offset in the file, and, in the lowest bits, how many bytes it has.
    var place: UInt64
    var count: UInt64

    static let free = Entry(hash: 0, place: 0, count: 0)

    @inline(__always)
    static func place(_ range: Range<Int>) -> UInt64 {
      UInt64(truncatingIfNeeded: range.lowerBound) &<< 13 | UInt64(truncatingIfNeeded: range.count)
    }

    @inline(__always)
    var range: Range<Int> {
      let start = Int(truncatingIfNeeded: place &>> 13)
      return start..<start &+ Int(truncatingIfNeeded: place & 0x1FFF)
    }
  }

  private var table: ShareTable<Entry>
  var share: HashShare { table.share }
  /// The values that stand at least twice, of all shares that were counted.
  private(set) var found: [Entry] = []

  /// - Parameter memory: for the table, in bytes; however little it is, some hundred kilobytes are taken.
  init(memory: Int) throws(FuseError) { table = try ShareTable(leastSlots: 1 << 12, memory: memory) }

  /// Counts a value of the share.
  @inline(__always)
  mutating func add(_ range: Range<Int>, hash: UInt64, in file: RawSpan) throws(FuseError) {
    guard share.contains(hash) else { return }
    var slot = table.start(of: hash)
    while table[slot].count != 0 {
      if table[slot].hash == hash, file.extracting(table[slot].range).equals(file.extracting(range)) {
        return table.countAgain(slot)
      }
      slot = table.place(after: slot)
    }
    _ = try table.put(Entry(hash: hash, place: Entry.place(range), count: 1), at: slot)
  }

  /// Ends a pass over all objects.
  mutating func endPass() throws(FuseError) {
    for entry in table.entries where entry.count > 1 { try found.grow(by: entry) }
    table.endPass()
  }
}
