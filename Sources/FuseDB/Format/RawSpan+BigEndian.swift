// The one place where integers and comparisons are taken from raw bytes. The format is big-endian throughout (spec/format.md §2).
internal import CXXHash
internal import Glibc

extension RawSpan {
  /// The big-endian integer at `offset`, or nil where it would not fit.
  @inline(__always)
  func load<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T? {
    guard offset >= 0, byteCount >= MemoryLayout<T>.size, offset <= byteCount &- MemoryLayout<T>.size else { return nil }
    // SAFETY: the guard above puts all bytes of T inside the span.
    return T(bigEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
  }

  /// The big-endian integer at `offset`.
  /// - Precondition: it lies inside the span.
  @inline(__always)
  func loadInside<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T {
    T(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The order of two keys: as unsigned bytes, a prefix before what it begins. [I4]
  @inline(__always)
  func compare(_ other: RawSpan) -> Int {
    let shared = min(byteCount, other.byteCount)
    let order = unsafe withUnsafeBytes { left in
      // SAFETY: memcmp reads `shared` bytes of both, and neither is shorter.
      unsafe other.withUnsafeBytes { right in
        shared == 0 ? 0 : Int(unsafe memcmp(left.baseAddress!, right.baseAddress!, shared))
      }
    }
    return order != 0 ? order : byteCount &- other.byteCount
  }

  /// Whether both spans hold the same bytes.
  @inline(__always)
  func equals(_ other: RawSpan) -> Bool {
    byteCount == other.byteCount && compare(other) == 0
  }

  /// Whether this span begins with the bytes of `prefix`.
  @inline(__always)
  func starts(with prefix: RawSpan) -> Bool {
    byteCount >= prefix.byteCount && extracting(first: prefix.byteCount).equals(prefix)
  }

  /// XXH3-64 under `seed`.
  @inline(__always)
  func hash(seed: UInt64) -> UInt64 {
    // SAFETY: the hash reads exactly the span's bytes.
    unsafe withUnsafeBytes { unsafe fuse_xxh3_64($0.baseAddress, $0.count, seed) }
  }

  /// A copy of the bytes.
  func array() -> [UInt8] {
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe withUnsafeBytes { unsafe [UInt8]($0) }
  }
}

extension [UInt8] {
  /// The array's bytes.
  @inline(__always)
  package var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: a UInt8 has no padding that could be read.
      unsafe span.bytes
    }
  }
}
