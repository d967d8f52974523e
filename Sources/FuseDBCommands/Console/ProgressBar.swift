internal import FuseDB

/// One line on a terminal that says how far a command is, no wider than the terminal is at the moment. On anything else it
/// is silent.
final class ProgressBar {
  private static let width = 24
  /// Takes the line away.
  static let erasure = "\r\u{1B}[K"
  /// Ten lines a second are as fast as anybody reads.
  private static let interval = 0.1

  private let output: Output?
  private let started = ProgressBar.now
  private var lastShown = 0.0

  init(_ console: Console, isQuiet: Bool = false) {
    output = !isQuiet && console.err.isTerminal ? console.err : nil
  }

  deinit { clear() }

  /// How long the work has taken, in seconds.
  var elapsed: Double { Self.now - started }

  /// Shows what is done, unless that was shown a moment ago.
  ///
  /// - Parameters:
  ///   - fraction: from 0 to 1, or nil if unknown.
  ///   - text: stands after the bar.
  func show(_ fraction: Double?, _ text: @autoclosure () -> String) {
    guard let output else { return }
    let elapsed = elapsed
    guard elapsed - lastShown >= Self.interval else { return }
    lastShown = elapsed
    // In the last column, some terminals go to the next line.
    let line = TextColumns.fitting(Self.line(fraction, text()), in: output.columnCount - 1)
    try? output.show("\r" + line + "\u{1B}[K")
  }

  /// Takes the line away.
  func clear() {
    guard let output, lastShown > 0 else { return }
    lastShown = 0
    try? output.show(Self.erasure)
  }

  /// `[#####-------------------]  21% text`
  static func line(_ fraction: Double?, _ text: String) -> String {
    guard let fraction else { return text }
    let done = min(max(fraction, 0), 1)
    let marks = Int(done * Double(width))
    let percent = String(Int(done * 100))
    return "[" + String(repeating: "#", count: marks) + String(repeating: "-", count: width - marks) + "] "
      + String(repeating: " ", count: 3 - percent.count) + "\(percent)% \(text)"
  }

  private static var now: Double { MonotonicClock.nanoseconds / 1e9 }
}

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

  /// The blocks of Unicode whose characters are wide: those of Hangul, kana, CJK and their punctuation, and full-width forms.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x18CFF, 0x1AFF0...0x1B2FF,
    0x20000...0x3FFFD,
  ]
}
