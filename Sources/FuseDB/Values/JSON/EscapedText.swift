/// A key's bytes as they stand on a line of text: UTF-8 as it is, backslashes doubled, control bytes and bytes that
/// are not UTF-8 as `\t`, `\n`, `\r` or `\xHH`. Reversible. See spec/json.md, "Keys on lines of text".
package enum EscapedText {
  /// Appends `bytes` in this spelling.
  package static func append(_ bytes: RawSpan, to out: inout [UInt8]) {
    var rest = bytes
    while rest.byteCount > 0 {
      let valid = rest.validUTF8Prefix
      for i in 0..<valid { append(valid: rest.loadInside(at: i, as: UInt8.self), to: &out) }
      if valid < rest.byteCount { appendHex(rest.loadInside(at: valid, as: UInt8.self), to: &out) }
      rest = rest.extracting(droppingFirst: min(valid + 1, rest.byteCount))
    }
  }

  private static func append(valid byte: UInt8, to out: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\\"): out.append(contentsOf: "\\\\".utf8)
    case UInt8(ascii: "\t"): out.append(contentsOf: "\\t".utf8)
    case UInt8(ascii: "\n"): out.append(contentsOf: "\\n".utf8)
    case UInt8(ascii: "\r"): out.append(contentsOf: "\\r".utf8)
    case 0..<0x20, 0x7F: appendHex(byte, to: &out)
    default: out.append(byte)
    }
  }

  private static func appendHex(_ byte: UInt8, to out: inout [UInt8]) {
    out.append(contentsOf: "\\x".utf8)
    Hex.append(byte, to: &out)
  }
}

/// A key as it stands in messages: escaped, in quotes, and cut after 60 bytes.
package func quoted(_ key: RawSpan) -> String {
  var out: [UInt8] = []
  EscapedText.append(key.extracting(first: min(key.byteCount, 60)), to: &out)
  return "\"" + String(decoding: out, as: UTF8.self) + (key.byteCount > 60 ? "…" : "") + "\""
}

/// A number of things as it stands in messages: `1 key`, `2 keys`.
package func counted(_ count: some BinaryInteger, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}

extension RawSpan {
  /// How many bytes from the start on are valid UTF-8.
  var validUTF8Prefix: Int {
    let bytes = Span<UInt8>(_bytes: self)
    do {
      _ = try UTF8Span(validating: bytes)
      return byteCount
    } catch {
      return error.byteOffsets.lowerBound
    }
  }

  /// Whether all bytes are valid UTF-8.
  package var isUTF8: Bool { validUTF8Prefix == byteCount }
}
