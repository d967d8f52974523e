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
