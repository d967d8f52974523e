internal import FuseDB
internal import FuseDBInput

/// What a person sees while a database is built.
final class BuildProgress {
  let bar: ProgressBar
  /// The size of each input, nil if unknown.
  private let inputSizes: [Int?]
  /// The phase that is shown, and when it began.
  private var phase = ""
  private var phaseStart = 0.0

  init(_ bar: ProgressBar, inputSizes: [Int?]) {
    self.bar = bar
    self.inputSizes = inputSizes
  }

  /// Shows how far the reading is.
  func show(_ progress: InputLoader.Progress) {
    let before = inputSizes[..<progress.inputsDone].reduce(0) { $0 + ($1 ?? 0) }
    let done = before + progress.file.bytesRead
    // Where the size of one is unknown, so is that of all.
    let total = inputSizes.reduce(Optional(0)) { sum, size in sum.flatMap { sum in size.map { sum + $0 } } }
    show("reading", total.map { Double(done) / Double(max($0, done, 1)) }, recordCount: progress.totals.recordCount)
  }

  /// Shows how far a phase is: the share that is done, or nil if unknown.
  func show(_ phase: String, _ share: Double?, recordCount: Int) {
    let elapsed = bar.elapsed
    if phase != self.phase {
      self.phase = phase
      phaseStart = elapsed
    }
    let inPhase = elapsed - phaseStart
    bar.show(
      share,
      Self.text(
        phase, recordCount: recordCount, rate: phase == "reading" ? Double(recordCount) / max(inPhase, 0.001) : nil,
        secondsLeft: share.flatMap { Self.secondsLeft(share: $0, elapsed: inPhase) },
        memory: MachineMemory.residentByteCount))
  }

  /// What is left when `share` took `elapsed` seconds; nil while that says little.
  static func secondsLeft(share: Double, elapsed: Double) -> Double? {
    share >= 0.02 && elapsed >= 1 ? elapsed / share - elapsed : nil
  }

  /// `reading, 0:05 left, 1,200,000 records, 612,000 a second, 310.0 MB of memory`: what matters most comes first, for the
  /// end is cut off where the terminal is narrow.
  static func text(_ phase: String, recordCount: Int, rate: Double?, secondsLeft: Double?, memory: Int?) -> String {
    var parts = [phase]
    if let secondsLeft { parts.append("\(Humans.clock(seconds: secondsLeft)) left") }
    parts.append(Humans.count(recordCount, "record"))
    if let rate { parts.append("\(Humans.number(Int(rate))) a second") }
    if let memory { parts.append("\(Humans.size(memory)) of memory") }
    return parts.joined(separator: ", ")
  }
}
