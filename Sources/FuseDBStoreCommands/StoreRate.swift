internal import FuseDB
internal import FuseDBCommands
internal import FuseDBInput

/// What stands after a progress bar: how much is done, how quickly, and how long the rest takes. For one input or output.
struct StoreRate {
  private let bar: ProgressBar?
  private let started: Double

  /// Begins now.
  init(_ bar: ProgressBar) { (self.bar, started) = (bar, bar.elapsed) }

  /// As if it had begun so many seconds ago.
  init(elapsed: Double) { (bar, started) = (nil, -elapsed) }

  /// How many seconds ago it began.
  var elapsed: Double { (bar?.elapsed ?? 0) - started }

  /// Shows how far it is.
  func show(_ done: Int, of whole: Int?, _ name: String) {
    bar?.show(whole.map { Double(done) / Double(max(1, $0)) }, text(done, of: whole, name))
  }

  /// `0:05 left, 310.0 MB, 612.0 MB a second, big.img`: what matters most comes first, for the end is cut off where the terminal is narrow.
  func text(_ done: Int, of whole: Int?, _ name: String) -> String {
    let elapsed = elapsed
    var parts: [String] = []
    if let whole, done > 0, done < whole, elapsed >= 1 {
      parts.append("\(Humans.clock(seconds: elapsed * Double(whole - done) / Double(done))) left")
    }
    parts.append(Humans.size(done))
    if elapsed >= 0.1 { parts.append("\(Humans.size(Int(Double(done) / elapsed))) a second") }
    parts.append(name)
    return parts.joined(separator: ", ")
  }
}
