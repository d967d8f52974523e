extension String {
  /// The text that bytes are in UTF-8, or nil where they are none.
  ///
  /// It is the copy that is checked: bytes of a mapped file may change behind a check, and a string that is not UTF-8
  /// is read beyond its end.
  init?(payload bytes: RawSpan) {
    // Puts U+FFFD in the place of what is not UTF-8; then the text is another one.
    let text = unsafe String(unsafeUninitializedCapacity: bytes.byteCount) { copy in
      // SAFETY: `copy` has room for all bytes of the span.
      unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(copy).copyMemory(from: $0) }
      return bytes.byteCount
    }
    guard text.keyBytes.equals(bytes) else { return nil }
    self = text
  }
}
