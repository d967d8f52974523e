extension FuseReader {
  /// Looks all `keys` up and calls `body` for each, in their order, with its number and the bytes of its object in
  /// place, or nil where the file has no such key.
  ///
  ///     try reader.withBytes(forKeys: ["8.8.8.8", "nowhere"]) { number, bytes in
  ///       print(number, bytes?.byteCount ?? 0)   // 0 31, then 1 0
  ///     }
  ///
  /// The look-ups wait for memory together: for many keys it takes a third of the time of asking for one after the
  /// other. Nothing is copied or allocated.
  ///
  /// - Throws: as ``withBytes(forKey:_:)-(RawSpan,_)``, at the first key whose answer is damaged; `body` was called for
  ///   those before it. And what `body` throws.
  /// - Complexity: O(keys).
  @inlinable
  public func withBytes<Keys: RandomAccessCollection>(
    forKeys keys: Keys, _ body: (_ number: Int, _ bytes: RawSpan?) throws -> Void
  ) throws where Keys.Element: FuseKey {
    var batch = LookupBatch(self)
    var index = keys.startIndex
    var number = 0
    while index != keys.endIndex {
      let first = index
      batch.removeAll()
      while index != keys.endIndex, batch.count < LookupBatch.capacity {
        batch.add(keys[index].keyBytes)
        keys.formIndex(after: &index)
      }
      batch.fetch()
      var answered = first
      for place in 0..<batch.count {
        let bytes = try bytes(forKey: keys[answered].keyBytes, in: batch, place)
        try body(number, bytes)
        try checkNotShrunk()
        keys.formIndex(after: &answered)
        number += 1
      }
    }
  }

  /// Whether the file holds each of `keys`, in their order. No object is read.
  ///
  ///     try reader.contains(keys: ["8.8.8.8", "nowhere"])   // [true, false]
  ///
  /// - Throws: as ``contains(_:)-(RawSpan)``.
  /// - Complexity: O(keys).
  @inlinable
  public func contains<Keys: RandomAccessCollection>(keys: Keys) throws -> [Bool] where Keys.Element: FuseKey {
    var answers: [Bool] = []
    answers.reserveCapacity(keys.count)
    var batch = LookupBatch(self)
    var index = keys.startIndex
    while index != keys.endIndex {
      var answered = index
      batch.removeAll()
      while index != keys.endIndex, batch.count < LookupBatch.capacity {
        batch.add(keys[index].keyBytes)
        keys.formIndex(after: &index)
      }
      batch.fetch()
      for place in 0..<batch.count {
        answers.append(try batch.contains(keys[answered].keyBytes, place))
        keys.formIndex(after: &answered)
      }
    }
    return answers
  }
}
