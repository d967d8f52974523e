internal import CFuseIntrinsics

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

extension FuseKey {
  /// Whether these are the key's bytes.
  package func hasBytes(_ other: RawSpan) -> Bool {
    let keyBytes = keyBytes
    defer { keyBytes.hold() }
    return keyBytes.equals(other)
  }
}

extension RawSpan {
  /// Keeps the bytes alive up to here. Call it after passing the bytes of a key to another function.
  ///
  /// A short text has no memory but that of the function that asks for its bytes. Swift 6.3 lets the optimizer take a call
  /// that is a function's last step for a jump, after which that memory is another's: the bytes that were handed on
  /// with it are no longer the key's.
  @usableFromInline
  @inline(never)
  package func hold() {
    // SAFETY: nothing is read.
    unsafe withUnsafeBytes { unsafe fuse_hold($0.baseAddress) }
  }
}
