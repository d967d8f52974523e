/// How much room text takes on a terminal, as far as that can be told without asking one.
enum TextColumns {
  /// `text` in one line of at most so many columns: where it is longer, "…" stands for the rest. Control characters are
  /// shown as "?".
  static func fitting(_ text: String, in columnCount: Int) -> String {
    var fitting = ""
    /// What is left of it where something has to be cut off.
    var shortened = fitting.endIndex
    var width = 0
    for character in text {
      let shown = character.unicodeScalars.contains { $0.properties.generalCategory == .control } ? "?" : character
      width += Self.columnCount(of: shown)
      guard width <= columnCount else { return columnCount < 1 ? "" : fitting[..<shortened] + "…" }
      fitting.append(shown)
      if width < columnCount { shortened = fitting.endIndex }
    }
    return fitting
  }

  /// How many columns a character takes: none, one, or two as those of East Asia and most emoji do.
  static func columnCount(of character: Character) -> Int {
    var count = 0
    for scalar in character.unicodeScalars {
      // This one asks for the emoji of a character that is text otherwise.
      count = max(count, scalar == "\u{FE0F}" ? 2 : columnCount(of: scalar))
    }
    return count
  }

  private static func columnCount(of scalar: Unicode.Scalar) -> Int {
    // Most text.
    if scalar.value < 0x300 { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return scalar.properties.isEmojiPresentation || wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }
  }

  /// The blocks of Unicode whose characters are wide: those of Hangul, kana, CJK and their punctuation, and full-width
  /// forms.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x18CFF, 0x1AFF0...0x1B2FF,
    0x20000...0x3FFFD,
  ]
}

extension String {
  /// The text with spaces after it, `count` characters in all.
  func padded(to count: Int) -> String { self + String(repeating: " ", count: max(0, count - self.count)) }
}
