internal import FuseDBFormat

// Paths are bytes to the system, and texts here. See spec/decisions/0032-paths-that-are-not-utf-8.md.

extension String {
  private static let mark: [UInt8] = Array("\u{FFFD}".utf8)

  /// The text that spells the path of these bytes: they themselves where they are UTF-8; for each byte that is none, U+FFFD and
  /// two hexadecimal digits. A path that has U+FFFD and two such digits as it stands has the bytes of that U+FFFD spelled.
  /// Different paths have different texts.
  package init(path bytes: [UInt8]) {
    var text: [UInt8] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let valid = Array(rest).rawSpan.validUTF8Prefix
      let end = rest.startIndex + valid
      while rest.startIndex < end {
        if rest.starts(with: Self.mark), Self.byte(rest.dropFirst(Self.mark.count)) != nil {
          for byte in Self.mark { Self.spell(byte, to: &text) }
          rest = rest.dropFirst(Self.mark.count)
        } else {
          text.append(rest.removeFirst())
        }
      }
      if let byte = rest.popFirst() { Self.spell(byte, to: &text) }
    }
    self = String(decoding: text, as: UTF8.self)
  }

  /// The bytes of the path that this text spells.
  package var pathBytes: [UInt8] {
    let text = Array(utf8)
    guard text.contains(Self.mark[0]) else { return text }
    var bytes: [UInt8] = []
    var rest = text[...]
    while !rest.isEmpty {
      if rest.starts(with: Self.mark), let byte = Self.byte(rest.dropFirst(Self.mark.count)) {
        bytes.append(byte)
        rest = rest.dropFirst(Self.mark.count + 2)
      } else {
        bytes.append(rest.removeFirst())
      }
    }
    return bytes
  }

  /// The same as the system takes it: with a zero byte at its end.
  var systemPath: [CChar] { PathWalk.cString(pathBytes) }

  private static func spell(_ byte: UInt8, to text: inout [UInt8]) {
    text += mark
    Hex.append(byte, to: &text)
  }

  /// The byte that two hexadecimal digits in lower case stand for, where they are above 0x7F: others are always UTF-8.
  private static func byte(_ text: ArraySlice<UInt8>) -> UInt8? {
    let digits = Array(text.prefix(2))
    guard digits.count == 2, !digits.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) }) else {
      return nil
    }
    return Hex.bytes(digits.rawSpan)?.first.flatMap { $0 >= 0x80 ? $0 : nil }
  }
}
