internal import FuseDB

extension [UInt8] {
  /// Appends a copy of bytes.
  @inline(__always)
  mutating func append(_ bytes: RawSpan) {
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
