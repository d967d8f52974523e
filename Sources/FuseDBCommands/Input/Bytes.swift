internal import FuseDB

extension RawSpan {
  /// Whether these are the same bytes.
  func equals(_ bytes: [UInt8]) -> Bool { equals(bytes.rawSpan) }

  /// The bytes as text, with replacement characters for what is not UTF-8.
  var text: String {
    // SAFETY: the string copies the span's bytes before the pointer ends.
    unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

/// A name as it stands in messages.
func quoted(_ name: [UInt8]) -> String { quoted(name.rawSpan) }
