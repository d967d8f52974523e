public import FuseDBFormat
internal import FuseDBSystem
public import FuseDBValues

extension FuseReader {
  /// The value under `key`, in place, or nil when the file has no such key.
  ///
  ///     try reader.view(forKey: "8.8.8.8")?["org"]?.string   // "Google LLC"
  ///
  /// Nothing is decoded, copied or allocated. If the file is truncated between this call and the use of the value,
  /// it reads as zeros; ``withValue(forKey:_:)-(RawSpan,_)`` throws then.
  ///
  /// - Throws: ``FuseError`` as ``bytes(forKey:)-(RawSpan)``; with code `invalidValue` when the object is not one
  ///   MessagePack value, or one nested too deep: its `offset` counts from the start of the object.
  /// - Complexity: O(heads of the value).
  @_lifetime(borrow self)
  public func view(forKey key: RawSpan) throws(FuseError) -> FuseView? {
    guard let offset = try objectOffset(forKey: key) else { return nil }
    let record = try record(at: offset)
    let mapping = mapping
    // SAFETY: a record lies inside the file; the mapping lives as long as this reader.
    let object = unsafe _overrideLifetime(mapping.bytes(from: record.start, count: record.byteCount), borrowing: self)
    return try view(of: object)
  }

  /// The value under `key`, in place, or nil when the file has no such key.
  ///
  /// - Throws: as ``view(forKey:)-(RawSpan)``.
  /// - Complexity: O(heads of the value).
  @inlinable
  @_lifetime(borrow self)
  public func view(forKey key: some FuseKey) throws(FuseError) -> FuseView? {
    guard let keyBytes = key.bytesInPlace else {
      let spelling = key.keySpelling
      let keyBytes = spelling.keyBytes
      defer { keyBytes.hold() }
      return try view(forKey: keyBytes)
    }
    defer { keyBytes.hold() }
    return try view(forKey: keyBytes)
  }

  /// Calls `body` with the value under `key`, in place, and returns what it returns; nil when the file has no such key, too.
  ///
  ///     try reader.withValue(forKey: "8.8.8.8") { $0["org"]?.string }   // "Google LLC"
  ///     try reader.withValue(forKey: "8.8.8.8") { $0["org"]?.int }      // nil: it is no integer
  ///     try reader.withValue(forKey: "nowhere") { $0["org"]?.string }   // nil
  ///
  /// - Throws: as ``view(forKey:)-(RawSpan)``, also when the file shrank while `body` ran; and what `body` throws.
  /// - Complexity: O(heads of the value).
  @inlinable
  public func withValue<Result>(forKey key: RawSpan, _ body: (FuseView) throws -> Result?) throws -> Result? {
    if isCompact { return try withRow(forKey: key, body) }
    guard let value = try view(forKey: key) else { return nil }
    let result = try body(value)
    try checkNotShrunk()
    return result
  }

  /// Calls `body` with the value under `key`, in place, and returns what it returns; nil when the file has no such key, too.
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

  /// Looks all `keys` up and calls `body` for each, in their order, with its number and its value in place, or nil where the
  /// file has no such key; see ``withBytes(forKeys:_:)``.
  ///
  ///     try reader.withValues(forKeys: ["8.8.8.8", "nowhere"]) { number, value in
  ///       print(number, value?["asn"]?.int ?? 0)   // 0 15169, then 1 0
  ///     }
  ///
  /// - Throws: as ``withBytes(forKeys:_:)`` and ``view(forKey:)-(RawSpan)``, at the first key whose answer is damaged;
  ///   and what `body` throws.
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

  /// The same where `body` throws nothing but ``FuseError``, and says so: `{ (number, value) throws(FuseError) in … }`.
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

  /// The value that an object of this file is.
  @inlinable
  @inline(__always)
  @_lifetime(copy object)
  package func view(of object: RawSpan) throws(FuseError) -> FuseView {
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
      throw noValue(error)
    }
  }

  /// The error of an object that is no value, of which `error` says why.
  package func noValue(_ error: FuseError) -> FuseError {
    unlessShrunk(
      FuseError(
        .invalidValue, "the object is no value: \(error.message); 'fusedb verify' lists the damage",
        offset: error.offset, codingPath: ""))
  }
}
