import Foundation

extension CompactBenchmark {
  /// What files of other kinds take in both forms, by the command.
  func measureSizes() throws -> String {
    note("sizes")
    let unicode = "/usr/share/unicode/UnicodeData.txt"
    let users = folder + "/users.tsv"
    try writeUsers(to: users, count: 1_000_000)
    let small = folder + "/small"
    defer {
      for path in [users, small + ".fsdb", small + ".c.fsdb"] { try? FileManager.default.removeItem(atPath: path) }
    }
    var lines = ["| file | version 2 | compact | ratio |", "|---|---:|---:|---:|"]
    func row(_ name: String, _ arguments: [String]) throws {
      _ = try output(command, ["build", small + ".fsdb"] + arguments + ["--quiet"])
      _ = try output(command, ["build", small + ".c.fsdb"] + arguments + ["--compact", "--quiet"])
      let sizes = try [small + ".fsdb", small + ".c.fsdb"].map { try Self.size($0) }
      lines.append(
        "| \(name) | \(grouped(sizes[0])) | \(grouped(sizes[1])) | \(String(format: "%.3f", Double(sizes[1]) / Double(sizes[0]))) |"
      )
    }
    try row("a million users by e-mail", [users, "--key", "email"])
    let columns =
      "code,name,category,combining,bidi,decomposition,decimal,digit,numeric,mirrored,old,comment,upper,lower,title"
    try row(
      "UnicodeData", [unicode, "--delimiter", ";", "--no-quotes", "--columns", columns, "--key", "code"])
    for name in ["oui", "geo"] {
      let path = "../build/demo/\(name).fsdb"
      guard FileManager.default.fileExists(atPath: path) else {
        lines.append("| \(name), of `make demo` | not there | | |")
        continue
      }
      _ = try output(command, ["convert", path, small + ".c.fsdb", "--compact", "--quiet"])
      let sizes = try [path, small + ".c.fsdb"].map { try Self.size($0) }
      lines.append(
        "| \(name), of `make demo` | \(grouped(sizes[0])) | \(grouped(sizes[1])) | \(String(format: "%.3f", Double(sizes[1]) / Double(sizes[0]))) |"
      )
    }
    return "## Sizes in bytes\n\n" + lines.joined(separator: "\n")
  }

  /// A table of users: each has members of their own.
  private func writeUsers(to path: String, count: Int) throws {
    var random = SplitMix64(seed: 22)
    var text = "email\tid\tname\tplan\tcountry\tcreated\n"
    func word(_ words: [[UInt8]]) -> String { String(decoding: words[random.next(below: words.count)], as: UTF8.self) }
    let plans = ["free", "team", "business", "enterprise"]
    for number in 0..<count {
      let (first, last) = (word(KeyShapes.animals), word(KeyShapes.words))
      let day = 1 + random.next(below: 28)
      text += "\(first).\(last)\(number)@example.com\t\(number)\t\(first) \(last)\t\(plans[random.next(below: 4)])\t"
      text +=
        "\(["DE", "US", "FR", "JP", "BR", "IN"][random.next(below: 6)])\t20\(10 + random.next(below: 16))-\(10 + random.next(below: 3))-\(day)\n"
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }
}
