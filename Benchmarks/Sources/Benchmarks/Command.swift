import Foundation

/// `Benchmarks bench|bench-full|bench-build|bench-serving|bench-values|bench-networks|bench-compact|bench-shards|KEYS FOLDER PYTHON FUSEDB`, run in the folder `Benchmarks`: measures, and
/// writes results, table and picture. `Benchmarks render NAME` makes table and picture again from results that are there.
struct Command {
  struct UsageError: Error, CustomStringConvertible {
    var description: String
  }

  private let arguments: [String]
  private let resultFolder = "Results"

  init(_ arguments: some Sequence<String>) { self.arguments = Array(arguments) }

  func run() throws {
    guard arguments.count >= 2 else {
      throw UsageError(
        description: """
          usage: Benchmarks bench|bench-full|bench-build|bench-serving|bench-values|bench-networks|bench-compact|bench-shards|KEYS FOLDER PYTHON FUSEDB, or: Benchmarks render NAME
          """)
    }
    if arguments[0] == "render" {
      try render(Results(path: "\(resultFolder)/\(arguments[1]).json"), arguments[1])
      return
    }
    guard arguments.count == 4 else {
      throw UsageError(description: "name the folder for databases, a Python and the command fusedb")
    }
    try FileManager.default.createDirectory(atPath: arguments[1], withIntermediateDirectories: true)
    guard arguments[0] != "bench-networks" else {
      let table = try NetworkBenchmark(folder: arguments[1], python: arguments[2], command: arguments[3]).run()
      try (table + "\n").write(toFile: "\(resultFolder)/table-networks.md", atomically: true, encoding: .utf8)
      return print(table)
    }
    guard arguments[0] != "bench-compact" else {
      let table = try CompactBenchmark(folder: arguments[1], python: arguments[2], command: arguments[3]).run()
      try (table + "\n").write(toFile: "\(resultFolder)/table-compact.md", atomically: true, encoding: .utf8)
      return print(table)
    }
    guard arguments[0] != "bench-shards" else {
      let table = try ShardBenchmark(folder: arguments[1]).run()
      try (table + "\n").write(toFile: "\(resultFolder)/table-shards.md", atomically: true, encoding: .utf8)
      return print(table)
    }
    let plan = try plan(arguments[0])
    print("seed \(Workload.seed), sizes \(plan.sizes)")
    let results = try Runner(plan, folder: arguments[1], python: arguments[2], command: arguments[3]).run()
    // A trial leaves the kept results alone.
    guard plan.name != "trial" else {
      print(Table(results).markdown)
      try results.write(to: arguments[1] + "/trial.json")
      return
    }
    try results.write(to: "\(resultFolder)/\(plan.name).json")
    try render(results, plan.name)
  }

  private func plan(_ name: String) throws -> Plan {
    switch name {
    case Plan.bench.name: return .bench
    case Plan.full.name: return .full
    case Plan.build.name: return .build
    case Plan.serving.name: return .serving
    case Plan.values.name: return .values
    default:
      guard let keyCount = Int(name), keyCount >= 10 else { throw UsageError(description: "'\(name)' is no plan") }
      return Plan(name: "trial", sizes: [keyCount], rounds: 3, buildRounds: 1)
    }
  }

  private func render(_ results: Results, _ name: String) throws {
    let table = Table(results).markdown
    let names = [Plan.build.name: "table-build", Plan.serving.name: "table-serving", Plan.values.name: "table-values"]
    try table.write(toFile: "\(resultFolder)/\(names[name] ?? "table").md", atomically: true, encoding: .utf8)
    if names[name] == nil {
      try Chart(results).svg.write(toFile: "\(resultFolder)/speed.svg", atomically: true, encoding: .utf8)
    }
    print(table)
  }
}
