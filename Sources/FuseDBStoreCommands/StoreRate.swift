internal import FuseDB
internal import FuseDBCommands
internal import FuseDBInput

/// What stands after a progress bar: how much is done, how quickly, and how long the rest takes.
struct StoreRate {
  private let elapsed: Double

  init(_ bar: ProgressBar) { elapsed = bar.elapsed }

  init(elapsed: Double) { self.elapsed = elapsed }

  /// `0:05 left, 310.0 MB, 612.0 MB a second, big.img`: what matters most comes first, for the end is cut off where the terminal is narrow.
  func text(_ done: Int, of whole: Int?, _ name: String) -> String {
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
