internal import FuseDBCompact
public import FuseDBFormat
public import FuseDBSystem
internal import FuseDBValues

extension FuseReader {
  /// Looks all `keys` up and calls `body` for each, in their order, with its number and the bytes of its object in
  /// place, or nil where the file has no such key.
  ///
  ///     try reader.withBytes(forKeys: ["8.8.8.8", "nowhere"]) { number, bytes in
  ///       print(number, bytes?.byteCount ?? 0)   // 0 31, then 1 0
  ///     }
  ///
  /// The look-ups wait for memory together: of a file that is larger than the processor's cache, many keys take less
  /// than half the time of asking for one after the other; of a smaller one, about the same. Nothing is copied or
  /// allocated.
  ///
  /// - Throws: as ``withBytes(forKey:_:)-(RawSpan,_)``, at the first key whose answer is damaged; `body` was called for
  ///   those before it. That the file shrank while `body` ran is thrown some keys later. And what `body` throws.
  /// - Complexity: O(keys).
  @inlinable
  public func withBytes<Keys: RandomAccessCollection>(
    forKeys keys: Keys, _ body: (_ number: Int, _ bytes: RawSpan?) throws -> Void
  ) throws where Keys.Element: FuseKey {
    var failure: (any Error)?
    try answer(keys) { number, bytes in
      do { try body(number, bytes) } catch { failure = error }
      return failure == nil
    }
    if let failure { throw failure }
  }

  /// The same where `body` throws nothing but ``FuseError``, and says so: `{ (number, bytes) throws(FuseError) in … }`.
  ///
  /// - Throws: as the one whose `body` may throw anything.
  /// - Complexity: O(keys).
  @inlinable
  public func withBytes<Keys: RandomAccessCollection>(
    forKeys keys: Keys, _ body: (_ number: Int, _ bytes: RawSpan?) throws(FuseError) -> Void
  ) throws(FuseError) where Keys.Element: FuseKey {
    try answer(keys) { (number, bytes) throws(FuseError) in
      try body(number, bytes)
      return true
    }
  }

  /// Calls `body` for each key in their order, for as long as it returns true.
  ///
  /// - Parameter isKept: whether this reader keeps what it hands out, also where that is expanded.
  @inlinable
  @inline(__always)
  package func answer<Keys: RandomAccessCollection>(
    _ keys: Keys, isKept: Bool = false,
    _ body: (_ number: Int, _ bytes: RawSpan?) throws(FuseError) -> Bool
  ) throws(FuseError) where Keys.Element: FuseKey {
    let (table, isForCall) = (index.table, isCompact && !isKept)
    // SAFETY: no index leaves the steps: a group has at most as many keys.
    unsafe try withUnsafeTemporaryAllocation(of: LookupStep.self, capacity: LookupStep.keysAtOnce) {
      (steps) throws(FuseError) in
      var index = keys.startIndex
      var number = 0
      while index != keys.endIndex {
        var answered = index
        let count = unsafe begin(keys, &index, steps, in: table, withObjects: true)
        for i in 0..<count {
          let key = keys[answered].keySpelling
          guard try answer(key.keyBytes, after: unsafe steps[i], number, in: table, isForCall, body) else { return }
          keys.formIndex(after: &answered)
          number += 1
        }
        try mapping.checkNotShrunk()
        if isKept { try checkShards() }
      }
    }
  }

  /// Calls `body` with the answer to one of many keys.
  @inlinable
  @inline(__always)
  func answer(
    _ key: RawSpan, after step: LookupStep, _ number: Int, in table: HashSectionTable?, _ isForCall: Bool,
    _ body: (_ number: Int, _ bytes: RawSpan?) throws(FuseError) -> Bool
  ) throws(FuseError) -> Bool {
    guard let offset = try objectOffset(forKey: key, after: step, in: table) else { return try body(number, nil) }
    let record = try record(at: offset, forCall: isForCall)
    let mapping = mapping
    let goesOn: Bool
    do throws(FuseError) {
      // SAFETY: a record lies inside the file, or is there until `endCall`.
      goesOn = try unsafe body(number, mapping.bytes(from: record.start, count: record.byteCount))
    } catch {
      if isForCall { endCall(record) }
      throw error
    }
    if isForCall { try finishCall(record) }
    return goesOn
  }

  /// Calls `body` for each of some keys that stand in `bytes`, in their order, with its number and where its object's record begins, or nil where the
  /// file has no such key. No object is read.
  package func forEachObjectOffset(
    ofKeys keys: [Range<Int>], in bytes: RawSpan, _ body: (_ number: Int, _ object: UInt64?) throws(FuseError) -> Void
  ) throws(FuseError) {
    if let compact {
      var references: [UInt64?] = []
      try compact.references(forKeys: keys, of: bytes, into: &references)
      for (number, reference) in references.enumerated() {
        try body(number, reference.map { compact.rowOffset(ofReference: $0) })
      }
      return
    }
    if let set = shardSet { return try forEachObjectOffset(ofKeys: keys, in: bytes, of: set, body) }
    let table = index.table
    // SAFETY: no index leaves the steps: a group has at most as many keys.
    unsafe try withUnsafeTemporaryAllocation(of: LookupStep.self, capacity: LookupStep.keysAtOnce) {
      (steps) throws(FuseError) in
      var start = 0
      while start < keys.count {
        let count = min(LookupStep.keysAtOnce, keys.count - start)
        for i in 0..<count {
          unsafe steps.initializeElement(at: i, to: firstStep(of: bytes.extracting(keys[start + i]), in: table))
        }
        unsafe fetch(steps, count: count, withObjects: true)
        for i in 0..<count {
          try body(
            start + i, objectOffset(forKey: bytes.extracting(keys[start + i]), after: unsafe steps[i], in: table))
        }
        start += count
      }
    }
    try checkNotShrunk()
  }

  /// Whether the file holds each of `keys`, in their order. No object is read.
  ///
  ///     try reader.contains(keys: ["8.8.8.8", "nowhere"])   // [true, false]
  ///
  /// - Throws: as ``contains(_:)-(RawSpan)``.
  /// - Complexity: O(keys).
  @inlinable
  public func contains<Keys: RandomAccessCollection>(
    keys: Keys
  ) throws(FuseError) -> [Bool] where Keys.Element: FuseKey {
    var answers: [Bool] = []
    answers.reserveCapacity(keys.count)
    let table = index.table
    // SAFETY: no index leaves the steps: a group has at most as many keys.
    unsafe try withUnsafeTemporaryAllocation(of: LookupStep.self, capacity: LookupStep.keysAtOnce) {
      (steps) throws(FuseError) in
      var index = keys.startIndex
      while index != keys.endIndex {
        var answered = index
        let count = unsafe begin(keys, &index, steps, in: table, withObjects: false)
        for i in 0..<count {
          let key = keys[answered].keySpelling
          answers.append(try contains(key.keyBytes, after: unsafe steps[i], in: table))
          keys.formIndex(after: &answered)
        }
      }
    }
    return answers
  }

  /// Takes the next keys from `index` on, as many as go at once, as far as their answers' memory is asked for.
  @inlinable
  @inline(__always)
  @unsafe
  func begin<Keys: RandomAccessCollection>(
    _ keys: Keys, _ index: inout Keys.Index, _ steps: UnsafeMutableBufferPointer<LookupStep>,
    in table: HashSectionTable?, withObjects: Bool
  ) -> Int where Keys.Element: FuseKey {
    var count = 0
    while index != keys.endIndex, count < LookupStep.keysAtOnce {
      let key = keys[index].keySpelling
      // SAFETY: `steps` has room for `keysAtOnce`, and `count` is below that. So `count` steps have values afterwards.
      unsafe steps.initializeElement(at: count, to: firstStep(of: key.keyBytes, in: table))
      keys.formIndex(after: &index)
      count += 1
    }
    unsafe fetch(steps, count: count, withObjects: withObjects)
    return count
  }
}
