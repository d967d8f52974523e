/// What can serve as a key: text, taken as its UTF-8 bytes, or bytes.
///
/// Keys are byte strings of 0 to 65,535 bytes, compared byte by byte without any normalization. See spec/format.md §5.
public protocol FuseKey {
  /// Calls `body` with the key's bytes, which live until it returns.
  func withKeyBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result
}

extension String: FuseKey {
  /// Calls `body` with the text's UTF-8 bytes.
  @inlinable
  public func withKeyBytes<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: a UInt8 has no padding that could be read.
    try unsafe body(utf8Span.span.bytes)
  }
}

extension Substring: FuseKey {
  /// Calls `body` with the text's UTF-8 bytes.
  @inlinable
  public func withKeyBytes<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: a UInt8 has no padding that could be read.
    try unsafe body(utf8Span.span.bytes)
  }
}

extension [UInt8]: FuseKey {
  /// Calls `body` with the array's bytes.
  @inlinable
  public func withKeyBytes<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: a UInt8 has no padding that could be read.
    try unsafe body(span.bytes)
  }
}

extension ArraySlice<UInt8>: FuseKey {
  /// Calls `body` with the slice's bytes.
  @inlinable
  public func withKeyBytes<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: a UInt8 has no padding that could be read.
    try unsafe body(span.bytes)
  }
}
