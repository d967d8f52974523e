internal import FuseDB

extension Arguments {
  /// Where a command writes.
  static let outputOption = Option.value(
    "--output", short: "-o", "OUTPUT", "the file to write; all operands are then inputs")
  /// What becomes of a link there.
  static let linkOption = Option.value(
    "--output-link", "follow|replace",
    "if OUTPUT is a symbolic link, replace the file it leads to, or the link itself (default: refuse)")
  /// What a new file must have.
  static let replacementOptions: [Option] = [
    .flag("--allow-empty", "write OUTPUT even if it has no keys"),
    .value("--least-keys", "N", "write no OUTPUT with fewer keys"),
    .value(
      "--greatest-shrink", "PERCENT",
      "replace no file by one that lacks more than PERCENT % of its keys"),
  ]
  /// No report.
  static func quietOption(_ help: String = "print no report and no progress") -> Option {
    .flag("--quiet", short: "-q", help)
  }

  /// The value of `--output`, or else the next operand.
  mutating func output() throws(UsageError) -> (path: String, isOption: Bool) {
    let option = try path(of: Self.outputOption.name, "OUTPUT")
    let output = if let option { option } else { try path("OUTPUT") }
    try requireFile(output, "OUTPUT")
    return (output, option != nil)
  }

  /// Throws where an output is to be standard output.
  func requireFile(_ output: String?, _ name: String) throws(UsageError) {
    guard output == Self.standardInput else { return }
    throw error("\(name) is a file that is written in one step, and cannot be '-'")
  }

  /// The value of `--output-link`.
  func outputLink() throws(UsageError) -> OutputLink {
    try choice(of: Self.linkOption.name, ["follow": .followed, "replace": .replaced, "refuse": .refused]) ?? .refused
  }

  /// The fewest keys that the new file may have. An empty one is mostly a slip: an input that was missing in a pipe.
  func leastKeyCount() throws(UsageError) -> Int {
    max(try count(of: "--least-keys") ?? 0, has("--allow-empty") ? 0 : 1)
  }

  /// The greatest share of keys that may be missing in the new file.
  func greatestShrink() throws(UsageError) -> Double? {
    try number(of: "--greatest-shrink", in: 0...100).map { $0 / 100 }
  }
}

extension FuseError {
  /// The same error; where it refuses the new file, with the options that would not.
  var withReplacementOptions: FuseError {
    guard code == .refused else { return self }
    // As the options are called here.
    let isEmpty = message.hasPrefix("the new file has 0 keys where 1 is the least")
    for (rule, option) in [
      ("leastKeyCount", isEmpty ? "--allow-empty" : "--least-keys"), ("greatestShrink", "--greatest-shrink"),
    ] {
      guard let sentence = message.removing(" (rule '\(rule)')") else { continue }
      return FuseError(
        code, sentence + "; look at the inputs, or let \(option) say that it is meant", offset: offset, path: path)
    }
    return self
  }
}

extension String {
  /// The text without a part, where it has that. (`split` and `contains` of texts would bring the library for regular
  /// expressions along, 1.4 MB.)
  fileprivate func removing(_ part: String) -> String? {
    let (all, part) = (Array(utf8), Array(part.utf8))
    guard let start = all.indices.first(where: { all[$0...].starts(with: part) }) else { return nil }
    return String(decoding: all[..<start] + all[(start + part.count)...], as: UTF8.self)
  }
}
