internal import FuseDBFormat
internal import FuseDBSystem

/// Counts values that may be parts: how often each stands in the objects.
///
/// It has 24 bytes for each different value of a share of all, at most as many as its memory allows, and 24 for each that it has found to
/// stand twice.
struct PartCounter {
  /// A value, with how often it was seen; 0 where the place in the table is free.
  struct Entry {
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

  private static let leastSlots = 1 << 12

  private var entries: [Entry] = []
  private var used = 0
  private let mostSlots: Int
  private(set) var share = HashShare()
  /// The values that stand at least twice, of all shares that were counted.
  private(set) var found: [Entry] = []

  /// - Parameter memory: for the table, in bytes; however little it is, some hundred kilobytes are taken.
  init(memory: Int) throws(FuseError) {
    var slots = Self.leastSlots
    // While it grows there are two tables.
    while slots * 2 * MemoryLayout<Entry>.stride * 3 / 2 <= memory { slots *= 2 }
    mostSlots = slots
    entries = try [Entry](Self.leastSlots, of: .free)
  }

  /// Counts a value of the share.
  @inline(__always)
  mutating func add(_ range: Range<Int>, hash: UInt64, in file: RawSpan) throws(FuseError) {
    guard share.contains(hash) else { return }
    let mask = entries.count &- 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while entries[slot].count != 0 {
      if entries[slot].hash == hash, file.extracting(entries[slot].range).equals(file.extracting(range)) {
        entries[slot].count &+= 1
        return
      }
      slot = (slot &+ 1) & mask
    }
    entries[slot] = Entry(hash: hash, place: Entry.place(range), count: 1)
    used += 1
    if used > entries.count / 4 * 3 { try makeRoom() }
  }

  @inline(never)
  private mutating func makeRoom() throws(FuseError) {
    let before = entries
    let isHalved = before.count >= mostSlots && share.canBeHalved
    if isHalved { share.halve() }
    entries = try [Entry](isHalved ? before.count : 2 * before.count, of: .free)
    used = 0
    for entry in before where entry.count != 0 && share.contains(entry.hash) {
      var slot = Int(truncatingIfNeeded: entry.hash) & (entries.count - 1)
      while entries[slot].count != 0 { slot = (slot + 1) & (entries.count - 1) }
      entries[slot] = entry
      used += 1
    }
  }

  /// Ends a pass over all objects.
  mutating func endPass() throws(FuseError) {
    for slot in entries.indices {
      if entries[slot].count > 1 { try found.grow(by: entries[slot]) }
      entries[slot].count = 0
    }
    used = 0
    share.advance()
    if share.isDone { entries = [] }
  }
}
