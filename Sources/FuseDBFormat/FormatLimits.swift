/// The largest things the format can hold. See spec/format.md §13.
@usableFromInline package enum FormatLimits {
  /// [L1] A key's length stands in 16 bits.
  @inlinable package static var keyByteCount: Int { 0xFFFF }
  /// [L2] An object's length stands in 32 bits.
  @inlinable package static var objectByteCount: Int { 0xFFFF_FFFF }
  /// [L3] Keys are counted in 32 bits, and so are objects.
  @inlinable package static var count: Int { 0xFFFF_FFFF }
  /// [L4] How many arrays and maps of a value may stand inside each other.
  @inlinable package static var nesting: Int { 128 }
}

/// `value` as what it is, if its type is `Other` itself: a comparison of two addresses, and none where the compiler
/// knows `T`.
@inlinable
@inline(__always)
package func exactly<T, Other>(_ value: T, _: Other.Type) -> Other? {
  // SAFETY: the two types are one.
  T.self == Other.self ? unsafe unsafeBitCast(value, to: Other.self) : nil
}
