/// A key's bytes as they are written on a line of text: UTF-8 as it is, backslashes doubled, control bytes and bytes that
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

  /// A sentence for people, with what a terminal would obey spelled: control characters, also those of two bytes. Names that
  /// came from elsewhere may stand in it. Backslashes stay, for names that are spelled already have some.
  package static func harmless(_ text: String) -> String {
    func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) }
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var out: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard isControl(scalar) else {
        out.append(contentsOf: scalar.utf8)
        continue
      }
      for byte in scalar.utf8 { if byte > 0x7F { appendHex(byte, to: &out) } else { append(valid: byte, to: &out) } }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The bytes that a line spells. A plain tab would end the key for programs that read columns, so it is refused; every
  /// other byte but a backslash stands for itself. [K4]
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` and the offset in the line.
  package static func bytes(of line: RawSpan) throws(FuseError) -> [UInt8] {
    let all = line.array()
    guard all.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\t") }) else { return all }
    var out: [UInt8] = []
    var offset = 0
    while offset < all.count {
      let byte = all[offset]
      guard byte != UInt8(ascii: "\t") else {
        throw .invalidValue(
          "a tab stands in the line; write \\t for a tab in a key, or take the first column alone, as with 'cut -f 1'",
          at: offset)
      }
      guard byte == UInt8(ascii: "\\") else {
        out.append(byte)
        offset += 1
        continue
      }
      guard let (meaning, count) = escape(all[offset...]) else {
        throw .invalidValue(
          "a backslash begins \\\\, \\t, \\n, \\r or \\xHH, and this one does not; write \\\\ for a backslash in a key",
          at: offset)
      }
      out.append(meaning)
      offset += count
    }
    return out
  }

  /// What the escape at the start of `text` stands for, and how long it is.
  private static func escape(_ text: ArraySlice<UInt8>) -> (byte: UInt8, count: Int)? {
    switch text.dropFirst().first {
    case UInt8(ascii: "\\"): (UInt8(ascii: "\\"), 2)
    case UInt8(ascii: "t"): (UInt8(ascii: "\t"), 2)
    case UInt8(ascii: "n"): (UInt8(ascii: "\n"), 2)
    case UInt8(ascii: "r"): (UInt8(ascii: "\r"), 2)
    case UInt8(ascii: "x"): Hex.bytes(Array(text.dropFirst(2).prefix(2)).rawSpan)?.first.map { ($0, 4) }
    default: nil
    }
  }

  private static func appendHex(_ byte: UInt8, to out: inout [UInt8]) {
    out.append(contentsOf: "\\x".utf8)
    Hex.append(byte, to: &out)
  }
}

/// A key as messages show it: escaped, in quotes, and cut after 60 bytes.
package func quoted(_ key: RawSpan) -> String {
  var out: [UInt8] = []
  EscapedText.append(key.extracting(first: min(key.byteCount, 60)), to: &out)
  return "\"" + String(decoding: out, as: UTF8.self) + (key.byteCount > 60 ? "…" : "") + "\""
}

/// The same for bytes in an array, which may be a name.
package func quoted(_ name: [UInt8]) -> String { quoted(name.rawSpan) }

/// A number of things as messages show it: `1 key`, `2 keys`.
package func counted(_ count: some BinaryInteger, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}

extension RawSpan {
  /// The length in bytes of the longest prefix that is valid UTF-8.
  package var validUTF8Prefix: Int {
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

/// Bytes as hexadecimal digits: the spelling of binary data in JSON.
package enum Hex {
  private static let digits = [UInt8]("0123456789abcdef".utf8)

  /// Appends two lower-case digits.
  package static func append(_ byte: UInt8, to out: inout [UInt8]) {
    out.append(digits[Int(byte >> 4)])
    out.append(digits[Int(byte & 0xF)])
  }

  /// Appends two lower-case digits for each byte.
  package static func append(_ bytes: RawSpan, to out: inout [UInt8]) {
    for i in 0..<bytes.byteCount { append(bytes.loadInside(at: i, as: UInt8.self), to: &out) }
  }

  /// The bytes that `text` spells in hexadecimal digits of either case; nil where it has an odd length or another character.
  package static func bytes(_ text: RawSpan) -> [UInt8]? {
    guard text.byteCount.isMultiple(of: 2) else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(text.byteCount / 2)
    for i in stride(from: 0, to: text.byteCount, by: 2) {
      guard let high = value(text.loadInside(at: i, as: UInt8.self)),
        let low = value(text.loadInside(at: i + 1, as: UInt8.self))
      else { return nil }
      out.append(high << 4 | low)
    }
    return out
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
