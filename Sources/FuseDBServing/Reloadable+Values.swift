public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
public import FuseDBValues

// Typed values, asked of the newest file.

extension Reloadable {
  /// The object under `key` in the newest file as a typed value, or nil when that has no such key.
  ///
  /// - Throws: as ``FuseReader/value(_:forKey:decoder:)-(_,RawSpan,_)``.
  /// - Complexity: O(bytes of the object).
  @inlinable
  public func value<Value: Decodable>(
    _ type: Value.Type = Value.self, forKey key: RawSpan, decoder: FuseDecoder = FuseDecoder()
  ) throws -> Value? {
    do {
      let value = try withReader { reader in try reader.value(type, forKey: key, decoder: decoder) }
      countLookups(hits: value == nil ? 0 : 1, misses: value == nil ? 1 : 0, failures: 0)
      return value
    } catch {
      countLookups(hits: 0, misses: 0, failures: 1)
      throw error
    }
  }

  /// The object under `key` in the newest file as a typed value, or nil when that has no such key.
  ///
  /// - Throws: as ``FuseReader/value(_:forKey:decoder:)-(_,RawSpan,_)``.
  /// - Complexity: O(bytes of the object).
  @inlinable
  public func value<Value: Decodable>(
    _ type: Value.Type = Value.self, forKey key: some FuseKey, decoder: FuseDecoder = FuseDecoder()
  ) throws -> Value? {
    guard let keyBytes = key.bytesInPlace else {
      let spelling = key.keySpelling
      let keyBytes = spelling.keyBytes
      defer { keyBytes.hold() }
      return try value(type, forKey: keyBytes, decoder: decoder)
    }
    defer { keyBytes.hold() }
    return try value(type, forKey: keyBytes, decoder: decoder)
  }

  /// The value under `key` in the newest file, whatever it is; nil when that has no such key: `try store["8.8.8.8"]`.
  ///
  /// - Throws: as ``FuseReader/subscript(_:)``.
  /// - Complexity: O(bytes of the object).
  public subscript(key: some FuseKey) -> FuseValue? {
    get throws(FuseError) {
      do throws(FuseError) {
        let value = try withReader { (reader) throws(FuseError) in try reader[key] }
        countLookups(hits: value == nil ? 0 : 1, misses: value == nil ? 1 : 0, failures: 0)
        return value
      } catch {
        countLookups(hits: 0, misses: 0, failures: 1)
        throw error
      }
    }
  }

  /// The objects under `keys` as typed values, one file for all; see ``FuseReader/values(_:forKeys:decoder:)``.
  ///
  /// - Throws: as ``FuseReader/values(_:forKeys:decoder:)``.
  /// - Complexity: O(keys and bytes of their objects).
  @inlinable
  public func values<Value: Decodable, Keys: RandomAccessCollection>(
    _ type: Value.Type = Value.self, forKeys keys: Keys, decoder: FuseDecoder = FuseDecoder()
  ) throws -> [Value?] where Keys.Element: FuseKey {
    do {
      let values = try withReader { reader in try reader.values(type, forKeys: keys, decoder: decoder) }
      let hits = values.count { $0 != nil }
      countLookups(hits: hits, misses: values.count - hits, failures: 0)
      return values
    } catch {
      countLookups(hits: 0, misses: 0, failures: 1)
      throw error
    }
  }
}

// What a reader shows of its values, asked of the newest file.

extension Reloadable {
  /// Calls `body` with the value under `key`, in place, and returns what it returns; nil when the newest file has no
  /// such key, too. It stays mapped until `body` ends.
  ///
  /// - Throws: as ``FuseReader/withValue(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(heads of the value).
  @inlinable
  public func withValue<Result>(forKey key: RawSpan, _ body: (FuseView) throws -> Result?) throws -> Result? {
    let result = try withBytes(forKey: key) { object in
      let value = try view(of: object)
      return try body(value)
    }
    return result ?? nil
  }

  /// Calls `body` with the value under `key`, in place, and returns what it returns; nil when the newest file has no
  /// such key, too. It stays mapped until `body` ends.
  ///
  /// - Throws: as ``FuseReader/withValue(forKey:_:)-(RawSpan,_)``.
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

  /// Looks all `keys` up in the newest file, one file for all, and calls `body` for each; see
  /// ``FuseReader/withValues(forKeys:_:)``.
  ///
  /// - Throws: as ``FuseReader/withValues(forKeys:_:)``.
  /// - Complexity: O(keys and heads of their values).
  @inlinable
  public func withValues<Keys: RandomAccessCollection>(
    forKeys keys: Keys, _ body: (_ number: Int, _ value: FuseView?) throws -> Void
  ) throws where Keys.Element: FuseKey {
    try withBytes(forKeys: keys) { number, object in
      guard let object else { return try body(number, nil) }
      let value = try view(of: object)
      try body(number, value)
    }
  }

  /// The same where `body` throws nothing but ``FuseError``, and says so; see ``FuseReader/withValues(forKeys:_:)``.
  ///
  /// - Throws: as the one whose `body` may throw anything.
  /// - Complexity: O(keys and heads of their values).
  @inlinable
  public func withValues<Keys: RandomAccessCollection>(
    forKeys keys: Keys, _ body: (_ number: Int, _ value: FuseView?) throws(FuseError) -> Void
  ) throws(FuseError) where Keys.Element: FuseKey {
    try withBytes(forKeys: keys) { (number, object) throws(FuseError) in
      guard let object else { return try body(number, nil) }
      let value = try view(of: object)
      try body(number, value)
    }
  }

  /// The value that an object of the newest file is.
  @usableFromInline
  @_lifetime(copy object)
  func view(of object: RawSpan) throws(FuseError) -> FuseView {
    guard let view = FuseView(plain: object) else { return try viewAfterAll(of: object) }
    return view
  }

  @usableFromInline
  @inline(never)
  @_lifetime(copy object)
  func viewAfterAll(of object: RawSpan) throws(FuseError) -> FuseView {
    do throws(FuseError) {
      return try FuseView(validating: object)
    } catch {
      // Should another file have come in between, that one is named, under the same path.
      throw withReader { $0.noValue(error) }
    }
  }
}
