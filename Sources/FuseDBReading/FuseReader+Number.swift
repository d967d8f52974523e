package import FuseDBFormat
internal import FuseDBSystem

extension FuseReader {
  /// The entries of the key index with these numbers, counted from 0 in the order of keys: for samples.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  /// - Complexity: O(1); each step O(1), descending O(1) on average.
  /// - Precondition: there are so many keys.
  package func entries(numbered numbers: Range<Int>, _ direction: Direction = .ascending) throws(FuseError) -> Scan {
    precondition(numbers.lowerBound >= 0 && numbers.upperBound <= keyCount, "the file has so many keys")
    let lower = try position(ofEntry: numbers.lowerBound)
    let upper = numbers.isEmpty ? lower : try position(ofEntry: numbers.upperBound)
    return Scan(self, from: lower, to: upper, direction)
  }

  /// Where the entry of a number begins: after the last, where the index ends. What leads there is checked by a scan from
  /// there on.
  private func position(ofEntry number: Int) throws(FuseError) -> Position {
    guard number > 0 else { return start }
    guard number < keyCount else { return end }
    if isCompact { return Position(number: number, offset: 0) }
    let mapping = mapping
    let stride = number / KeyOrder.stride
    var offset = index.order.offset(ofStride: stride, in: mapping.bytes)
    for _ in stride * KeyOrder.stride..<number { offset = try entry(at: offset).end }
    try mapping.checkNotShrunk()
    return Position(number: number, offset: offset)
  }
}
