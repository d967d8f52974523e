public import FuseDBFormat
public import FuseDBValues

// The way of a look-up: the key's hash, its remainder, one load, and then that of one file. Other questions go to `reader`.

extension ShardedReader {
  /// The shard that holds `key`, whether or not it has the key.
  ///
  /// - Throws: as ``shard(at:)``.
  /// - Complexity: O(bytes of the key).
  public func shard(holding key: some FuseKey) throws(FuseError) -> FuseReader {
    try shard(at: manifest.rule.shard(of: key))
  }

  /// Calls `body` with the bytes of the object under `key`, in place, and returns what it returns; nil when the set has no such key.
  ///
  ///     try geo.withBytes(forKey: "8.8.8.8") { $0.byteCount }   // 31
  ///
  /// - Throws: as ``FuseReader/withBytes(forKey:_:)-(RawSpan,_)``, and as ``shard(at:)`` where the key's shard is not open yet; the error names the shard's file.
  /// - Complexity: O(1).
  @inlinable
  @inline(__always)
  public func withBytes<Result>(forKey key: RawSpan, _ body: (RawSpan) throws -> Result) throws -> Result? {
    // SAFETY: this set keeps the shard.
    try unsafe opened(number(of: key))._withUnsafeGuaranteedRef { try $0.withBytes(forKey: key, body) }
  }

  /// Calls `body` with the bytes of the object under `key`, in place, and returns what it returns; nil when the set has no such key.
  ///
  /// - Throws: as ``withBytes(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(1).
  @inlinable
  @inline(__always)
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

  /// Whether the set holds `key`; see ``FuseReader/contains(_:)-(RawSpan)``.
  ///
  /// - Throws: as ``withBytes(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(1).
  @inlinable
  public func contains(_ key: RawSpan) throws(FuseError) -> Bool {
    // SAFETY: this set keeps the shard.
    try unsafe opened(number(of: key)).guaranteed { shard throws(FuseError) in try shard.contains(key) }
  }

  /// Whether the set holds `key`.
  ///
  /// - Throws: as ``contains(_:)-(RawSpan)``.
  /// - Complexity: O(1).
  @inlinable
  public func contains(_ key: some FuseKey) throws(FuseError) -> Bool {
    guard let keyBytes = key.bytesInPlace else { return try contains(key.keySpelling) }
    defer { keyBytes.hold() }
    return try contains(keyBytes)
  }

  /// Calls `body` with the value under `key`, in place, and returns what it returns; nil when the set has no such key, too.
  ///
  ///     try geo.withValue(forKey: "8.8.8.8") { $0["org"]?.string }   // "Google LLC"
  ///
  /// - Throws: as ``FuseReader/withValue(forKey:_:)-(RawSpan,_)``, and as ``shard(at:)``.
  /// - Complexity: O(heads of the value).
  @inlinable
  public func withValue<Result>(forKey key: RawSpan, _ body: (FuseView) throws -> Result?) throws -> Result? {
    // SAFETY: this set keeps the shard.
    try unsafe opened(number(of: key))._withUnsafeGuaranteedRef { try $0.withValue(forKey: key, body) }
  }

  /// Calls `body` with the value under `key`, in place, and returns what it returns; nil when the set has no such key, too.
  ///
  /// - Throws: as ``withValue(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(heads of the value).
  @inlinable
  public func withValue<Result>(forKey key: some FuseKey, _ body: (FuseView) throws -> Result?) throws -> Result? {
    guard let keyBytes = key.bytesInPlace else {
      let spelling = key.keySpelling
      let keyBytes = spelling.keyBytes
      defer { keyBytes.hold() }
      return try withValue(forKey: keyBytes, body)
    }
    defer { keyBytes.hold() }
    return try withValue(forKey: keyBytes, body)
  }

  /// The object under `key` as a typed value; nil when the set has no such key.
  ///
  /// - Throws: as ``FuseReader/value(_:forKey:decoder:)-(_,RawSpan,_)``, and as ``shard(at:)``.
  /// - Complexity: O(bytes of the object).
  public func value<Value: Decodable>(
    _ type: Value.Type = Value.self, forKey key: some FuseKey, decoder: FuseDecoder = FuseDecoder()
  ) throws -> Value? {
    try shard(holding: key).value(type, forKey: key, decoder: decoder)
  }

  /// The value under `key`, whatever it is; nil when the set has no such key: `try geo["8.8.8.8"]`.
  ///
  /// - Throws: as ``FuseReader/view(forKey:)-(RawSpan)``, and as ``shard(at:)``.
  /// - Complexity: O(bytes of the object).
  public subscript(key: some FuseKey) -> FuseValue? {
    get throws(FuseError) { try shard(holding: key)[key] }
  }
}
