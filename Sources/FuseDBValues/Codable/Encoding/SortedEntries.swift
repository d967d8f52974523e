internal import FuseDBFormat

/// Entries that were packed one after the other and are to stand in ascending order: texts by their bytes, then integers
/// by their number, then anything else by its encoding. So Rust's `BTreeMap` and `BTreeSet` have them. [W5]
struct SortedEntries {
  private let packer: MessagePackPacker
  private var starts: [Int] = []

  /// - Parameter packer: where the entries will be packed, from its end on.
  init(_ packer: MessagePackPacker) { self.packer = packer }

  /// The `count` pairs that were packed from `first` on.
  init(_ packer: MessagePackPacker, pairs count: Int, from first: Int) {
    self.packer = packer
    var start = first
    for _ in 0..<count {
      starts.append(start)
      let value = MessagePackHead.end(ofValueAt: start, in: packer.bytes)
      start = MessagePackHead.end(ofValueAt: value, in: packer.bytes)
    }
  }

  /// The next entry begins: a value, or a key with its value.
  mutating func begin() { starts.append(packer.byteCount) }

  /// Puts the entries into order; returns whether no two begin with the same value. The last one ends with the packer.
  @discardableResult
  func sort() -> Bool {
    guard let first = starts.first, starts.count > 1 else { return true }
    let entries = packer.bytes.extracting(droppingFirst: first).array()
    let ends = starts.dropFirst() + [packer.byteCount]
    let ranges = zip(starts, ends).map { $0 - first..<$1 - first }
    func isAscending(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
      MessagePackHead.isAscending(left.lowerBound, right.lowerBound, in: entries.rawSpan)
    }
    var sorted = ranges.sorted(by: isAscending)
    let areAllOthers = zip(sorted, sorted.dropFirst()).allSatisfy(isAscending)
    // Equal numbers and texts in encodings of different lengths, which only a `FuseValue` has: by their bytes.
    if !areAllOthers {
      sorted.sort { isAscending($0, $1) || !isAscending($1, $0) && entries.rawSpan.isAscending($0, $1) }
    }
    packer.truncate(to: first)
    for range in sorted { packer.append(entries.rawSpan.extracting(range)) }
    return areAllOthers
  }
}
