internal import FuseDBFormat

/// What a value is.
public enum FuseValueKind: Sendable, Hashable {
  /// Nil.
  case null
  /// True or false.
  case bool
  /// An integer of any width and either sign: one type.
  case integer
  /// A float of 32 bits.
  case float
  /// A float of 64 bits.
  case double
  /// Text, in most cases: its bytes may be no UTF-8.
  case string
  /// Bytes that are no text.
  case bytes
  /// Values in order.
  case array
  /// Pairs of a key and a value, in order.
  case map
  /// An extension of type -1 that says a moment.
  case timestamp
  /// Any other extension.
  case `extension`
}
