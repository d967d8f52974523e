/// What can serve as a key: text, taken as its UTF-8 bytes, or bytes.
///
/// Keys are byte strings of 0 to 65,535 bytes, compared byte by byte without any normalization. See spec/format.md §5.
/// A type of your own conforms where the compiler's experimental feature `Lifetimes` is enabled.
public protocol FuseKey {
  /// The key's bytes, in place.
  var keyBytes: RawSpan { @_lifetime(borrow self) get }
}

extension String: FuseKey {
  /// The text's UTF-8 bytes.
  @inlinable
  public var keyBytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: a UInt8 has no padding that could be read.
      unsafe utf8Span.span.bytes
    }
  }
}

extension Substring: FuseKey {
  /// The text's UTF-8 bytes.
  @inlinable
  public var keyBytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: a UInt8 has no padding that could be read.
      unsafe utf8Span.span.bytes
    }
  }
}

extension [UInt8]: FuseKey {
  /// The array's bytes.
  @inlinable
  public var keyBytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: a UInt8 has no padding that could be read.
      unsafe span.bytes
    }
  }
}

extension ArraySlice<UInt8>: FuseKey {
  /// The slice's bytes.
  @inlinable
  public var keyBytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: a UInt8 has no padding that could be read.
      unsafe span.bytes
    }
  }
}
