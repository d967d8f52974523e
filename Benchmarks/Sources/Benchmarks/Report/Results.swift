import Foundation

enum Unit: String, Codable {
  case nanoseconds = "ns"
  case milliseconds = "ms"
  case megabytes = "MB"
  case allocations
}

/// One measurement: what each round gave.
struct Row: Codable {
  var keys: Int
  var what: String
  var who: Subject
  var unit: Unit
  /// How many operations a round has; the unit is for one.
  var operations: Int
  var rounds: [Double]

  var median: Double { rounds.median }
}

/// All that a run gave: what the table and the picture are made from.
struct Results: Codable {
  var circumstances: Circumstances
  var rows: [Row]
  /// Nil where none were counted.
  var instructions: InstructionCounts?

  var sizes: [Int] { Set(rows.map(\.keys)).sorted() }

  func row(_ keys: Int, _ what: String, _ who: Subject) -> Row? {
    rows.first { $0.keys == keys && $0.what == what && $0.who == who }
  }

  init(circumstances: Circumstances, rows: [Row], instructions: InstructionCounts? = nil) {
    self.circumstances = circumstances
    self.rows = rows
    self.instructions = instructions
  }

  init(path: String) throws {
    self = try JSONDecoder().decode(Results.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Writes JSON with one measurement a line, so that two runs can be compared.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func line(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    let lines = try rows.map { try line($0) }
    let counts = try instructions.map { "\n\"instructions\":\(try line($0))," } ?? ""
    let text = """
      {"circumstances":\(try line(circumstances)),\(counts)
      "rows":[
      \(lines.joined(separator: ",\n"))
      ]}

      """
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }
}

extension Double {
  /// The number with five digits that count: what is measured has no more.
  var fiveDigits: Double {
    guard self != 0 else { return 0 }
    let scale = pow(10, 4 - log10(magnitude).rounded(.down))
    return (self * scale).rounded() / scale
  }
}

extension [Double] {
  /// The middle value.
  /// - Precondition: there is one.
  var median: Double {
    let sorted = self.sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}
