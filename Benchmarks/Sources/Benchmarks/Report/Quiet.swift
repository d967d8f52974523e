import Foundation

/// How quiet the machine was: whether times mean what they say.
struct Quiet: Codable {
  /// Programs that wanted a processor before the run, on average over the minute.
  var loadBefore: Double
  /// The share of the processors' time that went to others while the benchmark did nothing, for two seconds before the run and after it.
  var busyBefore: Double
  var busyAfter: Double
  /// The share of the run in which the machine below this virtual one did something else.
  var stolen: Double
  /// Rows of which the middle half of the rounds lay far apart.
  var restlessRows: Int
  var rows: Int

  private static let mostBusy = 0.05
  private static let mostStolen = 0.01
  private static let mostRestless = 0.1

  /// What disturbed the run; empty where nothing did.
  var disturbances: [String] {
    func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
    var all: [String] = []
    if busyBefore > Self.mostBusy { all.append("others had \(percent(busyBefore)) of the processors before it") }
    if busyAfter > Self.mostBusy { all.append("others had \(percent(busyAfter)) of the processors after it") }
    if stolen > Self.mostStolen { all.append("the machine below had \(percent(stolen)) of the time") }
    if Double(restlessRows) > Self.mostRestless * Double(rows) {
      all.append("the rounds of \(restlessRows) of \(rows) rows lay far apart")
    }
    return all
  }
}

/// Watches the machine from before a run to its end.
struct QuietWatch {
  private static let wait = 2.0

  private let load: Double
  private let busy: Double
  private let start: ProcessorTimes

  init() throws {
    load = Circumstances.load
    busy = try Self.busyShare()
    start = try ProcessorTimes()
  }

  func end(_ rows: [Row]) throws -> Quiet {
    let times = try ProcessorTimes().since(start)
    let counted = rows.filter(\.tellsOfQuiet)
    return Quiet(
      loadBefore: load, busyBefore: busy, busyAfter: try Self.busyShare(), stolen: times.stolenShare,
      restlessRows: counted.count { $0.isRestless }, rows: counted.count)
  }

  /// What others take of the processors while this process sleeps.
  private static func busyShare() throws -> Double {
    let before = try ProcessorTimes()
    Thread.sleep(forTimeInterval: wait)
    return try ProcessorTimes().since(before).busyShare.fiveDigits
  }
}

/// What the processors did since the system began, in hundredths of a second.
private struct ProcessorTimes {
  var all = 0.0
  var idle = 0.0
  var stolen = 0.0

  init() throws {
    // user nice system idle iowait irq softirq steal, and parts of user and nice again.
    let text = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
    let fields = text.prefix { $0 != "\n" }.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
    guard fields.count == 8 else { throw PeerFailure("/proc/stat does not begin with the times of all processors") }
    all = fields.reduce(0, +)
    idle = fields[3] + fields[4]
    stolen = fields[7]
  }

  func since(_ start: ProcessorTimes) -> ProcessorTimes {
    var difference = self
    difference.all -= start.all
    difference.idle -= start.idle
    difference.stolen -= start.stolen
    return difference
  }

  var busyShare: Double { all > 0 ? (all - idle) / all : 0 }
  var stolenShare: Double { all > 0 ? (stolen / all).fiveDigits : 0 }
}

extension Row {
  /// From this on the third quarter of the rounds is far from the first.
  private static let farApart = 1.25
  private static let fewestRounds = 5

  /// Whether its rounds tell how quiet the machine was. Those of cold files tell how quick the disk was.
  var tellsOfQuiet: Bool {
    rounds.count >= Self.fewestRounds && (unit == .nanoseconds || unit == .milliseconds) && !what.contains("cold")
  }

  /// Whether the middle half of its rounds lay far apart.
  var isRestless: Bool {
    guard tellsOfQuiet else { return false }
    let sorted = rounds.sorted()
    return sorted[3 * (sorted.count - 1) / 4] > Self.farApart * sorted[(sorted.count - 1) / 4]
  }
}
