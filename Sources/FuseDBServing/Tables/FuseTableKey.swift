public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBValues

/// What the keys of a ``FuseTable`` are: what can be asked for, and what the bytes of a key can be made into.
public protocol FuseTableKey: FuseKey {
  /// The key that `keyBytes` are; nil where they are none of this type.
  init?(keyBytes: RawSpan)
}

extension String: FuseTableKey {
  /// The text of a key; nil where it is not UTF-8.
  public init?(keyBytes: RawSpan) {
    self.init(payload: keyBytes)
  }
}

extension [UInt8]: FuseTableKey {
  /// A copy of the key's bytes.
  public init?(keyBytes: RawSpan) { self = keyBytes.array() }
}
