public import FuseDBFormat
internal import FuseDBSystem
public import FuseDBValues

extension FuseReader {
  /// The object under `key` as a typed value, or nil when the file has no such key.
  ///
  ///     struct Org: Codable { var name: String; var asn: UInt32? }
  ///     try reader.value(Org.self, forKey: "8.8.8.8")   // Org(name: "Google LLC", asn: 15169)
  ///
  /// Members that `Value` does not ask for are passed over. For one or two members, ``withValue(forKey:_:)-(RawSpan,_)`` is
  /// quicker.
  ///
  /// - Throws: ``FuseError`` as ``bytes(forKey:)-(RawSpan)``; with code `invalidValue`, the coding path and the offset
  ///   in the object, when that is no such value: see ``FuseDecoder/decode(_:from:)-(_,RawSpan)``. And what `Value`
  ///   itself throws.
  /// - Complexity: O(bytes of the object).
  public func value<Value: Decodable>(
    _ type: Value.Type = Value.self, forKey key: RawSpan, decoder: FuseDecoder = FuseDecoder()
  ) throws -> Value? {
    if shardSet != nil {
      return try withBytes(forKey: key) { object in
        let view = try view(of: object)
        return try value(type, of: view, key: key, decoder)
      }
    }
    if isCompact {
      // What is expanded is a value, since nothing else is made of a row.
      return try withBytes(forKey: key) { try value(type, of: FuseView(validated: $0), key: key, decoder) }
    }
    guard let view = try view(forKey: key) else { return nil }
    return try value(type, of: view, key: key, decoder)
  }

  /// The object under `key` as a typed value, or nil when the file has no such key.
  ///
  /// - Throws: as ``value(_:forKey:decoder:)-(_,RawSpan,_)``.
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

  /// The value under `key`, whatever it is; nil when the file has no such key.
  ///
  ///     try reader["8.8.8.8"]?["org"]?.string   // "Google LLC"
  ///     try reader[42] == nil                   // true: there is no key "42"
  ///
  /// It is the shortest way to an answer, and not the quickest, for it reads all of the object and allocates what that has. For
  /// one field, ``withValue(forKey:_:)-(RawSpan,_)`` reads that alone.
  ///
  /// - Throws: as ``view(forKey:)-(RawSpan)``.
  /// - Complexity: O(bytes of the object).
  public subscript(key: some FuseKey) -> FuseValue? {
    get throws(FuseError) {
      guard let keyBytes = key.bytesInPlace else { return try self[key.keySpelling] }
      defer { keyBytes.hold() }
      return try anyValue(forKey: keyBytes)
    }
  }

  @inline(never)
  private func anyValue(forKey key: RawSpan) throws(FuseError) -> FuseValue? {
    if isCompact { return try anyExpandedValue(forKey: key) }
    guard let view = try view(forKey: key) else { return nil }
    let value = FuseValue(validated: view.messagePack)
    try checkNotShrunk()
    return value
  }

  private func anyExpandedValue(forKey key: RawSpan) throws(FuseError) -> FuseValue? {
    do {
      return try withBytes(forKey: key) { object in
        // In a set, not all shards are compact.
        if shardSet != nil { _ = try view(of: object) }
        return FuseValue(validated: object)
      }
    } catch let error as FuseError {
      throw error
    } catch { fatalError("what expands throws nothing else") }
  }

  /// The objects under `keys` as typed values, in the order of the keys; nil where the file has no such key. The
  /// look-ups wait for memory together; see ``withBytes(forKeys:_:)``.
  ///
  /// - Throws: as ``value(_:forKey:decoder:)-(_,RawSpan,_)``, at the first key whose object is none.
  /// - Complexity: O(keys and bytes of their objects).
  @inlinable
  public func values<Value: Decodable, Keys: RandomAccessCollection>(
    _ type: Value.Type = Value.self, forKeys keys: Keys, decoder: FuseDecoder = FuseDecoder()
  ) throws -> [Value?] where Keys.Element: FuseKey {
    var values: [Value?] = []
    values.reserveCapacity(keys.count)
    var index = keys.startIndex
    try withBytes(forKeys: keys) { _, object in
      if let object {
        let key = keys[index].keySpelling
        values.append(try value(type, of: view(of: object), key: key.keyBytes, decoder))
      } else {
        values.append(nil)
      }
      keys.formIndex(after: &index)
    }
    return values
  }

  /// The typed value that `view` is, the object under `key`.
  @usableFromInline
  package func value<Value: Decodable>(
    _ type: Value.Type, of view: FuseView, key: RawSpan, _ decoder: FuseDecoder
  ) throws -> Value {
    let value: Value
    do {
      value = try decoder.decode(type, from: view)
    } catch let error as FuseError {
      throw refusal(error, ofKey: key)
    }
    try checkNotShrunk()
    return value
  }

  /// `error`, with the file and the key whose object it found wrong.
  private func refusal(_ error: FuseError, ofKey key: RawSpan) -> FuseError {
    guard error.code == .invalidValue else { return error }
    return unlessShrunk(
      FuseError(
        .invalidValue, "\(error.message), in the object under \(quoted(key))", offset: error.offset,
        codingPath: error.codingPath))
  }
}
