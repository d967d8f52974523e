public import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension FuseReader {
  /// Which way a scan goes through the keys.
  public enum Direction: Sendable {
    /// From the smallest key to the largest.
    case ascending
    /// From the largest key to the smallest.
    case descending
  }

  /// The keys from `lowerBound` (included) to `upperBound` (excluded) with their objects, in order; without bounds,
  /// all.
  ///
  ///     var scan = try reader.entries(from: "8.8.")
  ///     while let entry = try scan.next() { print(entry.key) }
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  /// - Complexity: O(log keys); each step O(1), descending O(1) on average.
  public func entries(
    from lowerBound: (some FuseKey)? = [UInt8]?.none, upTo upperBound: (some FuseKey)? = [UInt8]?.none,
    _ direction: Direction = .ascending
  ) throws(FuseError) -> Scan {
    let lower = try lowerBound.map { key throws(FuseError) in try position(ofFirstKeyNotBefore: key) }
    let upper = try upperBound.map { key throws(FuseError) in try position(ofFirstKeyNotBefore: key) }
    return Scan(self, from: lower ?? start, to: upper ?? end, direction)
  }

  private func position(ofFirstKeyNotBefore key: some FuseKey) throws(FuseError) -> Position {
    guard let keyBytes = key.bytesInPlace else { return try position(ofFirstKeyNotBefore: key.keySpelling) }
    defer { keyBytes.hold() }
    return try position(ofFirstKeyNotBefore: keyBytes)
  }

  /// The keys that begin with the bytes of `prefix`, with their objects, in order.
  ///
  ///     try reader.prefix("8.8.").count   // 212, without looking at them
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  /// - Complexity: O(log keys); each step O(1), descending O(1) on average.
  public func prefix(_ prefix: some FuseKey, _ direction: Direction = .ascending) throws(FuseError) -> Scan {
    var next = prefix.keySpelling.keyBytes.array()
    let lower = try position(ofFirstKeyNotBefore: next.rawSpan)
    // The keys that begin with "ab" end before "ac"; those that begin with bytes of 255 alone end with the file.
    while next.last == 0xFF { next.removeLast() }
    guard let last = next.popLast() else { return Scan(self, from: lower, to: end, direction) }
    next.append(last + 1)
    return Scan(self, from: lower, to: try position(ofFirstKeyNotBefore: next.rawSpan), direction)
  }

  /// All objects in the order of the file, each once, also those that no key reaches.
  public func objects() -> ObjectScan { ObjectScan(self) }

  /// A position between keys: how many come before it, and where the entry of the next begins.
  package struct Position: Equatable, Sendable {
    package var number: Int
    package var offset: Int
  }

  var start: Position { Position(number: 0, offset: dataEnd) }
  var end: Position { Position(number: keyCount, offset: index.end) }

  /// The position before the first key that is `key` or comes after it: binary search in the samples, then at most two
  /// strides of entries.
  ///
  /// A sampled key that changed since the file was opened leads the search astray, and then it stands right where the
  /// search ends: it is out of order with the entries before it or after it. So the walk begins one stride early, and
  /// goes one entry too far. [G3] [G4]
  package func position(ofFirstKeyNotBefore key: RawSpan) throws(FuseError) -> Position {
    try neighbours(of: key).position
  }

  /// The same position, and the entry before it; nil where it is the first.
  func neighbours(of key: RawSpan) throws(FuseError) -> (previous: IndexEntry?, position: Position) {
    let mapping = mapping
    let file = mapping.bytes
    var low = 0
    var high = index.order.strideCount
    while low < high {
      let middle = (low + high) / 2
      let entry = try self.entry(at: index.order.offset(ofStride: middle, in: file))
      if file.extracting(entry.keyRange).compare(key) < 0 { low = middle + 1 } else { high = middle }
    }
    // From the sample before the last smaller one on, until the first entry that is not smaller.
    var position = self.position(ofSample: max(0, low - 2))
    let limit = self.position(ofSample: low)
    var previous: IndexEntry?
    while true {
      guard
        position.number % KeyOrder.stride != 0 || position == self.position(ofSample: position.number / KeyOrder.stride)
      else {
        throw changed(at: position.offset)
      }
      guard position.number < keyCount else { break }
      if position.number % KeyOrder.stride == 0 { try checkStride(position.number / KeyOrder.stride) }
      let entry = try self.entry(at: position.offset)
      if let previous, !file.isAscending(previous.keyRange, entry.keyRange) { throw changed(at: position.offset) }
      if file.extracting(entry.keyRange).compare(key) >= 0 {
        // The last smaller sample was smaller when the search looked at it, so the position is after it.
        guard low == 0 || position.number > (low - 1) * KeyOrder.stride else { throw changed(at: position.offset) }
        let next = Position(number: position.number + 1, offset: entry.end)
        if next.number < keyCount, !file.isAscending(entry.keyRange, try self.entry(at: next.offset).keyRange) {
          throw changed(at: next.offset)
        }
        break
      }
      // The sample that ends the stride was not smaller when it was looked at.
      guard position.number < limit.number else { throw changed(at: position.offset) }
      previous = entry
      position = Position(number: position.number + 1, offset: entry.end)
    }
    try mapping.checkNotShrunk()
    return (previous, position)
  }

  /// Where the entries of a sample begin; after the last sample, the end.
  private func position(ofSample number: Int) -> Position {
    guard number < index.order.strideCount else { return end }
    let mapping = mapping
    return Position(
      number: number * KeyOrder.stride, offset: index.order.offset(ofStride: number, in: mapping.bytes))
  }

  /// Throws unless a stride of entries is what was written, where its checksum is known and not skipped. [X18]
  package func checkStride(_ number: Int) throws(FuseError) {
    let mapping = mapping
    let file = mapping.bytes
    guard checksums == .verified, let expected = index.order.checksum(ofStride: number, in: file) else { return }
    let start = index.order.offset(ofStride: number, in: file)
    let end =
      number + 1 < index.order.strideCount ? index.order.offset(ofStride: number + 1, in: file) : index.end
    guard dataEnd <= start, start <= end, end <= index.end,
      StrideRow.checksum(of: file.extracting(start..<end), number: number) == expected
    else {
      throw unlessShrunk(
        .corrupted(
          "the index entries from here on differ from their checksum; 'fusedb verify' lists the damage", at: start))
    }
  }

  /// The stride that holds the entry at `offset`; nil where checksums are not known, or skipped. [X17]
  func stride(holding offset: Int) throws(FuseError) -> Int? {
    guard checksums == .verified, case .section = index.order else { return nil }
    let mapping = mapping
    let file = mapping.bytes
    var low = 0
    var high = index.order.strideCount
    while low < high {
      let middle = (low + high) / 2
      if index.order.offset(ofStride: middle, in: file) <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { throw changed(at: offset) }
    // By its rows, this stride holds the entry. Should one of the two be damaged, its checksum is another.
    return low - 1
  }

  /// The index entry at an offset that was one when the file was opened.
  func entry(at offset: Int) throws(FuseError) -> IndexEntry {
    let mapping = mapping
    let index = mapping.bytes.extracting(first: index.end)
    guard offset >= dataEnd, let entry = IndexEntry(at: offset, in: index) else { throw changed(at: offset) }
    return entry
  }
}
