internal import FuseDB

/// One line on a terminal that says how far a command is, no wider than the terminal is at the moment. On anything else it
/// is silent.
package final class ProgressBar {
  private static let width = 24
  /// Takes the line away.
  static let erasure = "\r\u{1B}[K"
  /// Ten lines a second are as fast as anybody reads.
  private static let interval = 0.1

  private let output: Output?
  private let started = ProgressBar.now
  private var lastShown = 0.0

  package init(_ terminal: Output, isQuiet: Bool = false) {
    output = !isQuiet && terminal.isTerminal ? terminal : nil
  }

  deinit { clear() }

  /// Whether anybody sees it.
  package var isShown: Bool { output != nil }

  /// How long the work has taken, in seconds.
  package var elapsed: Double { Self.now - started }

  /// Shows what is done, unless that was shown a moment ago.
  ///
  /// - Parameters:
  ///   - fraction: from 0 to 1, or nil if unknown.
  ///   - text: stands after the bar.
  package func show(_ fraction: Double?, _ text: @autoclosure () -> String) {
    guard let output else { return }
    let elapsed = elapsed
    guard elapsed - lastShown >= Self.interval else { return }
    lastShown = elapsed
    // In the last column, some terminals go to the next line.
    let line = TextColumns.fitting(Self.line(fraction, text()), in: output.columnCount - 1)
    try? output.show("\r" + line + "\u{1B}[K")
  }

  /// Takes the line away.
  package func clear() {
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
