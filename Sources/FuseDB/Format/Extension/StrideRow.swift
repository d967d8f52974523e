/// One row of the section `ORDR`: where a stride of index entries begins, and its checksum. See spec/extension.md §6.
struct StrideRow: Equatable, Sendable {
  static let byteCount = 12
  /// How many entries a stride has; the last may have fewer.
  static let entryCount = 32

  var offset: UInt64
  var checksum: UInt32

  /// How many strides so many keys make. [X12]
  static func count(keyCount: Int) -> Int { (keyCount + entryCount - 1) / entryCount }

  /// The checksum of a stride's entries under its number.
  @inline(__always)
  static func checksum(of entries: RawSpan, number: Int) -> UInt32 {
    var checksum = Checksum(continuing: Checksum.ofNumber(UInt64(number)))
    checksum.update(entries)
    return checksum.value
  }
}

extension Checksum {
  /// The checksum of a number's eight bytes.
  @inline(__always)
  fileprivate static func ofNumber(_ number: UInt64) -> UInt32 {
    unsafe withUnsafeBytes(of: number.bigEndian) { bytes in
      // SAFETY: the span ends before the closure does.
      of(unsafe RawSpan(_unsafeBytes: bytes))
    }
  }
}
