/// Entries that were packed one after the other and are to stand in ascending order: texts by their bytes, integers by their
/// number, anything else by its encoding. So Rust's `BTreeMap` and `BTreeSet` have them.
struct SortedEntries {
  private let packer: MessagePackPacker
  private var starts: [Int] = []

  /// - Parameter packer: where the entries will be packed, from its end on.
  init(_ packer: MessagePackPacker) { self.packer = packer }

  /// The next entry begins: a value, or a key with its value.
  mutating func begin() { starts.append(packer.byteCount) }

  /// Puts the entries into order. The last one ends with the packer.
  func sort() {
    guard let first = starts.first, starts.count > 1 else { return }
    let entries = packer.bytes.extracting(droppingFirst: first).array()
    let ends = starts.dropFirst() + [packer.byteCount]
    let ranges = zip(starts, ends).map { $0 - first..<$1 - first }
    packer.truncate(to: first)
    for range in ranges.sorted(by: { Self.isAscending($0.lowerBound, $1.lowerBound, in: entries.rawSpan) }) {
      packer.append(entries.rawSpan.extracting(range))
    }
  }

  private static func isAscending(_ left: Int, _ right: Int, in bytes: RawSpan) -> Bool {
    let (leftHead, rightHead) = (MessagePackHead(at: left, in: bytes), MessagePackHead(at: right, in: bytes))
    switch (leftHead.kind, rightHead.kind) {
    case (.string, .string):
      return bytes.isAscending(
        leftHead.end..<leftHead.end + leftHead.count, rightHead.end..<rightHead.end + rightHead.count)
    case (.signed, .signed): return Int64(bitPattern: leftHead.bits) < Int64(bitPattern: rightHead.bits)
    case (.unsigned, .unsigned): return leftHead.bits < rightHead.bits
    case (.signed, .unsigned): return true
    case (.unsigned, .signed): return false
    default:
      let (leftEnd, rightEnd) = (
        MessagePackHead.end(ofValueAt: left, in: bytes), MessagePackHead.end(ofValueAt: right, in: bytes)
      )
      return bytes.isAscending(left..<leftEnd, right..<rightEnd)
    }
  }
}
