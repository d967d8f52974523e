package import FuseDBFormat

extension MessagePackCursor {
  /// Reads a string and returns its text; passes over any other value and returns nil.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  package mutating func readText() throws(FuseError) -> RawSpan? {
    let start = offset
    guard case .string(let byteCount) = try readHead() else {
      self = MessagePackCursor(bytes, at: start)
      try skipValue()
      return nil
    }
    return readPayload(byteCount: byteCount)
  }
}
