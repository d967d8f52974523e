import Foundation

/// How many instructions an operation takes here and in the reader in C, as `Scripts/count-instructions` has valgrind count them.
struct InstructionCounts: Codable {
  struct Count: Codable {
    var ours: Double
    var inC: Double
  }

  /// By the names that the script gives them, such as `hit, on` for look-ups with checksums.
  var counts: [String: Count]

  /// Counts, with the program that `Scripts/test-dependent --instructions` built.
  static func here(python: String, script: String, output: String) throws -> InstructionCounts {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-B", script, "--json", output]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw PeerFailure("\(script) failed; see its message above") }
    return InstructionCounts(
      counts: try JSONDecoder().decode([String: Count].self, from: Data(contentsOf: URL(fileURLWithPath: output))))
  }

  private static let rows = [
    ("hit", "get-hit"), ("miss", "get-miss"), ("batch", "get-batch-64"), ("prefix", "prefix"), ("scan", "scan"),
    ("scan by steps", "scan, step by step"),
  ]

  /// A table of them; empty where there are none.
  var table: String {
    var lines = [
      "| instructions | FuseDB | C, same layout | ratio | FuseDB, checksums skipped | C, same layout, checksums skipped | ratio |",
      "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (name, label) in Self.rows {
      let cells = ["on", "off"].flatMap { checks -> [String] in
        guard let count = counts["\(name), \(checks)"] else { return ["", "", ""] }
        return [
          grouped(Int(count.ours.rounded())), grouped(Int(count.inC.rounded())),
          String(format: "%.2f", count.ours / count.inC),
        ]
      }
      if cells.contains(where: { !$0.isEmpty }) { lines.append("| \(label) | \(cells.joined(separator: " | ")) |") }
    }
    return lines.count > 2 ? lines.joined(separator: "\n") : ""
  }
}
