internal import FuseDBFormat

/// What a value is given to encode itself to.
///
/// Three words, so that it fits into `any Encoder` without an allocation.
struct ValueEncoder: Encoder {
  let state: EncodingState
  /// Which of the values under way it is for.
  let frame: Int

  var codingPath: [any CodingKey] { state.codingPath(ofFrame: frame) }
  var userInfo: [CodingUserInfoKey: Any] { state.encoder.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    state.open(keyedBy: type, frame)
    return KeyedEncodingContainer(KeyedContainer(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    state.open(.unkeyed, frame)
    return UnkeyedContainer(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { SingleContainer(encoder: self) }
}

// The generic functions below stand for a requirement for each scalar type too, and are compiled for each. Those for
// which the standard library has a default are in another file.

extension ValueEncoder {
  struct KeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil(forKey key: Key) throws {
      try encoder.state.appendMember(encoder.frame, key: key.stringValue) { encoder.state.packer.packNull() }
    }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try encodeAny(value, key) }

    @inline(__always)
    func encodeAny<T: Encodable>(_ value: T, _ key: Key) throws {
      try encoder.state.appendMember(encoder.frame, key: key.stringValue) {
        try encoder.state.append(value, at: .key(key))
      }
    }

    func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws { try encodeOrNil(value, key) }

    @inline(__always)
    func encodeOrNil<T: Encodable>(_ value: T?, _ key: Key) throws {
      if let value { try encodeAny(value, key) } else { try encodeNil(forKey: key) }
    }

    func nestedContainer<NestedKey: CodingKey>(
      keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
      part(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { part(key).unkeyedContainer() }

    func superEncoder() -> any Encoder { part(PathKey.superclass) }

    func superEncoder(forKey key: Key) -> any Encoder { part(key) }

    private func part(_ key: some CodingKey) -> ValueEncoder {
      encoder.state.addPart(encoder.frame, key: key.stringValue, at: .key(key))
    }
  }

  struct UnkeyedContainer: UnkeyedEncodingContainer {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.state.count(ofFrame: encoder.frame) }

    func encodeNil() throws {
      try encoder.state.appendMember(encoder.frame) { encoder.state.packer.packNull() }
    }

    func encode<T: Encodable>(_ value: T) throws { try encodeAny(value) }

    @inline(__always)
    func encodeAny<T: Encodable>(_ value: T) throws {
      try encoder.state.appendMember(encoder.frame) { try encoder.state.append(value, at: .index(count)) }
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
      part().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { part().unkeyedContainer() }

    func superEncoder() -> any Encoder { part() }

    private func part() -> ValueEncoder { encoder.state.addPart(encoder.frame, at: .index(count)) }
  }

  struct SingleContainer: SingleValueEncodingContainer {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil() throws {
      try encoder.state.appendSingle(encoder.frame) { encoder.state.packer.packNull() }
    }

    func encode<T: Encodable>(_ value: T) throws { try encodeAny(value) }

    @inline(__always)
    func encodeAny<T: Encodable>(_ value: T) throws {
      try encoder.state.appendSingle(encoder.frame) { try encoder.state.append(value, at: nil) }
    }
  }
}

// Where the standard library has a default for a type, it prefers that to a generic function: so these are written down. Its
// defaults leave absent scalars out, and refuse integers of 128 bits.

extension ValueEncoder.KeyedContainer {
  func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: String?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: Int128?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encodeIfPresent(_ value: UInt128?, forKey key: Key) throws { try encodeOrNil(value, key) }
  func encode(_ value: Int128, forKey key: Key) throws { try encodeAny(value, key) }
  func encode(_ value: UInt128, forKey key: Key) throws { try encodeAny(value, key) }
}

extension ValueEncoder.UnkeyedContainer {
  func encode(_ value: Int128) throws { try encodeAny(value) }
  func encode(_ value: UInt128) throws { try encodeAny(value) }
}

extension ValueEncoder.SingleContainer {
  func encode(_ value: Int128) throws { try encodeAny(value) }
  func encode(_ value: UInt128) throws { try encodeAny(value) }
}
