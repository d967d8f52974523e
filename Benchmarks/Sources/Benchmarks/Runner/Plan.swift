/// How much is measured.
struct Plan {
  enum Kind {
    case all
    /// Building and merging.
    case building
    /// Look-ups while files are swapped.
    case serving
    /// Reading fields and whole values.
    case values
  }

  /// The name of the results.
  var name: String
  var sizes: [Int]
  /// Rounds that count. One more comes first and warms up.
  var rounds: Int
  var buildRounds: Int
  /// What is measured.
  var kind = Kind.all
  /// How long one measurement takes, about, in nanoseconds.
  var budget = 0.2e9

  /// Questions of each kind, at most; each measurement takes the next so many.
  func questionCount(keyCount: Int) -> Int { min(kind == .values ? 250_000 : 1_000_000, max(100_000, keyCount)) }

  /// Fewer rounds where one takes long.
  func rounds(keyCount: Int, _ count: Int) -> Int { keyCount > 2_000_000 ? max(min(count, 3), count / 2) : count }

  static let bench = Plan(name: "bench", sizes: [10_000, 100_000, 1_000_000], rounds: 11, buildRounds: 5)
  static let full = Plan(
    name: "bench-full", sizes: [10_000, 100_000, 1_000_000, 10_000_000], rounds: 11, buildRounds: 5)
  static let build = Plan(name: "bench-build", sizes: [10_000_000], rounds: 3, buildRounds: 3, kind: .building)
  static let serving = Plan(
    name: "bench-serving", sizes: [10_000, 1_000_000], rounds: 11, buildRounds: 1, kind: .serving)
  static let values = Plan(
    name: "bench-values", sizes: [10_000, 1_000_000], rounds: 11, buildRounds: 1, kind: .values, budget: 0.04e9)
}
