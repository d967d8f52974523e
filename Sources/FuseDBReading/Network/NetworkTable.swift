public import CFuseIntrinsics
internal import FuseDBCompact
public import FuseDBFormat
package import FuseDBSystem

// SAFETY: the section's header was checked to fit the memory; every number of a line, node or directory entry is cut to the counts in
// it before it is used. The reader keeps the mapping.
/// The longest-prefix index of a file, used in place. See spec/network.md.
///
/// A class, because a look-up would copy a structure of this size, and count references of what is in it.
///
/// Whatever the bytes say, a look-up stays in the section and ends. A line that holds its own check between two bases, and covers the
/// address, has the answer; what led to it proves nothing and needs no check. [A10]
@safe
@usableFromInline package final class NetworkTable: Sendable {
  package let section: NetworkSection
  /// Where the section begins in the file.
  @usableFromInline let offset: Int
  @usableFromInline let lanes: NetworkSection.Lanes
  @usableFromInline let hasAliases: Bool
  // SAFETY: all point into the section.
  @usableFromInline nonisolated(unsafe) let start: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let directory: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let ipv4Bases: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let ipv4Lines: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let tree: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let ipv6Bases: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let ipv6Lines: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let deepBases: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let deepLines: UnsafeRawPointer
  @usableFromInline let directoryShift: UInt32
  @usableFromInline let ipv4LineCount: Int
  @usableFromInline let ipv6LineCount: Int
  @usableFromInline let deepLineCount: Int
  /// The number of levels of the tree above the leaves.
  @usableFromInline let levelCount: Int64
  // SAFETY: `levelCount` levels, the top first, which `levelMemory` keeps.
  @usableFromInline nonisolated(unsafe) let levels: UnsafePointer<fuse_tree_level>
  private let levelMemory: LevelMemory

  /// The table in `range` of a file. [A7] [A8]
  package convenience init(in range: Range<Int>, of mapping: FileMapping) throws(FuseError) {
    let file = mapping.bytes
    let bytes = file.extracting(range)
    let section = try NetworkSection(
      parsing: bytes, at: range.lowerBound, isCompact: CompactReader.isCompact(file))
    unsafe self.init(section, at: bytes.withUnsafeBytes { $0.baseAddress! }, offset: range.lowerBound)
  }

  /// - Parameters:
  ///   - start: the section's bytes, which fit its header and stay there.
  ///   - offset: where it begins in the file.
  @unsafe
  package init(_ section: NetworkSection, at start: UnsafeRawPointer, offset: Int) {
    self.section = section
    self.offset = offset
    lanes = section.lanes
    hasAliases = !section.aliases.isEmpty
    let layout = section.layout
    unsafe self.start = start
    unsafe directory = start + layout.directory
    unsafe ipv4Bases = start + layout.ipv4Bases
    unsafe ipv4Lines = start + layout.ipv4Lines
    unsafe tree = start + layout.tree
    unsafe ipv6Bases = start + layout.ipv6Bases
    unsafe ipv6Lines = start + layout.ipv6Lines
    unsafe deepBases = start + layout.deepBases
    unsafe deepLines = start + layout.deepLines
    directoryShift = UInt32(32 - section.directoryBits)
    ipv4LineCount = section.lineCounts.ipv4
    ipv6LineCount = section.lineCounts.ipv6
    deepLineCount = section.lineCounts.deep
    levelCount = Int64(layout.levels.count)
    let leafCount = (ipv6LineCount + NetworkSection.keysPerNode - 1) / NetworkSection.keysPerNode
    unsafe levelMemory = LevelMemory(layout.levels, leafCount: leafCount, at: start + layout.tree)
    unsafe levels = UnsafePointer(levelMemory.start)
  }

  // MARK: IPv4

  /// The lines among which that of an IPv4 address is: the first and the last.
  @inlinable
  @inline(__always)
  func ipv4Candidates(_ number: UInt32) -> (first: Int, last: Int) {
    let entry = Int(truncatingIfNeeded: number &>> directoryShift)
    let first = Int(truncatingIfNeeded: unsafe Self.load32(directory, entry))
    let last = Int(truncatingIfNeeded: unsafe Self.load32(directory, entry &+ 1))
    let greatest = min(last, ipv4LineCount &- 1)
    return (min(first, greatest), greatest)
  }

  /// The last line among candidates whose base is not after the address.
  @inlinable
  @inline(__always)
  func ipv4Line(_ number: UInt32, among candidates: (first: Int, last: Int)) -> Int {
    var first = candidates.first
    var count = candidates.last &- first &+ 1
    while count > 16 {
      let half = count &>> 1
      // Without a branch, which could not be foretold.
      let base = unsafe Int64(Self.load32(ipv4Bases, first &+ half))
      first &+= Int(fuse_step_if_at_least(Int64(number), base, Int64(half)))
      count &-= half
    }
    // Sixteen bases follow the last one.
    let rank = unsafe Int(fuse_rank32x16(ipv4Bases + 4 &* first, number))
    return first &+ min(max(rank, 1), count) &- 1
  }

  /// The answer of a line for an IPv4 address.
  @inlinable
  @inline(__always)
  func ipv4Match(_ number: UInt32, in line: Int, isChecked: Bool) -> NetworkMatch {
    let bytes = unsafe RawSpan(_unsafeStart: ipv4Lines + line &* 64, byteCount: 64)
    let base = unsafe Self.load32(ipv4Bases, line)
    if isChecked {
      let next = unsafe line &+ 1 == ipv4LineCount ? 0 : Self.load32(ipv4Bases, line &+ 1)
      guard NetworkLine.isSound(bytes, base: UInt64(base), next: UInt64(next)), number >= base, number <= next &- 1
      else { return NetworkMatch(.damaged, .ipv4, line: line) }
    }
    let distance = (number &- base) &>> UInt32(NetworkLine.shift(of: bytes))
    let lane = NetworkLine.lane(at: UInt16(truncatingIfNeeded: min(distance, 0xFFFF)), of: bytes, lanes)
    let answer = NetworkLine.answer(lane, of: bytes, lanes)
    let isSound = answer.length <= 32 || answer.length == NetworkAnswer.noLength
    return NetworkMatch(isSound ? answer : .damaged, .ipv4, line: line)
  }

  // MARK: IPv6

  /// The leaf of the tree that an address's upper half leads to.
  @inlinable
  @inline(__always)
  func ipv6Leaf(_ upper: UInt64) -> Int {
    unsafe Int(fuse_tree_leaf(levels, levelCount, upper))
  }

  /// The last line of a leaf whose base is not after the upper half.
  @inlinable
  @inline(__always)
  func ipv6Line(_ upper: UInt64, in leaf: Int) -> Int {
    let count = unsafe Int(fuse_rank64x8(ipv6Bases + leaf &* 64, upper))
    return min(leaf &* 8 &+ max(count, 1), ipv6LineCount) &- 1
  }

  /// The answer of a line for the upper half of an IPv6 address.
  @inlinable
  @inline(__always)
  func ipv6Answer(_ upper: UInt64, in line: Int, isChecked: Bool) -> NetworkAnswer {
    let bytes = unsafe RawSpan(_unsafeStart: ipv6Lines + line &* 64, byteCount: 64)
    let base = unsafe Self.load64(ipv6Bases, line)
    if isChecked {
      let next = unsafe line &+ 1 == ipv6LineCount ? 0 : Self.load64(ipv6Bases, line &+ 1)
      guard NetworkLine.isSound(bytes, base: base, next: next), upper >= base, upper <= next &- 1 else {
        return .damaged
      }
    }
    let distance = (upper &- base) &>> UInt64(NetworkLine.shift(of: bytes))
    let lane = NetworkLine.lane(at: UInt16(truncatingIfNeeded: min(distance, 0xFFFF)), of: bytes, lanes)
    return NetworkLine.answer(lane, of: bytes, lanes)
  }

  /// The match of an IPv6 address after its line was found.
  @inlinable
  @inline(__always)
  func ipv6Match(_ number: UInt128, in line: Int, isChecked: Bool) -> NetworkMatch {
    let answer = ipv6Answer(UInt64(truncatingIfNeeded: number &>> 64), in: line, isChecked: isChecked)
    if answer.length == NetworkAnswer.deeperLength {
      return deepMatch(number, from: answer.object, isChecked: isChecked, line)
    }
    let isSound = answer.length <= 64 || answer.length == NetworkAnswer.noLength
    return NetworkMatch(isSound ? answer : .damaged, .ipv6, line: line)
  }

  /// The match of an address whose /64 has longer blocks.
  ///
  /// - Parameters:
  ///   - hint: the line of its first address.
  ///   - upperLine: the line that says so.
  @inline(never)
  @usableFromInline
  func deepMatch(_ number: UInt128, from hint: UInt64, isChecked: Bool, _ upperLine: Int) -> NetworkMatch {
    guard deepLineCount > 0 else { return NetworkMatch(.damaged, .ipv6, line: upperLine) }
    let line = deepLine(number, from: hint)
    let bytes = unsafe RawSpan(_unsafeStart: deepLines + line &* 64, byteCount: 64)
    let (base, next) = bases(of: .deep, line)
    if isChecked {
      guard NetworkLine.isSound(bytes, base: base, next: next), number >= base, next == 0 || number < next else {
        return NetworkMatch(.damaged, .deep, line: line)
      }
    }
    let distance = (number &- base) &>> UInt128(NetworkLine.shift(of: bytes))
    let lane = NetworkLine.lane(at: UInt16(truncatingIfNeeded: min(distance, 0xFFFF)), of: bytes, lanes)
    let answer = NetworkLine.answer(lane, of: bytes, lanes)
    let isSound = answer.length <= 128 || answer.length == NetworkAnswer.noLength
    return NetworkMatch(isSound ? answer : .damaged, .deep, line: line)
  }

  /// The last line whose base is not after the address, searched from a line on in steps that double.
  private func deepLine(_ number: UInt128, from hint: UInt64) -> Int {
    var low = Int(truncatingIfNeeded: min(hint, UInt64(deepLineCount &- 1)))
    var step = 1
    while low &+ step < deepLineCount, deepBase(low &+ step) <= number {
      low &+= step
      step &*= 2
    }
    var high = min(low &+ step, deepLineCount)
    while high &- low > 1 {
      let middle = (low &+ high) &>> 1
      if deepBase(middle) <= number { low = middle } else { high = middle }
    }
    return low
  }

  private func deepBase(_ line: Int) -> UInt128 {
    unsafe UInt128(Self.load64(deepBases, 2 &* line &+ 1)) &<< 64 | UInt128(Self.load64(deepBases, 2 &* line))
  }

  // MARK: Lines

  /// The base of a line and that of the next; after the last one comes 0.
  func bases(of table: NetworkSection.Table, _ line: Int) -> (base: UInt128, next: UInt128) {
    let isLast = line &+ 1 == section.lineCounts[table]
    switch table {
    case .ipv4:
      return unsafe (UInt128(Self.load32(ipv4Bases, line)), isLast ? 0 : UInt128(Self.load32(ipv4Bases, line &+ 1)))
    case .ipv6:
      return unsafe (UInt128(Self.load64(ipv6Bases, line)), isLast ? 0 : UInt128(Self.load64(ipv6Bases, line &+ 1)))
    case .deep: return (deepBase(line), isLast ? 0 : deepBase(line &+ 1))
    }
  }

  /// Calls `body` with the bytes of a line.
  func withLine<Result>(_ table: NetworkSection.Table, _ line: Int, _ body: (RawSpan) -> Result) -> Result {
    unsafe body(RawSpan(_unsafeStart: lines(table) + line &* 64, byteCount: 64))
  }

  @unsafe
  private func lines(_ table: NetworkSection.Table) -> UnsafeRawPointer {
    switch table {
    case .ipv4: unsafe ipv4Lines
    case .ipv6: unsafe ipv6Lines
    case .deep: unsafe deepLines
    }
  }

  /// Where a line begins in the file.
  package func offset(of table: NetworkSection.Table, _ line: Int) -> Int {
    unsafe offset + (lines(table) - start) + line * 64
  }

  @inline(never)
  @usableFromInline
  func damage(_ table: NetworkSection.Table, _ line: Int) -> FuseError {
    .corrupted(
      "line \(line) of the network section is damaged, or what leads to it; copy or build the file again",
      at: offset(of: table, line))
  }

  // MARK: Numbers

  @inlinable
  @inline(__always)
  @unsafe
  static func load32(_ table: UnsafeRawPointer, _ number: Int) -> UInt32 {
    UInt32(littleEndian: unsafe table.loadUnaligned(fromByteOffset: 4 &* number, as: UInt32.self))
  }

  @inlinable
  @inline(__always)
  @unsafe
  static func load64(_ table: UnsafeRawPointer, _ number: Int) -> UInt64 {
    UInt64(littleEndian: unsafe table.loadUnaligned(fromByteOffset: 8 &* number, as: UInt64.self))
  }
}

/// Where the levels of a tree stand.
///
/// In memory of its own: of an array in a structure, the compiler copies all for each element.
@safe
private final class LevelMemory: Sendable {
  // SAFETY: written to by the initialiser alone.
  nonisolated(unsafe) let start: UnsafeMutablePointer<fuse_tree_level>

  init(_ counts: [Int], leafCount: Int, at tree: UnsafeRawPointer) {
    unsafe start = .allocate(capacity: counts.count + 1)
    var place = unsafe tree
    for (level, count) in counts.enumerated() {
      let below = level + 1 < counts.count ? counts[level + 1] : leafCount
      unsafe (start + level).initialize(to: fuse_tree_level(nodes: place, last: Int64(below - 1)))
      unsafe place += count * 64
    }
  }

  deinit { unsafe start.deallocate() }
}
