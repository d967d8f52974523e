/// Entries that were packed one after the other and are to stand in ascending order: integers by their number, then texts by
/// their bytes, then anything else by its encoding. So Rust's `BTreeMap` and `BTreeSet` have them. [W5]
struct SortedEntries {
  private let packer: MessagePackPacker
  private var starts: [Int] = []

  /// - Parameter packer: where the entries will be packed, from its end on.
  init(_ packer: MessagePackPacker) { self.packer = packer }

  /// The next entry begins: a value, or a key with its value.
  mutating func begin() { starts.append(packer.byteCount) }

  /// Puts the entries into order; returns whether no two begin with the same value. The last one ends with the packer.
  @discardableResult
  func sort() -> Bool {
    guard let first = starts.first, starts.count > 1 else { return true }
    let entries = packer.bytes.extracting(droppingFirst: first).array()
    let ends = starts.dropFirst() + [packer.byteCount]
    let ranges = zip(starts, ends).map { $0 - first..<$1 - first }
    let sorted = ranges.sorted { Self.isAscending($0.lowerBound, $1.lowerBound, in: entries.rawSpan) }
    packer.truncate(to: first)
    for range in sorted { packer.append(entries.rawSpan.extracting(range)) }
    return zip(sorted, sorted.dropFirst()).allSatisfy {
      Self.isAscending($0.lowerBound, $1.lowerBound, in: entries.rawSpan)
    }
  }

  /// Integers come before texts, and both before the rest.
  private static func isAscending(_ left: Int, _ right: Int, in bytes: RawSpan) -> Bool {
    let (leftHead, rightHead) = (MessagePackHead(at: left, in: bytes), MessagePackHead(at: right, in: bytes))
    if let left = leftHead.integer(Int128.self) {
      return rightHead.integer(Int128.self).map { left < $0 } ?? true
    }
    switch (leftHead.kind, rightHead.kind) {
    case (_, .unsigned), (_, .signed): return false
    case (.string, .string):
      return bytes.isAscending(
        leftHead.end..<leftHead.end + leftHead.count, rightHead.end..<rightHead.end + rightHead.count)
    case (.string, _): return true
    case (_, .string): return false
    default:
      return bytes.isAscending(
        left..<MessagePackHead.end(ofValueAt: left, in: bytes), right..<MessagePackHead.end(ofValueAt: right, in: bytes)
      )
    }
  }
}
