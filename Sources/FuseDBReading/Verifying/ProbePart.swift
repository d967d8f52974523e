internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// What one thread found of the probes for a part of the keys: the rows of `ORDR`, and the slots that `HASH` has for them.
struct ProbePart: Sendable {
  /// Strides that a thread takes at a time.
  static let stridesPerPart = 1024
  /// Lines of the hash section that a thread takes at a time.
  static let linesPerPart = 1 << 14

  /// Whether every row is right and every key has its slot.
  private(set) var isSound = false
  private(set) var entryCount = 0

  /// Walks over the entries of strides.
  ///
  /// - Parameter strides: which; nil for all entries of the index, where there are no rows.
  init(_ strides: Range<Int>?, order: KeyOrder, index: Range<Int>, of mapping: FileMapping, table: HashSectionTable?) {
    let file = mapping.bytes.extracting(first: index.upperBound)
    let whole = mapping.bytes
    var offset = strides.map { order.offset(ofStride: $0.lowerBound, in: whole) } ?? index.lowerBound
    var number = strides?.lowerBound ?? 0
    let endOfAll = strides.map { $0.upperBound == order.strideCount } ?? true
    guard offset >= index.lowerBound, number > 0 || offset == index.lowerBound else { return }
    var hashes = InlineArray<32, UInt64>(repeating: 0)
    var entries = hashes
    var objects = hashes
    while strides.map({ number < $0.upperBound }) ?? (offset < index.upperBound) {
      let start = offset
      var count = 0
      while count < StrideRow.entryCount, offset < index.upperBound {
        guard let entry = IndexEntry(at: offset, in: file) else { return }
        if let table {
          let hash = file.extracting(entry.keyRange).hash(seed: table.section.seed)
          hashes[count] = hash
          entries[count] = UInt64(offset - index.lowerBound)
          objects[count] = entry.objectOffset
          table.prefetchSlot(table.probe(of: hash))
        }
        offset = entry.end
        count += 1
      }
      if strides != nil {
        // A stride has 32 entries, the last one the rest; and the next begins where it ends.
        guard order.offset(ofStride: number, in: whole) == start,
          count == StrideRow.entryCount || offset == index.upperBound,
          order.checksum(ofStride: number, in: whole)
            == StrideRow.checksum(of: whole.extracting(start..<offset), number: number)
        else { return }
      }
      if let table {
        for i in 0..<count {
          let expected = HashLine.Slot(
            tag: HashLine.tag(of: hashes[i]), entry: entries[i], object: objects[i])
          guard table.slot(table.probe(of: hashes[i])) == expected else { return }
        }
      }
      entryCount += count
      number += 1
    }
    // The part after this one begins where it ends.
    isSound =
      endOfAll
      ? offset == index.upperBound : offset == order.offset(ofStride: strides?.upperBound ?? 0, in: whole)
  }
}
