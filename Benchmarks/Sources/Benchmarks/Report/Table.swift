import Foundation

/// The results as Markdown: the medians, the ratios, and between what the rounds lay.
struct Table {
  let results: Results

  init(_ results: Results) { self.results = results }

  private var subjects: [Subject] { Subject.allCases.filter { who in results.rows.contains { $0.who == who } } }
  private static let order = [
    "open", "heap at open", "get-hit", "get-miss", "get-batch-16", "get-batch-64", "get-hit-two-threads",
    "get-hit-swaps", "get-hit-two-threads-swaps", "get-hit-over-plain", "prefix", "scan", "verify", "build",
    "build-table", "build-table-memory", "merge", "merge-memory", "size", "open-cold", "get-cold-p50", "get-cold-p99",
  ]

  var markdown: String {
    var parts = [introduction]
    for keys in results.sizes.reversed() {
      parts.append("## \(grouped(keys)) keys")
      parts += blocks.map { table(keys, $0) { number($0.median) } }
      parts.append(isOfValues ? valueRatios(keys) : ratios(keys))
      parts.append("The quickest and the slowest round (!: the middle half of the rounds lay far apart, too):")
      parts += blocks.map {
        table(keys, $0) { row in
          row.rounds.count < 2
            ? "" : "\(number(row.rounds.min() ?? 0))–\(number(row.rounds.max() ?? 0))\(row.isRestless ? " !" : "")"
        }
      }
    }
    parts.append(results.instructions?.table ?? "")
    parts.append(isOfValues ? valueNotes : notes)
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private var introduction: String {
    let here = results.circumstances
    let versions = here.versions.sorted { $0.key.lowercased() < $1.key.lowercased() }.map { "\($0.key) \($0.value)" }
    return """
      # Figures

      Made by the benchmark; edits are lost. Medians of \(here.rounds) rounds or fewer (see the raw results), page cache
      warm but for `…-cold`, all in one run.\(warning)

      | | |
      |---|---|
      | machine | \(here.processor), \(here.processors) processors, \(here.memoryGigabytes) GB |
      | system | \(here.system), Linux \(here.kernel); load at the end \(here.load)\(quietness) |
      | Swift | \(here.swift), \(here.optimization) |
      | peers | \(versions.joined(separator: ", ")) |
      | seed | \(here.seed) |
      """
  }

  /// That the run was disturbed, and by what.
  private var warning: String {
    let disturbances = results.circumstances.quiet?.disturbances ?? []
    guard !disturbances.isEmpty else { return "" }
    return
      "\n\n**This run was disturbed**: \(disturbances.joined(separator: "; ")). Measure again on a machine that does nothing else."
  }

  private var quietness: String {
    guard let quiet = results.circumstances.quiet else { return "" }
    let busy = String(format: "%.1f %% and %.1f %%", quiet.busyBefore * 100, quiet.busyAfter * 100)
    return String(
      format: ", before it %.1f; others had %@ of the processors before and after, and %.1f %% was stolen",
      quiet.loadBefore, busy, quiet.stolen * 100)
  }

  /// What stands in one table each.
  private var blocks: [[String]] { isOfValues ? Self.valueBlocks : [Self.order] }

  /// A table of these rows, as far as they have cells, and of the subjects that have any of them.
  private func table(_ keys: Int, _ whats: [String], _ cell: (Row) -> String) -> String {
    let subjects = subjects.filter { who in whats.contains { results.row(keys, $0, who) != nil } }
    var lines = [
      "| | unit | " + subjects.map(\.rawValue).joined(separator: " | ") + " |",
      "|---|---|" + String(repeating: "---:|", count: subjects.count),
    ]
    for what in whats {
      let rows = subjects.map { results.row(keys, what, $0) }
      guard let unit = rows.lazy.compactMap({ $0?.unit }).first else { continue }
      let cells = rows.map { $0.map(cell) ?? "" }
      guard cells.contains(where: { !$0.isEmpty }) else { continue }
      lines.append("| \(what) | \(unit.rawValue) | " + cells.joined(separator: " | ") + " |")
    }
    return lines.count > 2 ? lines.joined(separator: "\n") : ""
  }

  /// FuseDB's look-ups as multiples of what stands beside them.
  private func ratios(_ keys: Int) -> String {
    let ours = subjects.filter { $0.isOurs }
    var lines = [
      "| ratio | " + ours.map(\.rawValue).joined(separator: " | ") + " |",
      "|---|" + String(repeating: "---:|", count: ours.count),
    ]
    func add(_ label: String, _ what: String, to other: (Subject) -> Row?) {
      let cells = ours.map { who -> String in
        guard let ours = results.row(keys, what, who), let theirs = other(who) else { return "" }
        return String(format: "%.2f", ours.median / theirs.median)
      }
      if cells.contains(where: { !$0.isEmpty }) { lines.append("| \(label) | \(cells.joined(separator: " | ")) |") }
    }
    add("get-hit to the floor", "get-hit") { _ in results.row(keys, "get-hit", .floor) }
    for what in ["get-hit", "get-miss"] {
      add("\(what) to tinycdb", what) { _ in results.row(keys, what, .tinyCDB) }
    }
    for what in ["get-hit", "get-miss", "get-batch-64", "prefix", "scan"] {
      add("\(what) to C", what) { results.row(keys, what, $0 == .fuseDBSkipped ? .cReaderSkipped : .cReader) }
    }
    for what in ["prefix", "scan", "open-cold", "get-cold-p50", "get-cold-p99"] {
      add("\(what) to LMDB", what) { _ in results.row(keys, what, .lmdb) }
    }
    for what in ["open-cold", "get-cold-p50", "get-cold-p99"] {
      add("\(what) to tinycdb", what) { _ in results.row(keys, what, .tinyCDB) }
    }
    add("get-hit to checksums skipped", "get-hit") { _ in results.row(keys, "get-hit", .fuseDBSkipped) }
    add("get-miss to get-hit", "get-miss") { results.row(keys, "get-hit", $0) }
    add("get-batch-16 to the floor", "get-batch-16") { _ in results.row(keys, "get-hit", .floor) }
    add("get-batch-64 to the floor", "get-batch-64") { _ in results.row(keys, "get-hit", .floor) }
    add("one thread to two threads", "get-hit") { results.row(keys, "get-hit-two-threads", $0) }
    add("the same with swaps", "get-hit-swaps") { results.row(keys, "get-hit-two-threads-swaps", $0) }
    add("verify to fusedb 0.3.0", "verify") { _ in results.row(keys, "verify", .wheel) }
    for what in ["build", "build-table"] {
      for peer in [Subject.tinyCDB, .lmdb, .wheel] {
        add("\(what) to \(peer.rawValue)", what) { _ in results.row(keys, "build", peer) }
      }
    }
    add("merge to fusedb 0.3.0 from Python", "merge") { _ in results.row(keys, "merge", .wheel) }
    for what in ["build-table", "merge"] {
      guard let row = results.row(keys, what, .fuseDB) else { continue }
      lines.append(
        "| \(what), million keys a second | \(number(Double(keys) / row.median / 1e3))"
          + String(repeating: " |", count: ours.count))
    }
    return lines.joined(separator: "\n")
  }

  private var notes: String {
    """
    Look-ups and scans: for one key; `prefix`: for one prefix with all its keys; `get-hit-two-threads`: for one key,
    both threads together. What fusedb 0.3.0 looks up includes the Python interpreter and a bytes object for each
    answer. tinycdb has no order, so its scan is in that of adding. `verify` in the first column proves everything; in
    the second it compares checksums alone, which is what fusedb 0.3.0 does. `build-table` is the command with a table
    of text, and its ratios are to the peers' `build`, which gets keys and objects in memory. `merge` is the command
    with ten files. Both have `--memory 512M`. `…-swaps`: while the file is taken anew a hundred times a second;
    `get-hit-over-plain`: what a look-up takes longer than in a plain reader, with the same questions in turns.
    `open-cold`: from the path to the first answer, when nothing of the file is in memory; `get-cold-p50` and `-p99`: the
    hundred quickest of 200 look-ups after that, each of another key, and all but two, take so long at most. Instructions are counted in a
    program of its own, with 20,000 keys (`Scripts/count-instructions`). See the [README](../README.md) for what each
    subject does.
    """
  }

  /// Three digits, or all that stand before the point.
  private func number(_ value: Double) -> String {
    switch value {
    case 100...: grouped(Int(value.rounded()))
    case 10...: String(format: "%.1f", value)
    case 1...: String(format: "%.2f", value)
    default: String(format: "%.3f", value)
    }
  }
}

/// A number with commas between thousands.
func grouped(_ number: Int) -> String {
  var digits = Array(String(number))
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: place)
    place -= 3
  }
  return String(digits)
}
