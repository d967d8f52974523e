import Foundation

/// A table whose first column is what the others are compared with.
struct Comparison {
  private var lines: [String]

  /// - Parameter measure: what stands in the columns after the first.
  init(_ names: [String], measure: String = "ratio") {
    lines = [
      "| | \(names[0]) | " + names.dropFirst().map { "\($0), \(measure)" }.joined(separator: " | ") + " |",
      "|---|" + String(repeating: "---:|", count: names.count),
    ]
    columns = names.count
  }

  private let columns: Int

  var markdown: String { lines.joined(separator: "\n") }

  /// Times ways of doing the same, in turns; a row has nanoseconds for the first, and ratios for the others.
  ///
  /// - Parameter expected: what each must tally; where it is nil they must tally alike.
  mutating func measure(
    _ name: String, operations: Int, _ ways: [() throws -> Tally], expected: Tally? = nil
  ) throws {
    add(name + ", ns", try Self.rounds(name, operations: operations, ways, expected: expected))
  }

  /// The same with two ways, and for the second how many nanoseconds more than the first.
  mutating func measureMore(
    _ name: String, _ operations: Int, _ first: @escaping () throws -> Tally, _ second: @escaping () throws -> Tally
  ) throws {
    let rounds = try Self.rounds(name, operations: operations, [first, second], expected: nil)
    let more = zip(rounds[1], rounds[0]).map { $0 - $1 }
    let spread = String(format: "%+.1f (%+.1f to %+.1f)", more.median, more.min() ?? 0, more.max() ?? 0)
    lines.append("| \(name), ns | \(Self.text(rounds[0].median)) | \(spread) |")
  }

  private static func rounds(
    _ name: String, operations: Int, _ ways: [() throws -> Tally], expected: Tally?
  ) throws -> [[Double]] {
    var rounds = [[Double]](repeating: [], count: ways.count)
    var first = expected
    for round in 0...CompactBenchmark.roundCount {
      for turn in ways.indices {
        let number = (turn + round) % ways.count
        var tally = Tally()
        let time = try timed { tally = try ways[number]() }
        guard tally == first ?? tally else { throw WrongAnswer("\(name): file \(number) gave another answer") }
        first = tally
        if round > 0 { rounds[number].append(time / Double(operations)) }
      }
    }
    return rounds
  }

  /// A row of what each round gave for each column.
  mutating func add(_ name: String, _ rounds: [[Double]]) {
    var cells = [Self.text(rounds[0].median)]
    for column in rounds.dropFirst() {
      let ratios = zip(column, rounds[0]).map { $0 / $1 }
      let spread = ratios.count > 1 ? String(format: " (%.2f–%.2f)", ratios.min() ?? 0, ratios.max() ?? 0) : ""
      cells.append(String(format: "%.3f", ratios.median) + spread)
    }
    cells += [String](repeating: "", count: columns - cells.count)
    lines.append("| \(name) | \(cells.joined(separator: " | ")) |")
  }

  private static func text(_ value: Double) -> String {
    value < 100 ? String(format: "%.1f", value) : grouped(Int(value.rounded()))
  }
}
