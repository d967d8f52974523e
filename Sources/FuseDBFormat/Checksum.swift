public import CDeflate
internal import CZlib

/// CRC-32 as zlib and PNG use it: reflected polynomial 0xEDB88320, initial value and final inversion all ones. See
/// spec/format.md §2.
///
/// The check value of "123456789" is 0xCBF43926; of no bytes, 0.
@usableFromInline package struct Checksum {
  /// The checksum of the bytes so far.
  @usableFromInline package private(set) var value: UInt32

  /// Begins after bytes of the checksum `value`; at first there are none, and theirs is 0.
  @inlinable
  package init(continuing value: UInt32 = 0) { self.value = value }

  /// The checksum of `bytes` alone.
  @inlinable
  @inline(__always)
  package static func of(_ bytes: RawSpan) -> UInt32 {
    // SAFETY: the library reads exactly the span's bytes.
    unsafe bytes.withUnsafeBytes { unsafe libdeflate_crc32(0, $0.baseAddress, $0.count) }
  }

  /// Continues over `bytes`.
  @inlinable
  package mutating func update(_ bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return }
    // SAFETY: the library reads exactly the span's bytes; an empty one, whose nil address would reset it, was turned
    // away.
    value = unsafe bytes.withUnsafeBytes { unsafe libdeflate_crc32(value, $0.baseAddress, $0.count) }
  }

  /// Continues over `byteCount` bytes of which the checksum alone is `next`.
  ///
  /// - Complexity: O(log byteCount), some 0.3 microseconds: as long as reading 4,000 bytes.
  package mutating func append(_ next: UInt32, byteCount: Int) {
    value = UInt32(truncatingIfNeeded: crc32_combine(UInt(value), UInt(next), byteCount))
  }
}

extension FixedWidthInteger {
  /// `0x` and all digits: how checksums are shown.
  package var hexadecimal: String {
    let digits = String(self, radix: 16)
    return "0x" + String(repeating: "0", count: Self.bitWidth / 4 - digits.count) + digits
  }
}
