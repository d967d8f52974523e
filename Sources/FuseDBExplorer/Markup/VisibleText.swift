internal import FuseDBFormat

/// Text in which everything can be seen: what has no shape of its own, or would change how other text reads, is spelled.
enum VisibleText {
  /// A run of text, as it is, or spelled.
  struct Piece: Equatable {
    var text: String
    var isSpelled: Bool
  }

  /// Appends text as HTML.
  static func append(_ text: String, to out: inout [UInt8]) {
    for scalar in text.unicodeScalars {
      if isPlain(scalar) {
        for byte in scalar.utf8 { Escaping.append(byte, to: &out) }
      } else {
        out.append(contentsOf: spelling(scalar).utf8)
      }
    }
  }

  /// Whether a character is one that can be seen, or a space.
  static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    if (0x20...0x7E).contains(scalar.value) { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: return false
    // Spaces that are none, and such as look like one.
    case .spaceSeparator: return false
    default: return !scalar.properties.isDefaultIgnorableCodePoint && !scalar.properties.isNoncharacterCodePoint
    }
  }

  /// How a character is spelled: as in JSON, or with its number.
  static func spelling(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\t": "\\t"
    case "\n": "\\n"
    case "\r": "\\r"
    default:
      scalar.value < 0x80 ? "\\x" + hexadecimal([UInt8(scalar.value)]) : "\\u{\(String(scalar.value, radix: 16))}"
    }
  }

  /// Bytes as two digits each.
  static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    var out: [UInt8] = []
    for byte in bytes { Hex.append(byte, to: &out) }
    return String(decoding: out, as: UTF8.self)
  }

  /// Whether bytes are rather shown as digits than as text: more than two fifths of them belong to
  /// no character, or control one.
  static func isBinary(_ bytes: ArraySlice<UInt8>) -> Bool {
    var bad = 0
    for (_, scalar) in Scalars(bytes) where scalar.map({ $0.value < 0x20 && $0 != "\n" && $0 != "\t" }) ?? true {
      bad += 1
    }
    return bad * 5 > bytes.count * 2
  }

  /// The runs of some bytes.
  static func pieces(of bytes: ArraySlice<UInt8>) -> [Piece] {
    var pieces: [Piece] = []
    func add(_ text: String, spelled: Bool) {
      if pieces.last?.isSpelled == spelled {
        pieces[pieces.count - 1].text += text
      } else {
        pieces.append(Piece(text: text, isSpelled: spelled))
      }
    }
    for (byte, scalar) in Scalars(bytes) {
      if let scalar {
        if isPlain(scalar) { add(String(scalar), spelled: false) } else { add(spelling(scalar), spelled: true) }
      } else {
        add("\\x" + hexadecimal([byte]), spelled: true)
      }
    }
    return pieces
  }

  /// The characters of some bytes in their order; of bytes that are none, each alone.
  private struct Scalars: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() -> (byte: UInt8, scalar: Unicode.Scalar?)? {
      guard let first = rest.first else { return nil }
      let count = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
      var decoder = UTF8()
      var source = rest.prefix(count).makeIterator()
      if case .scalarValue(let scalar) = decoder.decode(&source), UTF8.width(scalar) <= rest.count {
        rest = rest.dropFirst(UTF8.width(scalar))
        return (first, scalar)
      }
      rest = rest.dropFirst()
      return (first, nil)
    }
  }
}

extension Markup {
  /// Adds bytes that are a key or a text of a value, set apart from the text around.
  ///
  /// - Parameters:
  ///   - limit: how many bytes are shown; of more, their number is said.
  ///   - all: where all of it is shown.
  mutating func shown(_ bytes: [UInt8], atMost limit: Int = 120, all: Link? = nil) {
    var end = min(bytes.count, limit)
    // Not in the middle of a character.
    while end < bytes.count, end > 0, end > limit - 4, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    let part = bytes[..<end]
    element("code") { code in
      code.element("bdi") { inner in
        if part.isEmpty {
          inner.element("span", .class("esc"), text: "(empty)")
        } else if VisibleText.isBinary(part) {
          inner.element("span", .class("hex")) { hex in
            for start in stride(from: 0, to: part.count, by: 4) {
              if start > 0 { hex.text(" ") }
              hex.text(VisibleText.hexadecimal(part[start..<min(start + 4, part.count)]))
            }
          }
        } else {
          for piece in VisibleText.pieces(of: part) {
            if piece.isSpelled {
              inner.element("span", .class("esc"), text: piece.text)
            } else {
              inner.text(piece.text)
            }
          }
        }
        if end < bytes.count { inner.text("…") }
      }
    }
    guard end < bytes.count else { return }
    element("span", .class("quiet"), text: " \(Figures.grouped(bytes.count)) bytes ")
    if let all { element("a", .href(all), text: "show all") }
  }
}
