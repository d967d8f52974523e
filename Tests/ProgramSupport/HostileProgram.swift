/// What programs share that read a million changed files: their options, and a last line that says whether all was well.
package enum HostileProgram {
  /// Runs `body`, which throws what must not happen; the exit code is 0 where nothing did, 64 where the options are wrong, and else 1.
  ///
  /// - Parameters:
  ///   - arguments: the program's name; `--count COUNT`, a million by default; `--seed NUMBER`.
  ///   - what: what is changed, in the plural.
  ///   - body: takes the count and the seed, and returns how many errors there were.
  package static func run(
    _ name: String, _ arguments: [String], changing what: String,
    _ body: (_ count: Int, _ seed: UInt64) throws -> Int
  ) -> Int32 {
    var (count, seed) = (1_000_000, UInt64.random(in: 0...UInt64.max))
    var rest = arguments.dropFirst()
    while let option = rest.popFirst() {
      switch (option, rest.popFirst().flatMap { UInt64($0) }) {
      case ("--count", let number?) where number > 0: count = Int(number)
      case ("--seed", let number?): seed = number
      default:
        print("usage: \(name) [--count COUNT] [--seed NUMBER]")
        return 64
      }
    }
    do {
      let errorCount = try body(count, seed)
      print("\(name) passed: \(count) changed \(what), \(errorCount) errors, no harm (seed \(seed))")
      return 0
    } catch {
      print("\(name) failed: \(error) (seed \(seed))")
      return 1
    }
  }
}
