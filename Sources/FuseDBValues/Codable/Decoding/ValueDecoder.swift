internal import FuseDBFormat

/// What a value is given to decode itself from.
///
/// It and its containers but one fit into their existential types without an allocation.
struct ValueDecoder: Decoder {
  let state: DecodingState
  /// Where the value begins.
  let offset: Int

  var codingPath: [any CodingKey] { state.codingPath(to: offset) }
  var userInfo: [CodingUserInfoKey: Any] { state.decoder.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    let head = state.head(at: offset)
    guard head.kind == .map else {
      throw state.mismatch(KeyedDecodingContainer<Key>.self, at: offset, expected: "a map")
    }
    do throws(EqualKeys) {
      let table = try MemberTable.ofMembers(head.count, from: head.end, in: state.bytes)
      return KeyedDecodingContainer(
        KeyedContainer(
          state: state, offset: offset, first: head.end, memberCount: head.count, depth: state.depth, table: table))
    } catch {
      throw state.doubled(error.offset, in: offset)
    }
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let head = state.head(at: offset)
    guard head.kind == .array else {
      throw state.mismatch((any UnkeyedDecodingContainer).self, at: offset, expected: "an array")
    }
    return UnkeyedContainer(
      state: state, offset: UInt32(offset), next: UInt32(head.end), index: 0, elementCount: UInt32(head.count))
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { SingleContainer(decoder: self) }
}

// The generic functions below stand for a requirement for each scalar type too, and are compiled for each. Those for
// which the standard library has a default are in another file.

extension ValueDecoder {
  struct KeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let state: DecodingState
    /// Where the map begins, and where its first key.
    let offset: Int
    let first: Int
    let memberCount: Int
    let depth: Int
    /// Of a map of many members.
    let table: MemberTable?

    var codingPath: [any CodingKey] { state.codingPath(to: offset) }

    var allKeys: [Key] {
      var keys: [Key] = []
      var next = first
      // Fewer are there only if the bytes were changed, or the value is decoded.
      for _ in 0..<memberCount {
        let head = state.head(at: next)
        if head.kind == .nothing { break }
        if let text = state.text(head) {
          if let key = Key(stringValue: text) { keys.append(key) }
        } else if let number = head.integer(Int.self), let key = Key(intValue: number) {
          keys.append(key)
        }
        next = state.end(ofValueAt: state.end(ofValueAt: next))
      }
      return keys
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { state.isNull(at: try value(key)) }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try decodeAny(type, key) }

    @inline(__always)
    func decodeAny<T: Decodable>(_ type: T.Type, _ key: Key) throws -> T {
      try state.decode(type, at: try value(key))
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? { try decodeUnlessNil(type, key) }

    @inline(__always)
    func decodeUnlessNil<T: Decodable>(_ type: T.Type, _ key: Key) throws -> T? {
      guard let value = find(key), !state.isNull(at: value) else { return nil }
      return try state.decode(type, at: value)
    }

    func nestedContainer<NestedKey: CodingKey>(
      keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
      try decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
      try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try decoder(PathKey.superclass) }

    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

    private func decoder(_ key: some CodingKey) throws -> ValueDecoder {
      ValueDecoder(state: state, offset: try value(key))
    }

    @inline(__always)
    private func value(_ key: some CodingKey) throws -> Int {
      guard let value = find(key) else { throw state.missing(key, in: offset) }
      return value
    }

    @inline(__always)
    private func find(_ key: some CodingKey) -> Int? {
      let name = key.stringValue
      let keyBytes = name.keyBytes
      defer { keyBytes.hold() }
      if let table { return table.value(of: keyBytes, number: key.intValue, in: state.bytes) }
      return state.value(of: keyBytes, number: key.intValue, first: first, count: memberCount, depth: depth)
    }
  }

  struct UnkeyedContainer: UnkeyedDecodingContainer {
    let state: DecodingState
    /// Where the array begins, and the next element.
    let offset: UInt32
    var next: UInt32
    var index: UInt32
    let elementCount: UInt32

    var codingPath: [any CodingKey] { state.codingPath(to: Int(offset)) }
    var count: Int? { Int(elementCount) }
    /// Also where the bytes end, as they do before the elements only if they were changed, or the value is decoded.
    var isAtEnd: Bool { index >= elementCount || Int(next) >= state.bytes.byteCount }
    var currentIndex: Int { Int(index) }

    mutating func decodeNil() throws -> Bool {
      guard state.isNull(at: try elementOffset(Never?.self)) else { return false }
      advance()
      return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try decodeAny(type) }

    @inline(__always)
    mutating func decodeAny<T: Decodable>(_ type: T.Type) throws -> T {
      let value = try state.decode(type, at: try elementOffset(type))
      advance()
      return value
    }

    mutating func decodeIfPresent<T: Decodable>(_ type: T.Type) throws -> T? {
      if try isAtEnd || decodeNil() { return nil }
      return try decode(type)
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
      keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
      let container = try decoder().container(keyedBy: type)
      advance()
      return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
      let container = try decoder().unkeyedContainer()
      advance()
      return container
    }

    mutating func superDecoder() throws -> any Decoder {
      let decoder = try decoder()
      advance()
      return decoder
    }

    private func decoder() throws -> ValueDecoder {
      ValueDecoder(state: state, offset: try elementOffset((any Decoder).self))
    }

    private func elementOffset(_ type: Any.Type) throws -> Int {
      guard !isAtEnd else { throw state.noElement(type, in: Int(offset), count: Int(elementCount)) }
      return Int(next)
    }

    private mutating func advance() {
      next = UInt32(state.end(ofValueAt: Int(next)))
      index += 1
    }
  }

  struct SingleContainer: SingleValueDecodingContainer {
    let decoder: ValueDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.state.isNull(at: decoder.offset) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T { try decodeAny(type) }

    @inline(__always)
    func decodeAny<T: Decodable>(_ type: T.Type) throws -> T { try decoder.state.decode(type, at: decoder.offset) }
  }
}

// Where the standard library has a default for a type, it prefers that to a generic function: so these are written down. Its
// defaults search for an optional member three times, and refuse integers of 128 bits.

extension ValueDecoder.KeyedContainer {
  func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: Int128.Type, forKey key: Key) throws -> Int128? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try decodeUnlessNil(type, key) }
  func decodeIfPresent(_ type: UInt128.Type, forKey key: Key) throws -> UInt128? { try decodeUnlessNil(type, key) }
  func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try decodeAny(type, key) }
  func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try decodeAny(type, key) }
}

extension ValueDecoder.UnkeyedContainer {
  mutating func decode(_ type: Int128.Type) throws -> Int128 { try decodeAny(type) }
  mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try decodeAny(type) }
}

extension ValueDecoder.SingleContainer {
  func decode(_ type: Int128.Type) throws -> Int128 { try decodeAny(type) }
  func decode(_ type: UInt128.Type) throws -> UInt128 { try decodeAny(type) }
}
