/// `value` as what it is, if its type is `Other` itself: a comparison of two addresses, and none where the compiler knows `T`.
@inlinable
@inline(__always)
package func exactly<T, Other>(_ value: T, _: Other.Type) -> Other? {
  // SAFETY: the two types are one.
  T.self == Other.self ? unsafe unsafeBitCast(value, to: Other.self) : nil
}
