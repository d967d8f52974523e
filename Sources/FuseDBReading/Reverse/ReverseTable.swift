internal import FuseDBFormat
internal import FuseDBSystem

/// The section `REVS` of a file: which entries point at an object. See spec/reverse.md.
struct ReverseTable: Sendable {
  /// Where it is in the file.
  let range: Range<Int>

  var blockCount: Int { range.count / ReverseBlock.byteCount }

  /// - Throws: ``FuseError`` with code `corrupted` where the section has no whole number of blocks. [Y2]
  init(in range: Range<Int>) throws(FuseError) {
    guard range.count % ReverseBlock.byteCount == 0 else {
      throw .corrupted(
        "the reverse index has \(counted(range.count, "byte")), which is no whole number of blocks",
        at: range.lowerBound)
    }
    self.range = range
  }

  /// Where a block begins in the file.
  func offset(ofBlock number: Int) -> Int { range.lowerBound + number * ReverseBlock.byteCount }

  @_lifetime(copy file)
  private func block(_ number: Int, in file: RawSpan) -> RawSpan {
    let start = offset(ofBlock: number)
    return file.extracting(start..<start + ReverseBlock.byteCount)
  }

  /// The object of the first list in a block; after the last block, one that no file has.
  private func object(ofBlock number: Int, in file: RawSpan) -> UInt64 {
    number < blockCount ? ReverseBlock.object(of: block(number, in: file)) : ReverseBlock.noObject
  }

  /// The blocks that the list of `object` is in, if it is anywhere: from the last that begins before it to the last that
  /// does not begin after it. [Y6]
  func blocks(of object: UInt64, in file: RawSpan) -> Range<Int> {
    let first = max(0, count(in: file) { $0 < object } - 1)
    let end = count(in: file) { $0 <= object }
    return blockCount == 0 ? 0..<0 : first..<max(first + 1, end)
  }

  /// How many blocks, from the first on, begin with an object of which `isBefore` holds; by halves.
  private func count(in file: RawSpan, _ isBefore: (UInt64) -> Bool) -> Int {
    var low = 0
    var high = blockCount
    while low < high {
      let middle = low + (high - low) / 2
      if isBefore(self.object(ofBlock: middle, in: file)) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Appends the entries of `object` that one of its ``blocks(of:in:)`` has.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where the block is damaged, or not one that can have them. [Y4] [Y7]
  func append(
    entriesOf object: UInt64, inBlock number: Int, of blocks: Range<Int>, isChecked: Bool, file: RawSpan,
    to entries: inout [UInt32]
  ) throws(FuseError) {
    let block = block(number, in: file)
    let start = ReverseBlock.object(of: block)
    let next = self.object(ofBlock: number + 1, in: file)
    // The search may have been led astray by a damaged block elsewhere.
    let isInPlace =
      (number == blocks.lowerBound ? start < object || number == 0 : start == object)
      && (number == blocks.upperBound - 1 ? object < next : object == next)
    guard isInPlace, !isChecked || ReverseBlock.isSound(block, number: number, next: next),
      ReverseBlock.append(entriesOf: object, in: block, to: &entries)
    else {
      throw .corrupted(
        "the block of the reverse index here is damaged; 'fusedb verify' lists the damage", at: offset(ofBlock: number))
    }
  }
}
