public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
public import FuseDBValues

extension FuseWriter {
  /// Adds a typed value as an object and points each of `keys` at it.
  ///
  ///     struct Org: Codable { var name: String; var asn: UInt32? }
  ///     try writer.add(["8.8.8.8", "8.8.4.4"], Org(name: "Google LLC", asn: 15169))
  ///
  /// An array of bytes is a value too, and is added as bin; an object that is MessagePack already is added by
  /// ``add(_:messagePack:)``.
  ///
  /// - Parameter encoder: how the value is written; see ``FuseEncoder``.
  /// - Throws: as ``addObject(encoding:encoder:)`` and ``addKey(_:for:)-(RawSpan,_)``; keys before the one that was
  ///   refused stay added.
  /// - Complexity: O(bytes), amortized.
  @discardableResult
  public func add(
    _ keys: some Sequence<some FuseKey>, _ value: some Encodable, encoder: FuseEncoder = FuseEncoder()
  ) throws -> ObjectID {
    let object = try addObject(encoding: value, encoder: encoder)
    for key in keys { try addKey(key, for: object) }
    return object
  }

  /// Adds a typed value as an object and points `key` at it.
  ///
  /// - Throws: as ``add(_:_:encoder:)-(Sequence,_,_)``.
  /// - Complexity: O(bytes), amortized.
  @discardableResult
  public func add(
    _ key: some FuseKey, _ value: some Encodable, encoder: FuseEncoder = FuseEncoder()
  ) throws -> ObjectID {
    let object = try addObject(encoding: value, encoder: encoder)
    try addKey(key, for: object)
    return object
  }

  /// Adds a typed value as an object.
  ///
  /// - Returns: what to pass to ``addKey(_:for:)-(FuseKey,_)``. With ``Sharing/identicalObjects``, equal values give
  ///   the same one.
  /// - Throws: ``FuseError`` with code `invalidValue` and the coding path when the value cannot be said in MessagePack; as
  ///   ``addObject(_:)-(RawSpan)`` otherwise. And what the value's types throw. The writer is as before then.
  /// - Complexity: O(bytes), amortized.
  public func addObject(encoding value: some Encodable, encoder: FuseEncoder = FuseEncoder()) throws -> ObjectID {
    try encoder.withMessagePack(of: value) { bytes in try addObject(bytes) }
  }
}
