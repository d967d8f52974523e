internal import FuseDB
internal import FuseDBInput

extension Arguments {
  /// The options of commands that need memory, disk and time.
  static let resourceOptions: [Option] = [
    .value("--memory", "SIZE", "how much memory to use, such as 512M or 2G (default: a quarter of what is free)"),
    .value("--temp", "DIR", "the folder for a temporary file, if memory does not suffice (default: that of OUTPUT)"),
    .value("--threads", "N", "how many threads to use (default: one for each processor)"),
  ]
  private static let leastMemory = 16 << 20
  static let mostThreads = 1024

  /// The option of commands that write databases.
  static let compactOption = Option.flag(
    "--compact", orValue: "fast",
    "write the compact form, of half the bytes, which fusedb 0.3.0 cannot read; fast leaves keys as they are")

  /// The form that it asks for; nil where it is not given.
  func form() throws(UsageError) -> FuseWriter.Form? {
    guard has("--compact") else { return nil }
    guard let word = text(of: "--compact"), !word.isEmpty else { return .compact }
    guard word == "fast" else { throw wrongChoice(of: "--compact", word, among: ["fast"]) }
    return .compactFast
  }

  /// The values of those options; nil where they are not given.
  struct Resources {
    var memory: Int?
    var temporaryFolder: String?
    var threadCount: Int?
  }

  /// Takes those options.
  func resources() throws(UsageError) -> Resources {
    var resources = Resources()
    resources.memory = try size(of: "--memory")
    if let size = resources.memory, size < Self.leastMemory {
      throw error("the option --memory takes 16M at least, and not '\(text(of: "--memory") ?? "")'")
    }
    if let folder = values(of: "--temp").first {
      guard !folder.isEmpty else { throw error("the option --temp takes the path of a folder") }
      resources.temporaryFolder = String(path: folder)
    }
    resources.threadCount = try count(of: "--threads", in: 1...Self.mostThreads)
    return resources
  }

  /// The size that an option names; nil where it is not given.
  func size(of option: String) throws(UsageError) -> Int? {
    guard let text = text(of: option) else { return nil }
    guard let size = Self.byteCount(text) else {
      if Self.isByteCount(text) { throw error("the option \(option) takes at most 8388607T, and not '\(text)'") }
      throw error("the option \(option) takes bytes, or a number with K, M, G or T as in 512M, and not '\(text)'")
    }
    return size
  }

  /// The size that a text spells: bytes, or steps of 1,024 with K, M, G or T after the number, in either case and with or
  /// without `B` or `iB`. Nil for anything else.
  static func byteCount(_ text: String) -> Int? {
    let (digits, power) = sizeParts(text)
    guard let power, let number = Int(digits) else { return nil }
    let (size, overflows) = number.multipliedReportingOverflow(by: 1 << (10 * power))
    return overflows ? nil : size
  }

  /// Whether a text spells a size, however large.
  private static func isByteCount(_ text: String) -> Bool {
    let (digits, power) = sizeParts(text)
    return !digits.isEmpty && power != nil
  }

  /// The digits of a size, and the power of 1,024 that follows them; nil for another unit.
  private static func sizeParts(_ text: String) -> (digits: String, power: Int?) {
    let digits = text.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    var unit = text.dropFirst(digits.count).uppercased()
    if unit.hasSuffix("IB"), unit.count == 3 { unit.removeLast(2) }
    if unit.hasSuffix("B"), unit.count <= 2 { unit.removeLast() }
    return (String(digits) ?? "", ["", "K", "M", "G", "T"].firstIndex(of: unit))
  }
}

extension Arguments {
  /// Where a command writes.
  static let outputOption = Option.value(
    "--output", short: "-o", "OUTPUT", "the file to write; all operands are then inputs")
  /// What to do where OUTPUT is a symbolic link.
  static let linkOption = Option.value(
    "--output-link", "follow|replace",
    "if OUTPUT is a symbolic link, replace the file it leads to, or the link itself (default: refuse)")
  /// How many keys a new file must have.
  static let replacementOptions: [Option] = [
    .flag("--allow-empty", "write OUTPUT even if it has no keys"),
    .value("--least-keys", "N", "write no OUTPUT with fewer keys"),
    .value(
      "--greatest-shrink", "PERCENT",
      "replace no file by one that lacks more than PERCENT % of its keys"),
  ]
  /// The option for no report, with its help.
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

  /// The file that results are to go to instead of to standard output.
  func printingOutput() throws(UsageError) -> String? {
    guard let output = try path(of: Self.outputOption.name, "OUTPUT") else {
      guard !has("--overwrite") else { throw error("--overwrite is for -o OUTPUT") }
      return nil
    }
    try requireFile(output, "OUTPUT")
    if let refusal = Overwriting.refusalToPrint(to: output, isMeant: has("--overwrite")) { throw error(refusal) }
    return output
  }

  /// Throws where `output` is `-`. `name` is for the message.
  func requireFile(_ output: String?, _ name: String) throws(UsageError) {
    guard output == Self.standardInput else { return }
    throw error("\(name) is a file that is written in one step, and cannot be '-'")
  }

  /// The value of `--output-link`.
  func outputLink() throws(UsageError) -> OutputLink {
    try choice(of: Self.linkOption.name, ["follow": .followed, "replace": .replaced, "refuse": .refused]) ?? .refused
  }

  /// The fewest keys that the new file may have. An empty file is mostly a mistake: an input was missing in a pipe.
  func leastKeyCount() throws(UsageError) -> Int {
    max(try count(of: "--least-keys") ?? 0, has("--allow-empty") ? 0 : 1)
  }

  /// The greatest share of keys that may be missing in the new file.
  func greatestShrink() throws(UsageError) -> Double? {
    try number(of: "--greatest-shrink", in: 0...100).map { $0 / 100 }
  }
}

extension FuseError {
  /// The error of a command that replaces a file. Where it refuses the new one, it has the option that permits it.
  var withReplacementOptions: FuseError {
    guard code == .refused else { return withOptionNames }
    let isEmpty = message.hasPrefix("the new file has 0 keys where 1 is the least")
    for (rule, option) in [
      ("leastKeyCount", isEmpty ? "--allow-empty" : "--least-keys"), ("greatestShrink", "--greatest-shrink"),
    ] {
      guard let sentence = message.replacing(" (rule '\(rule)')", by: "") else { continue }
      return FuseError(
        code, sentence + "; look at the inputs, or let \(option) say that it is meant", offset: offset, path: path)
    }
    return withOptionNames
  }

  /// The same error with the name of an option where it has that of a rule.
  var withOptionNames: FuseError {
    for (rule, option) in [
      ("leastKeyCount", "--least-keys"), ("greatestShrink", "--greatest-shrink"), ("allowsEmpty", "--allow-empty"),
      ("requiredKeys", "--require"),
    ] {
      guard let text = message.replacing("rule '\(rule)'", by: "option \(option)") else { continue }
      return FuseError(code, text, offset: offset, path: path, errno: errno)
    }
    return self
  }
}

extension String {
  /// The text with `other` instead of the first `part`; nil where it has none. (`split` and `contains` of texts would bring
  /// the library for regular expressions along, 1.4 MB.)
  fileprivate func replacing(_ part: String, by other: String) -> String? {
    let (all, part) = (Array(utf8), Array(part.utf8))
    guard let start = all.indices.first(where: { all[$0...].starts(with: part) }) else { return nil }
    return String(decoding: all[..<start] + Array(other.utf8) + all[(start + part.count)...], as: UTF8.self)
  }
}

extension Arguments {
  /// The option `--meta K=V`, of the commands that write a file.
  static let metadataOption = Option.value(
    "--meta", "K=V", "metadata of the file, such as source=... or built=...; may be repeated", repeats: true)

  /// Names and texts of `--meta`; nil where it is not given.
  func metadata() throws(UsageError) -> [String: String]? {
    let words = values(of: Self.metadataOption.name)
    guard !words.isEmpty else { return nil }
    var metadata: [String: String] = [:]
    for word in words {
      guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else {
        throw error("--meta takes K=V, and \(quoted(word)) has no '='")
      }
      guard equals > 0 else { throw error("--meta takes K=V, and in \(quoted(word)) K is empty") }
      guard let name = String(validating: word[..<equals], as: UTF8.self),
        let text = String(validating: word[(equals + 1)...], as: UTF8.self)
      else { throw error("--meta takes text, and \(quoted(word)) is not UTF-8") }
      guard metadata.updateValue(text, forKey: name) == nil else {
        throw error("--meta names \(quoted(Array(name.utf8))) twice")
      }
    }
    return metadata
  }
}

extension Arguments {
  /// How many shards there are.
  static let shardsOption = Option.value(
    "--shards", "N", "write a set of N shards into the folder OUTPUT, 1 to 65536")
  static let shardBytesOption = Option.value(
    "--shard-bytes", "SIZE",
    "the same of the fewest shards, a power of two, that have no more bytes on average, such as 256M")

  /// What those say; nil where neither is given.
  func shardPlan() throws(UsageError) -> ShardPlan? {
    let count = try count(of: "--shards", in: 1...ShardRule.mostShards)
    guard let text = text(of: "--shard-bytes") else { return count.map { .rule(.hash(count: $0)) } }
    guard count == nil else {
      throw error("--shards and --shard-bytes both say how many shards there are; give one of them")
    }
    guard let size = Self.byteCount(text), size > 0 else {
      throw error("the option --shard-bytes takes bytes, or a number with K, M, G or T as in 256M, and not '\(text)'")
    }
    return .shardByteCount(size)
  }
}

/// The folder beside a set, whatever slashes its path ends in.
func folder(ofSet path: String) -> String {
  var bytes = path.utf8[...]
  while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
  return folder(of: String(bytes) ?? path)
}

/// The folder of `output`, the default for temporary files: that disk has room for the output, and mostly for as much again.
func folder(of output: String) -> String {
  // By bytes: a slash with a combining accent after it is one character.
  output.utf8.lastIndex(of: UInt8(ascii: "/")).flatMap { String(output.utf8[...$0]) } ?? "."
}
