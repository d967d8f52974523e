internal import FuseDBFormat
internal import FuseDBSystem

/// What a ``ShareTable`` counts.
protocol CountedEntry: BitwiseCopyable {
  var hash: UInt64 { get }
  /// How often it was seen; 0 where the place in the table is free.
  var count: UInt64 { get set }
  static var free: Self { get }
}

/// A table of the different values of a share of all hashes. It grows to the memory that it may have; where that is too little, it halves
/// the share, and the rest comes in a later pass.
///
/// Whoever has it searches: from ``start(of:)`` on, place by place, until one is free.
struct ShareTable<Entry: CountedEntry> {
  private(set) var share = HashShare()
  private(set) var entries: [Entry]
  private var used = 0
  private let mostSlots: Int

  /// - Parameters:
  ///   - leastSlots: how many places it begins with, a power of two: so much memory is taken, however little there is.
  ///   - memory: in bytes; while the table grows, there are two.
  init(leastSlots: Int, memory: Int) throws(FuseError) {
    var slots = leastSlots
    while slots * 2 * MemoryLayout<Entry>.stride * 3 / 2 <= memory { slots *= 2 }
    mostSlots = slots
    entries = try [Entry](leastSlots, of: .free)
  }

  /// Where the search for a hash begins.
  @inline(__always)
  func start(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (entries.count &- 1) }

  /// The place after another.
  @inline(__always)
  func place(after slot: Int) -> Int { (slot &+ 1) & (entries.count &- 1) }

  @inline(__always)
  subscript(slot: Int) -> Entry {
    get { entries[slot] }
    set { entries[slot] = newValue }
  }

  @inline(__always)
  mutating func countAgain(_ slot: Int) { entries[slot].count &+= 1 }

  /// Puts a new entry into a free place. True where the table has moved, or lost entries of another share.
  @inline(__always)
  mutating func put(_ entry: Entry, at slot: Int) throws(FuseError) -> Bool {
    entries[slot] = entry
    used += 1
    guard used > entries.count / 4 * 3 else { return false }
    try makeRoom()
    return true
  }

  @inline(never)
  private mutating func makeRoom() throws(FuseError) {
    let before = entries
    let isHalved = before.count >= mostSlots && share.canBeHalved
    if isHalved { share.halve() }
    entries = try [Entry](isHalved ? before.count : 2 * before.count, of: .free)
    used = 0
    for entry in before where entry.count != 0 && share.contains(entry.hash) {
      var slot = start(of: entry.hash)
      while entries[slot].count != 0 { slot = place(after: slot) }
      entries[slot] = entry
      used += 1
    }
  }

  /// Empties the table for the next share. After the last one it has no memory any more.
  mutating func endPass() {
    for slot in entries.indices { entries[slot].count = 0 }
    used = 0
    share.advance()
    if share.isDone { entries = [] }
  }
}
