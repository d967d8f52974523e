internal import FuseDBFormat

extension String {
  /// Texts of so many bytes are copied to the stack first, which is quicker than looking at them twice.
  private static let mostOnStack = 256

  /// The text that bytes are in UTF-8, or nil where they are none.
  ///
  /// It is a copy that is checked: bytes of a mapped file may change after a check, and a string that is not UTF-8
  /// is read beyond its end.
  @inline(never)
  package init?(payload bytes: RawSpan) {
    guard bytes.byteCount <= Self.mostOnStack else {
      self.init(longPayload: bytes)
      return
    }
    // SAFETY: `copy` has room for all bytes of the span, and is not kept.
    let text: String? = unsafe withUnsafeTemporaryAllocation(byteCount: Self.mostOnStack, alignment: 1) { copy in
      unsafe bytes.withUnsafeBytes { unsafe copy.copyMemory(from: $0) }
      let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: copy[..<bytes.byteCount]))
      guard let text = try? UTF8Span(validating: Span<UInt8>(_bytes: bytes)) else { return nil }
      return String(copying: text)
    }
    guard let text else { return nil }
    self = text
  }

  private init?(longPayload bytes: RawSpan) {
    // Puts U+FFFD where bytes are not UTF-8, and then the text differs from them.
    let text = unsafe String(unsafeUninitializedCapacity: bytes.byteCount) { copy in
      // SAFETY: `copy` has room for all bytes of the span.
      unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(copy).copyMemory(from: $0) }
      return bytes.byteCount
    }
    guard text.hasBytes(bytes) else { return nil }
    self = text
  }
}
