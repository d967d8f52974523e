// What a reader shows of its values, asked of the newest file.
public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
public import FuseDBValues

extension Reloadable {
  /// Calls `body` with the value under `key`, in place, and returns what it returns; nil when the newest file has no such key,
  /// too. It stays mapped until `body` ends.
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

  /// Calls `body` with the value under `key`, in place, and returns what it returns; nil when the newest file has no such key,
  /// too. It stays mapped until `body` ends.
  ///
  /// - Throws: as ``FuseReader/withValue(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(heads of the value).
  @inlinable
  public func withValue<Result>(forKey key: some FuseKey, _ body: (FuseView) throws -> Result?) throws -> Result? {
    let keyBytes = key.keyBytes
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
