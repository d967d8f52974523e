internal import CSimdjson

extension RawSpan {
  /// Whether all bytes are valid UTF-8; for many bytes much quicker than ``isUTF8``, for few slower.
  package var isLongUTF8: Bool {
    // SAFETY: the function reads the span's bytes alone.
    unsafe withUnsafeBytes { bytes in unsafe bytes.baseAddress.map { unsafe fuse_is_utf8($0, bytes.count) } ?? true }
  }
}
