public import CFuseChecksum
internal import CXXHash
internal import CZlib

/// CRC-32 as zlib and PNG use it: reflected polynomial 0xEDB88320, initial value and final inversion all ones. See
/// spec/format.md §2.
///
/// The check value of "123456789" is 0xCBF43926; of no bytes, 0.
@usableFromInline package struct Checksum: Sendable {
  /// The checksum of the bytes so far.
  @usableFromInline package private(set) var value: UInt32

  /// Continues after bytes whose checksum is `value`: 0 for no bytes.
  @inlinable
  package init(continuing value: UInt32 = 0) { self.value = value }

  /// The checksum of `bytes` alone.
  @inlinable
  @inline(__always)
  package static func of(_ bytes: RawSpan) -> UInt32 {
    // SAFETY: the library reads exactly the span's bytes.
    unsafe bytes.withUnsafeBytes { unsafe fuse_crc32(0, $0.baseAddress, $0.count) }
  }

  /// Continues over `bytes`.
  @inlinable
  package mutating func update(_ bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return }
    // SAFETY: the library reads exactly the span's bytes; an empty one, whose nil address would reset it, was turned
    // away.
    value = unsafe bytes.withUnsafeBytes { unsafe fuse_crc32(value, $0.baseAddress, $0.count) }
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

extension Checksum {
  private static let polynomial: UInt32 = 0xEDB8_8320

  /// The four bytes that go between bytes with the checksum `start` and the bytes `suffix`, so that the checksum of all is
  /// `end`.
  ///
  /// The step of a CRC over one bit can be undone. So the register is taken back from the end, over the suffix and the four
  /// bytes. Its difference from the register after `start` is those bytes. See spec/extension.md §3, note.
  static func balance(from start: UInt32, to end: UInt32, before suffix: [UInt8]) -> [UInt8] {
    var register = ~end
    for byte in suffix.reversed() {
      register = undoing(8, from: register) ^ UInt32(byte)
    }
    let bytes = undoing(32, from: register) ^ ~start
    // The register takes the first byte in at its low end.
    return (0..<4).map { UInt8(truncatingIfNeeded: bytes >> (8 * $0)) }
  }

  private static func undoing(_ steps: Int, from register: UInt32) -> UInt32 {
    var register = register
    for _ in 0..<steps {
      register = register >> 31 == 1 ? (register ^ polynomial) << 1 | 1 : register << 1
    }
    return register
  }
}

/// XXH3-64 of bytes that come in pieces: what ``RawSpan/hash(seed:)`` gives for all of them at once.
@safe
package struct RunningHash: ~Copyable {
  // SAFETY: made in init, freed in deinit.
  private let state: UnsafeMutableRawPointer

  package init(seed: UInt64) throws(FuseError) {
    // SAFETY: the library gives a state or nil, and nil is turned away.
    guard let state = unsafe fuse_xxh3_64_begin(seed) else {
      throw .outOfMemory("allocate a hash")
    }
    unsafe self.state = state
  }

  // SAFETY: a hash is not copied, so nothing else uses the state that is freed.
  deinit { unsafe fuse_xxh3_64_end(state) }

  /// Continues over `bytes`.
  package mutating func update(_ bytes: RawSpan) {
    // SAFETY: the library reads exactly the span's bytes.
    unsafe bytes.withUnsafeBytes { unsafe fuse_xxh3_64_continue(state, $0.baseAddress, $0.count) }
  }

  // SAFETY: the state is there until deinit, and asking for the value changes nothing.
  /// The hash of the bytes so far.
  package var value: UInt64 { unsafe fuse_xxh3_64_value(state) }
}
