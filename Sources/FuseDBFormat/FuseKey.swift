internal import CFuseIntrinsics

/// What can serve as a key: text, bytes, integers, a ``FuseUUID``, and types of yours that say which of these they are.
///
/// Keys are byte strings of 0 to 65,535 bytes, compared byte by byte without any normalization. See spec/format.md §5. Each
/// type has one spelling, which the command and programs in other languages find too; see spec/values.md §8:
///
///     try reader.contains(42)                    // the key "42"
///     try reader.contains([0xFF, 0x00])          // two bytes
///
/// A type of your own, or of another library, conforms in a line:
///
///     extension Data: @retroactive FuseKey { public var keySpelling: [UInt8] { Array(self) } }
///     extension UUID: @retroactive FuseKey { public var keySpelling: FuseKeyText { FuseUUID(bytes: uuid).keySpelling } }
///     enum Country: String, FuseKey { case de, fr }            // by its raw value
public protocol FuseKey {
  /// Text or bytes: `String`, `[UInt8]`, ``FuseKeyText``.
  associatedtype KeySpelling: FuseKeyBytes
  /// The text or the bytes that this key is in a file.
  var keySpelling: KeySpelling { get }
  /// The key's bytes where it has them in memory; nil for all types but those that are ``FuseKeyBytes``, which need not say it.
  ///
  /// It saves look-ups a copy of the spelling, which would count a reference.
  var bytesInPlace: RawSpan? { @_lifetime(borrow self) get }
}

extension FuseKey {
  /// Nil.
  @inlinable
  @inline(__always)
  public var bytesInPlace: RawSpan? {
    @_lifetime(borrow self)
    get { nil }
  }
}

/// A key that has its bytes in memory: text, taken as its UTF-8 bytes, or bytes.
///
/// A type of your own conforms where the compiler's experimental feature `Lifetimes` is enabled. ``FuseKey`` needs no such.
public protocol FuseKeyBytes: FuseKey where KeySpelling == Self {
  /// The key's bytes, in place.
  var keyBytes: RawSpan { @_lifetime(borrow self) get }
}

extension FuseKeyBytes {
  /// The key itself.
  @inlinable
  @inline(__always)
  public var keySpelling: Self { self }

  /// The key's bytes.
  @inlinable
  @inline(__always)
  public var bytesInPlace: RawSpan? {
    @_lifetime(borrow self)
    get { keyBytes }
  }
}

extension FuseKey where Self: RawRepresentable, RawValue: FuseKey {
  /// That of the raw value.
  @inlinable
  public var keySpelling: RawValue.KeySpelling { rawValue.keySpelling }
}

extension String: FuseKeyBytes {
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

extension Substring: FuseKeyBytes {
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

extension [UInt8]: FuseKey {}

extension [UInt8]: FuseKeyBytes {
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

extension ArraySlice<UInt8>: FuseKey {}

extension ArraySlice<UInt8>: FuseKeyBytes {
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

extension FuseKeyBytes {
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
