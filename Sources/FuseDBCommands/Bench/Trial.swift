internal import FuseDB

/// One thing that is measured, in turns: other trials have theirs between, so that what slows the machine down for a
/// while slows all of them.
///
/// A turn is a row of short slices and counts with their median: what interrupts some of them does not matter.
final class Trial {
  let name: String
  /// What is compared with its checksum, where that makes a difference.
  let checksums: FuseReader.Checksums?
  /// How many operations there are before they begin anew.
  private let operationCount: Int
  /// How long a slice is to be, in nanoseconds.
  private let slice: Double
  /// Does some of the operations, and says how many nanoseconds they took.
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

  /// Finds out how many operations make a slice; what takes longer than all its turns together is measured by that.
  func warmUp(budget: Double) throws(FuseError) {
    while true {
      let time = try takeSlice()
      if time * Double(operationsInSlice) > budget {
        isDone = true
        return turns.append(time)
      }
      let fitting = min(operationCount, max(1, Int(slice / max(time, 0.1))))
      guard fitting > operationsInSlice else { return }
      // By steps: the first operations find nothing in the caches and look slow.
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
  /// The one in the middle, or the mean of the two there.
  fileprivate var median: Double {
    let sorted = sorted()
    let middle = count / 2
    guard !isEmpty else { return 0 }
    return count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
