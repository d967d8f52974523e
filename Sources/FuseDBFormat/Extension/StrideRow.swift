/// One row of the section `ORDR`: where a stride of index entries begins, and its checksum. See spec/extension.md §6.
@usableFromInline package enum StrideRow {
  @inlinable package static var byteCount: Int { 12 }
  /// How many entries a stride has; the last may have fewer.
  @inlinable package static var entryCount: Int { 32 }

  /// How many strides so many keys make. [X12]
  package static func count(keyCount: Int) -> Int { (keyCount + entryCount - 1) / entryCount }

  /// The checksum of a stride's entries under its number.
  @inlinable
  @inline(__always)
  package static func checksum(of entries: RawSpan, number: Int) -> UInt32 {
    var checksum = Checksum(continuing: Checksum.ofNumber(UInt64(number)))
    checksum.update(entries)
    return checksum.value
  }
}

extension Checksum {
  /// The checksum of a number's eight bytes.
  @inline(__always)
  @inlinable static func ofNumber(_ number: UInt64) -> UInt32 {
    unsafe withUnsafeBytes(of: number.bigEndian) { bytes in
      // SAFETY: the span ends before the closure does.
      of(unsafe RawSpan(_unsafeBytes: bytes))
    }
  }
}
