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
    if let set = shardSet {
      return try scan(of: set, direction) { shard throws(FuseError) in
        try shard.entries(from: lowerBound, upTo: upperBound, direction)
      }
    }
    let lower = try lowerBound.map { key throws(FuseError) in try position(ofFirstKeyNotBefore: key) }
    let upper = try upperBound.map { key throws(FuseError) in try position(ofFirstKeyNotBefore: key) }
    return Scan(
      self, from: lower ?? start, to: upper ?? end, direction,
      checked: (lower?.stride ?? -1, upper?.strideBefore ?? -1))
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
    guard let keyBytes = prefix.bytesInPlace else { return try self.prefix(prefix.keySpelling, direction) }
    defer { keyBytes.hold() }
    return try self.prefix(keyBytes, direction)
  }

  private func prefix(_ prefix: RawSpan, _ direction: Direction) throws(FuseError) -> Scan {
    if let set = shardSet {
      return try scan(of: set, direction, sharedByteCount: prefix.byteCount) { shard throws(FuseError) in
        try shard.prefix(prefix, direction)
      }
    }
    let first = try search(prefix, .first)
    let end = try search(prefix, .firstOther, after: first)
    return Scan(
      self, from: first.position, to: end.position, direction,
      checked: (first.position.stride, end.position.strideBefore))
  }

  /// All objects in the order of the file, each once, also those that no key reaches.
  public func objects() -> ObjectScan { ObjectScan(self) }

  /// A position between keys: how many come before it, and where the entry of the next begins.
  package struct Position: Equatable, Sendable {
    package var number: Int
    package var offset: Int

    /// The stride of the key after it, and of the one before it.
    var stride: Int { number / KeyOrder.stride }
    var strideBefore: Int { (number - 1) / KeyOrder.stride }
  }

  var start: Position { Position(number: 0, offset: dataEnd) }
  var end: Position { Position(number: keyCount, offset: index.end) }

  /// The position before the first key that is `key` or comes after it.
  package func position(ofFirstKeyNotBefore key: RawSpan) throws(FuseError) -> Position {
    try search(key, .first).position
  }

  /// What a search looks for.
  enum SearchGoal {
    /// The first key that is not smaller.
    case first
    /// The first that does not begin with it either.
    case firstOther
  }

  /// What a search found: a position, the key before it, nil where it does not matter, and the first stride that does not begin
  /// before it.
  struct SearchResult {
    var position: Position
    var previous: Range<Int>?
    var stride: Int
  }

  /// Searches by halves for the stride, then in the one stride of entries before it.
  ///
  /// - Parameter first: where the search for the first key ended; that for the first other one goes on there.
  func search(
    _ key: RawSpan, _ goal: SearchGoal, after first: SearchResult? = nil
  ) throws(FuseError) -> SearchResult {
    if isCompact { return try searchCompact(key, goal) }
    let sought = SoughtKey(key, goal)
    var low = first?.stride ?? 0
    var high = index.order.strideCount
    // The keys of a prefix are few, so the stride is near; the steps towards it double.
    var step = 1
    while first != nil, low < high {
      let next = min(low + step, high) - 1
      guard try isStride(next, before: sought) else {
        high = next
        break
      }
      low = next + 1
      step *= 2
    }
    while low < high {
      let middle = (low + high) / 2
      if try isStride(middle, before: sought) { low = middle + 1 } else { high = middle }
    }
    let result =
      if case .section = index.order {
        try search(sought, beforeStride: low, after: first?.stride == low ? first : nil)
      } else {
        try search(key, goal, aroundStride: low)
      }
    try mapping.checkNotShrunk()
    return result
  }

  @inline(__always)
  private func isStride(_ stride: Int, before key: SoughtKey) throws(FuseError) -> Bool {
    let mapping = mapping
    return try isEntry(at: index.order.offset(ofStride: stride, in: mapping.bytes), before: key)
  }

  @inline(__always)
  private func isEntry(at offset: Int, before key: SoughtKey) throws(FuseError) -> Bool {
    let mapping = mapping
    guard offset >= dataEnd else { throw changed(at: offset) }
    var walk = EntryWalk(from: offset, until: index.end, in: mapping.bytes)
    guard let passed = walk.pass(before: key, atMost: 1) else { throw changed(at: offset) }
    return passed == 1
  }

  @inline(__always)
  private func isBefore(_ entry: IndexEntry, _ key: RawSpan, _ goal: SearchGoal) -> Bool {
    let mapping = mapping
    let stored = mapping.bytes.extracting(entry.keyRange)
    // Of what begins with the key, no more than the key is compared, and then it is the same.
    return goal == .first
      ? stored.compare(key) < 0 : stored.extracting(first: min(stored.byteCount, key.byteCount)).compare(key) <= 0
  }

  /// The search in a file with checksums of strides. A sample may have led it astray that changed since it was written.
  /// What proves the position is the stride in which it is, and, at a stride's end, the one after it: both are compared with
  /// their checksums, and their first keys once more with `key`. [G3] [G4] [X18]
  private func search(
    _ key: SoughtKey, beforeStride stride: Int, after first: SearchResult?
  ) throws(FuseError) -> SearchResult {
    let end = position(ofSample: stride)
    // The first search has compared the stride already.
    if let first, first.position == end { return first }
    var result = first ?? SearchResult(position: position(ofSample: stride - 1), previous: nil, stride: stride)
    if stride > 0 {
      if first == nil { try checkStride(stride - 1) }
      guard stride > 1 || result.position.number > 0 || result.position == start else {
        throw changed(at: result.position.offset)
      }
      guard result.position.offset >= dataEnd else { throw changed(at: result.position.offset) }
      let mapping = mapping
      var walk = EntryWalk(
        from: result.position.offset, until: index.end, in: mapping.bytes, after: result.previous)
      guard let passed = walk.pass(before: key, atMost: end.number - result.position.number) else {
        throw changed(at: walk.offset)
      }
      result.previous = walk.previous
      result.position = Position(number: result.position.number + passed, offset: walk.offset)
      if result.position.number < end.number {
        guard result.previous != nil else { throw changed(at: walk.offset) }
        // Were there another number of entries than strides have, the position's number would be wrong.
        if first == nil {
          for _ in result.position.number..<end.number {
            guard walk.skip() else { throw changed(at: walk.offset) }
          }
          guard walk.offset == end.offset else { throw changed(at: walk.offset) }
        }
        return result
      }
      guard result.position == end else { throw changed(at: result.position.offset) }
    }
    guard stride < index.order.strideCount else { return result }
    try checkStride(stride)
    result.position = end
    // The entry before it is before the key, by the same comparison, so the two are in order.
    guard stride > 0 || end == start, try !isEntry(at: end.offset, before: key) else {
      throw changed(at: result.position.offset)
    }
    return result
  }

  @inline(__always)
  private func checkOrder(_ previous: Range<Int>?, _ entry: IndexEntry) throws(FuseError) {
    let mapping = mapping
    guard previous.map({ mapping.bytes.isAscending($0, entry.keyRange) }) ?? true else {
      throw changed(at: entry.offset)
    }
  }

  /// The search in a plain file, where nothing tells whether a sample changed since the file was opened. If so, the search
  /// leads right to it: it is out of order with the entries before it or after it. So the walk begins one stride early,
  /// and goes one entry too far. [G3] [G4]
  private func search(
    _ key: RawSpan, _ goal: SearchGoal, aroundStride stride: Int
  ) throws(FuseError) -> SearchResult {
    var result = SearchResult(position: position(ofSample: max(0, stride - 2)), previous: nil, stride: stride)
    let limit = position(ofSample: stride)
    while true {
      let position = result.position
      guard position.number % KeyOrder.stride != 0 || position == self.position(ofSample: position.stride) else {
        throw changed(at: position.offset)
      }
      guard position.number < keyCount else { break }
      let entry = try entry(at: position.offset)
      try checkOrder(result.previous, entry)
      if !isBefore(entry, key, goal) {
        // The last smaller sample was smaller when the search looked at it, so the position is after it.
        guard stride == 0 || position.number > (stride - 1) * KeyOrder.stride else {
          throw changed(at: position.offset)
        }
        if position.number + 1 < keyCount { try checkOrder(entry.keyRange, self.entry(at: entry.end)) }
        break
      }
      // The sample that ends the stride was not smaller when it was looked at.
      guard position.number < limit.number else { throw changed(at: position.offset) }
      result.previous = entry.keyRange
      result.position = Position(number: position.number + 1, offset: entry.end)
    }
    return result
  }

  /// Where the entries of a sample begin; after the last sample, the end.
  private func position(ofSample number: Int) -> Position {
    guard number >= 0 else { return start }
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
  @inline(__always)
  func entry(at offset: Int) throws(FuseError) -> IndexEntry {
    let mapping = mapping
    let index = mapping.bytes.extracting(first: index.end)
    guard offset >= dataEnd, let entry = IndexEntry(at: offset, in: index) else { throw changed(at: offset) }
    return entry
  }
}
