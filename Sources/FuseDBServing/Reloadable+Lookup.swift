public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

// What a reader answers, asked of the newest file.

extension Reloadable {
  /// Calls `body` with the bytes of the object under `key`, in place, and returns what it returns; nil when the newest
  /// file has no such key. It stays mapped until `body` ends.
  ///
  /// - Throws: as ``FuseReader/withBytes(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(1).
  @inlinable
  public func withBytes<Result>(forKey key: some FuseKey, _ body: (RawSpan) throws -> Result) throws -> Result? {
    guard let keyBytes = key.bytesInPlace else {
      let spelling = key.keySpelling
      let keyBytes = spelling.keyBytes
      defer { keyBytes.hold() }
      return try withBytes(forKey: keyBytes, body)
    }
    defer { keyBytes.hold() }
    return try withBytes(forKey: keyBytes, body)
  }

  /// Looks all `keys` up in the newest file, one file for all, and calls `body` for each; see
  /// ``FuseReader/withBytes(forKeys:_:)``.
  ///
  /// - Throws: as ``FuseReader/withBytes(forKeys:_:)``.
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
    if let failure {
      countLookups(hits: 0, misses: 0, failures: 1)
      throw failure
    }
  }

  /// The same where `body` throws nothing but ``FuseError``, and says so; see ``FuseReader/withBytes(forKeys:_:)``.
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

  /// Calls `body` for each key in their order, for as long as it returns true, and counts them.
  @inlinable
  func answer<Keys: RandomAccessCollection>(
    _ keys: Keys, _ body: (_ number: Int, _ bytes: RawSpan?) throws(FuseError) -> Bool
  ) throws(FuseError) where Keys.Element: FuseKey {
    var hits = 0
    var misses = 0
    do throws(FuseError) {
      try withReader { (reader) throws(FuseError) in
        try reader.answer(keys) { (number, bytes) throws(FuseError) in
          if bytes == nil { misses += 1 } else { hits += 1 }
          return try body(number, bytes)
        }
      }
      countLookups(hits: hits, misses: misses, failures: 0)
    } catch {
      countLookups(hits: hits, misses: misses, failures: 1)
      throw error
    }
  }

  /// Whether the newest file holds `key`.
  ///
  /// - Throws: as ``FuseReader/contains(_:)-(RawSpan)``.
  /// - Complexity: O(1).
  @inlinable
  public func contains(_ key: some FuseKey) throws(FuseError) -> Bool {
    guard let keyBytes = key.bytesInPlace else {
      let spelling = key.keySpelling
      let keyBytes = spelling.keyBytes
      defer { keyBytes.hold() }
      return try contains(keyBytes)
    }
    defer { keyBytes.hold() }
    return try contains(keyBytes)
  }

  /// Whether the newest file holds each of `keys`, in their order, one file for all.
  ///
  /// - Throws: as ``FuseReader/contains(keys:)``.
  /// - Complexity: O(keys).
  @inlinable
  public func contains<Keys: RandomAccessCollection>(
    keys: Keys
  ) throws(FuseError) -> [Bool] where Keys.Element: FuseKey {
    do throws(FuseError) {
      let answers = try withReader { (reader) throws(FuseError) in try reader.contains(keys: keys) }
      let hits = answers.count { $0 }
      countLookups(hits: hits, misses: answers.count - hits, failures: 0)
      return answers
    } catch {
      countLookups(hits: 0, misses: 0, failures: 1)
      throw error
    }
  }
}

// What goes on after the call keeps its file: scans, statistics, metadata are those of one snapshot.

extension Reloadable {
  /// How many keys the newest file holds.
  public var keyCount: Int { withReader { $0.keyCount } }

  /// The newest file's length in bytes.
  public var byteCount: Int { withReader { $0.byteCount } }

  /// The keys of the newest file from `lowerBound` (included) to `upperBound` (excluded), in order; without bounds, all.
  /// The scan stays with that file; see ``FuseReader/entries(from:upTo:_:)``.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  public func entries(
    from lowerBound: (some FuseKey)? = [UInt8]?.none, upTo upperBound: (some FuseKey)? = [UInt8]?.none,
    _ direction: FuseReader.Direction = .ascending
  ) throws(FuseError) -> Scan {
    try snapshot().entries(from: lowerBound, upTo: upperBound, direction)
  }

  /// The keys of the newest file that begin with the bytes of `prefix`, in order. The scan stays with that file; see
  /// ``FuseReader/prefix(_:_:)``.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  public func prefix(
    _ prefix: some FuseKey, _ direction: FuseReader.Direction = .ascending
  ) throws(FuseError) -> Scan {
    try snapshot().prefix(prefix, direction)
  }

  /// All objects of the newest file in the order of the file. The scan stays with that file.
  public func objects() -> ObjectScan { snapshot().objects() }

  /// What the newest file holds, in numbers; see ``FuseReader/statistics()``.
  public func statistics() throws(FuseError) -> Statistics { try snapshot().statistics() }

  /// What the newest file says about itself; see ``FuseReader/metadata``.
  public var metadata: [String: String] {
    get throws(FuseError) { try snapshot().metadata }
  }

  /// Checks every byte of the newest file and lists all damage; see ``FuseReader/verify(level:progress:)``.
  public func verify(
    level: VerificationLevel = .full, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> VerificationReport {
    try snapshot().verify(level: level, progress: progress)
  }
}
