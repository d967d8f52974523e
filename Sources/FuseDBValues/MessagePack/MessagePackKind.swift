package import FuseDBFormat

/// What a value is, for those who show it in a way of their own.
package enum MessagePackKind: Equatable {
  case null
  /// A string, and where its text stands.
  case string(Range<Int>)
  case other

  /// Looks at the head of `messagePack`.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when that is cut short.
  package init(of messagePack: RawSpan) throws(FuseError) {
    var cursor = MessagePackCursor(messagePack)
    switch try cursor.readHead() {
    case .null: self = .null
    case .string(let byteCount): self = .string(cursor.offset..<cursor.offset + byteCount)
    default: self = .other
    }
  }
}
