internal import FuseDBFormat

/// Makes typed values of MessagePack. See spec/values.md.
///
///     struct Org: Codable { var name: String; var asn: UInt32? }
///     try FuseDecoder().decode(Org.self, from: bytes)   // Org(name: "Google LLC", asn: 15169)
///
/// The bytes are checked as a whole first, and then read where they are: no tree of them is made. What a type does not
/// ask for is passed over. Nothing is converted in silence: a number has to fit its type exactly, a text has to be
/// UTF-8. Only a whole number may stand where a `Double` or a `Float` is asked for, if that holds it exactly.
public struct FuseDecoder: Sendable {
  /// How Foundation's `Date` is read.
  public var dates: FuseDateStrategy
  /// What types may ask for in `init(from:)`.
  public var userInfo: [CodingUserInfoKey: any Sendable]

  /// A decoder that reads dates as MessagePack's timestamps.
  public init(dates: FuseDateStrategy = .timestamp, userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
    self.dates = dates
    self.userInfo = userInfo
  }

  /// The typed value of `messagePack`, which has to be exactly one value.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue`, the offset in `messagePack` and the coding path when the bytes are no
  ///   value, or not one of that type: a member is missing or of another type, a number does not fit, a text is not UTF-8, a
  ///   name stands twice in a map; and what the types themselves throw that is no `DecodingError`.
  /// - Complexity: O(bytes); for a type that asks for its members in another order than they stand in, O(members) for
  ///   each. Beside the value itself it allocates no more than 12 bytes for each member of maps inside each other.
  public func decode<Value: Decodable>(_ type: Value.Type, from messagePack: RawSpan) throws -> Value {
    try MessagePackCursor.validate(messagePack)
    return try decode(type, fromValid: messagePack)
  }

  /// The typed value of `messagePack`, which has to be exactly one value.
  ///
  /// - Throws: as ``decode(_:from:)-(_,RawSpan)``.
  public func decode<Value: Decodable>(_ type: Value.Type, from messagePack: [UInt8]) throws -> Value {
    try decode(type, from: messagePack.rawSpan)
  }

  /// The typed value of a view.
  ///
  /// - Throws: as ``decode(_:from:)-(_,RawSpan)``; offset and coding path begin at the view.
  public func decode<Value: Decodable>(_ type: Value.Type, from view: FuseView) throws -> Value {
    try decode(type, fromValid: view.plain.base)
  }

  /// The typed value at the beginning of bytes that were validated.
  func decode<Value: Decodable>(_ type: Value.Type, fromValid messagePack: RawSpan) throws -> Value {
    // Offsets in it have 32 bits.
    guard messagePack.byteCount <= FormatLimits.objectByteCount else {
      throw FuseError(
        .limitExceeded, "the value has \(messagePack.byteCount) bytes, and \(FormatLimits.objectByteCount) can be read")
    }
    // SAFETY: the state forgets the bytes before this returns, so that a decoder that is kept finds none.
    return try unsafe messagePack.withUnsafeBytes { bytes in
      let state = unsafe DecodingState(self, bytes)
      defer { state.end() }
      do {
        return try state.decode(type, at: 0)
      } catch let error as DecodingError {
        throw state.fuseError(error)
      }
    }
  }
}

extension FuseView {
  /// The typed value that this is.
  ///
  ///     try reader.withValue(forKey: "8.8.8.8") { try $0["geo"]?.decode(Geo.self) }
  ///
  /// - Throws: as ``FuseDecoder/decode(_:from:)-(_,FuseView)``.
  public func decode<Value: Decodable>(_ type: Value.Type, decoder: FuseDecoder = FuseDecoder()) throws -> Value {
    try decoder.decode(type, from: self)
  }
}
