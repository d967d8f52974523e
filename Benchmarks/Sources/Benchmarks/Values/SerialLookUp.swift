import CMeasure

/// A look-up that begins when the one before has ended, as in a service that does something else between the two.
struct SerialLookUp<Other: LookUp>: LookUp {
  let other: Other

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    wait_for_all_before()
    return try other.touch(key)
  }
}
