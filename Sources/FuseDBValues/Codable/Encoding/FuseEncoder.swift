internal import FuseDBFormat

/// Makes MessagePack of typed values. See spec/values.md.
///
///     struct Org: Codable { var name: String; var asn: UInt32? }
///     try FuseEncoder().encode(Org(name: "Google LLC", asn: 15169))   // {"name":"Google LLC","asn":15169}
///
/// The bytes are those of Python's `msgpack.packb` and of Rust's `rmp_serde::to_vec_named`: every integer, length and count
/// in its shortest encoding, the members of a type in their order with their names, an absent optional as nil, `Double` as
/// float64, `Float` as float32, `Data` and `[UInt8]` as bin. What has no order of its own, a dictionary or a set, is
/// written in ascending order, so that equal values give equal bytes.
///
/// A type, such as a property wrapper, that hands its encoder on to a set by `try set.encode(to: encoder)` gets what
/// the standard library makes of it, whose order is another one in each process. `encoder.singleValueContainer()` keeps
/// the order.
public struct FuseEncoder: Sendable {
  /// How Foundation's `Date` is written.
  public var dates: FuseDateStrategy
  /// What types may ask for in `encode(to:)`.
  public var userInfo: [CodingUserInfoKey: any Sendable]

  /// An encoder that writes dates as MessagePack's timestamps.
  public init(dates: FuseDateStrategy = .timestamp, userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
    self.dates = dates
    self.userInfo = userInfo
  }

  /// The MessagePack bytes of `value`: one value.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` and the coding path when a part of `value` cannot be said in
  ///   MessagePack (an integer beyond 64 bits, a type that encodes nothing, more than 128 arrays and maps inside each
  ///   other); and what the types of `value` throw that is no `EncodingError`.
  /// - Complexity: O(bytes).
  public func encode(_ value: some Encodable) throws -> [UInt8] {
    try withMessagePack(of: value) { bytes in
      try MessagePackCursor.validate(bytes)
      return bytes.array()
    }
  }

  /// Calls `body` with the bytes of `value`, which may be nested too deep.
  package func withMessagePack<Result>(of value: some Encodable, _ body: (RawSpan) throws -> Result) throws -> Result {
    let state = EncodingState(self)
    do {
      try state.append(value, at: nil)
    } catch let error as EncodingError {
      throw FuseError(error)
    }
    let packer = state.packer
    return try body(packer.bytes)
  }
}

extension FuseError {
  fileprivate init(_ error: EncodingError) {
    guard case .invalidValue(_, let context) = error else {
      self.init(.invalidValue, "\(error)")
      return
    }
    self.init(.invalidValue, context.debugDescription, codingPath: Self.text(of: context.codingPath))
  }
}
