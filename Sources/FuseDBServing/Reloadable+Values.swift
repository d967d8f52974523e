// Typed values, asked of the newest file.
public import FuseDBFormat
public import FuseDBReading
public import FuseDBValues

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
    let keyBytes = key.keyBytes
    defer { keyBytes.hold() }
    return try value(type, forKey: keyBytes, decoder: decoder)
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
