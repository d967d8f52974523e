internal import FuseDB
internal import Synchronization

/// What is measured of one file. The names are those of Benchmarks/README.md.
struct Trials {
  static let open = "open"
  static let floor = "floor"
  static let hit = "get-hit"
  static let miss = "get-miss"
  static let twoThreads = "get-hit-two-threads"
  static let scan = "scan"
  static let verify = "verify"

  let all: [Trial]
  /// How many keys are drawn.
  let questionCount: Int
  /// How many faults verification found.
  let damageCount: () -> Int

  /// Draws the questions and asks each once, so that nothing is new when the clock runs.
  init(
    _ path: String, batch: Int, questionLimit: Int?, progress: (Double, String) -> Void
  ) throws(FuseError) {
    let verified = try FuseReader(path: path)
    let skipped = try FuseReader(path: path, checksums: .skipped)
    var maker = QuestionMaker(verified, limit: questionLimit)
    let (hits, floor) = try maker.hits { progress($0 / 2, "drawing keys") }
    let misses = try maker.misses(of: hits) { progress(0.5 + $0 / 2, "making keys that are absent") }
    for reader in [verified, skipped] {
      try Self.check(try hits.ask(reader, 0..<hits.count), hits.sum(0..<hits.count), path)
      try Self.check(try misses.ask(reader, 0..<misses.count), 0, path)
    }
    _ = floor.touch(0..<floor.count)

    var trials = [Self.opening(path)]
    // Of a compact file there is none.
    if floor.count > 0 {
      trials.append(
        Trial(Self.floor, operations: floor.count) { range in
          let start = MonotonicClock.nanoseconds
          _ = floor.touch(range)
          return MonotonicClock.nanoseconds - start
        })
    }
    if hits.count > 0 {
      for reader in [verified, skipped] {
        trials.append(
          Self.asking(Self.hit, hits, reader) { range throws(FuseError) in try hits.ask(reader, range) })
      }
    }
    trials.append(
      Self.asking(Self.miss, misses, verified) { range throws(FuseError) in try misses.ask(verified, range) })
    if hits.count > 0 {
      for reader in [verified, skipped] {
        trials.append(
          Self.asking("get-batch-\(batch)", hits, reader) { range throws(FuseError) in
            try hits.ask(reader, range, inBatchesOf: batch)
          })
      }
      trials += [Self.asking(onTwoThreads: hits, verified), Self.scanning(verified)]
    }
    let verifying = Verifying(path)
    trials.append(Trial(Self.verify, operations: 1) { _ throws(FuseError) in try verifying.run() })
    all = trials
    questionCount = hits.count
    damageCount = { verifying.damageCount }
  }

  // MARK: What a slice does

  private static func opening(_ path: String) -> Trial {
    Trial(open, .verified, operations: 1) { _ throws(FuseError) in
      let start = MonotonicClock.nanoseconds
      let reader = try FuseReader(path: path)
      let end = MonotonicClock.nanoseconds
      // Closing it takes time of its own.
      return withExtendedLifetime(reader) { end - start }
    }
  }

  private static func asking(
    _ name: String, _ questions: Questions, _ reader: FuseReader,
    _ ask: @escaping (Range<Int>) throws(FuseError) -> UInt64
  ) -> Trial {
    Trial(name, reader.checksums, operations: questions.count) { range throws(FuseError) in
      let start = MonotonicClock.nanoseconds
      let sum = try ask(range)
      let end = MonotonicClock.nanoseconds
      try check(sum, questions.sum(range), reader.path)
      return end - start
    }
  }

  private static func asking(onTwoThreads questions: Questions, _ reader: FuseReader) -> Trial {
    // Long slices, because each begins with two threads that wait for one another.
    Trial(twoThreads, reader.checksums, operations: questions.count, slice: 2e7) { range throws(FuseError) in
      let middle = range.lowerBound + range.count / 2
      let gate = Gate()
      let other = BackgroundWork(isWorthThread: true) {
        Result { () throws(FuseError) in
          try gate.timed { () throws(FuseError) in try questions.ask(reader, middle..<range.upperBound) }
        }
      }
      let mine = Result { () throws(FuseError) in
        try gate.timed { () throws(FuseError) in try questions.ask(reader, range.lowerBound..<middle) }
      }
      let (first, second) = (try other.wait().get(), try mine.get())
      try check(first.sum &+ second.sum, questions.sum(range), reader.path)
      return max(first.end, second.end) - min(first.start, second.start)
    }
  }

  private static func scanning(_ reader: FuseReader) -> Trial {
    let entries = RepeatedScan(reader)
    return Trial(scan, reader.checksums, operations: reader.keyCount) { range throws(FuseError) in
      if range.lowerBound == 0 { try entries.begin() }
      let start = MonotonicClock.nanoseconds
      try entries.advance(range.count)
      return MonotonicClock.nanoseconds - start
    }
  }

  private static func check(_ sum: UInt64, _ expected: UInt64, _ path: String) throws(FuseError) {
    guard sum == expected else {
      throw FuseError(
        .corrupted, "look-ups give other answers than a scan; 'fusedb verify' lists the damage", path: path)
    }
  }
}

/// Lets two threads begin at the same time.
private final class Gate: Sendable {
  private static let patience = 1e9
  private let missing = Atomic(2)

  /// Waits for the other thread, for a second at most, and then runs `body`. Where the system has no thread left, `body`
  /// runs alone.
  func timed(
    _ body: () throws(FuseError) -> UInt64
  ) throws(FuseError) -> (sum: UInt64, start: Double, end: Double) {
    missing.subtract(1, ordering: .acquiringAndReleasing)
    let limit = MonotonicClock.nanoseconds + Self.patience
    while missing.load(ordering: .acquiring) > 0, MonotonicClock.nanoseconds < limit {}
    let start = MonotonicClock.nanoseconds
    let sum = try body()
    return (sum, start, MonotonicClock.nanoseconds)
  }
}

/// A scan that goes on where the last slice ended, and can begin anew.
private final class RepeatedScan {
  private let reader: FuseReader
  private var scan: Scan?
  private var sum: UInt64 = 0

  init(_ reader: FuseReader) { self.reader = reader }

  func begin() throws(FuseError) { scan = try reader.entries() }

  func advance(_ count: Int) throws(FuseError) {
    for _ in 0..<count {
      guard let entry = try scan?.next() else { return }
      let key = try entry.keyBytes
      let object = try entry.bytes
      sum &+= Questions.answer(object) &+ UInt64(key.byteCount)
    }
  }
}

/// Verifies a file, and remembers what was found.
private final class Verifying {
  private let path: String
  private(set) var damageCount = 0

  init(_ path: String) { self.path = path }

  func run() throws(FuseError) -> Double {
    let start = MonotonicClock.nanoseconds
    let summary = try FuseReader.verify(path: path) { _ in }
    damageCount = summary.damageCount
    return MonotonicClock.nanoseconds - start
  }
}

/// One thing that is measured, in turns. Other trials have their turns in between, so that what slows the machine down for
/// a while slows all of them.
///
/// A turn is a row of short slices, of which the median counts: an interruption of a few does not matter.
final class Trial {
  let name: String
  /// Whether checksums are verified, where that makes a difference.
  let checksums: FuseReader.Checksums?
  /// How many operations there are before they begin anew.
  private let operationCount: Int
  /// How long a slice is to be, in nanoseconds.
  private let slice: Double
  /// Does some of the operations, and returns how many nanoseconds they took.
  private let run: (Range<Int>) throws(FuseError) -> Double

  private var operationsInSlice = 1
  private var next = 0
  private var turns: [Double] = []
  private var isDone = false

  init(
    _ name: String, _ checksums: FuseReader.Checksums? = nil, operations: Int, slice: Double = 1e6,
    run: @escaping (Range<Int>) throws(FuseError) -> Double
  ) {
    self.name = name
    self.checksums = checksums
    operationCount = operations
    self.slice = slice
    self.run = run
  }

  /// Nanoseconds for one operation: the median of all turns.
  var nanoseconds: Double { turns.median }
  /// The quickest turn.
  var fastest: Double { turns.min() ?? 0 }
  /// The slowest turn.
  var slowest: Double { turns.max() ?? 0 }

  /// Finds out how many operations make a slice. Where that alone takes more than `budget` nanoseconds, it is the result,
  /// and there are no turns.
  func warmUp(budget: Double) throws(FuseError) {
    while true {
      let time = try takeSlice()
      if time * Double(operationsInSlice) > budget {
        isDone = true
        return turns.append(time)
      }
      let fitting = min(operationCount, max(1, Int(slice / max(time, 0.1))))
      guard fitting > operationsInSlice else { return }
      // In steps: the first operations find nothing in the caches and look slow.
      operationsInSlice = min(fitting, 16 * operationsInSlice)
    }
  }

  /// Takes slices for `budget` nanoseconds, one at least; none where warming up was enough.
  func takeTurn(budget: Double) throws(FuseError) {
    guard !isDone else { return }
    var slices: [Double] = []
    let end = MonotonicClock.nanoseconds + budget
    repeat { slices.append(try takeSlice()) } while MonotonicClock.nanoseconds < end
    turns.append(slices.median)
  }

  private func takeSlice() throws(FuseError) -> Double {
    if next + operationsInSlice > operationCount { next = 0 }
    let range = next..<next + operationsInSlice
    next = range.upperBound
    return try run(range) / Double(range.count)
  }
}

extension [Double] {
  /// The number in the middle, or the mean of the two in the middle; 0 of none.
  fileprivate var median: Double {
    let sorted = sorted()
    let middle = count / 2
    guard !isEmpty else { return 0 }
    return count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
