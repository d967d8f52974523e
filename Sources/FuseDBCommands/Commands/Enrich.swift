internal import FuseDB
internal import FuseDBInput

/// `fusedb enrich`: adds to lines what databases know of a field.
struct Enrich: Command {
  var sources: [EnrichSource]
  var inputs: [InputName]
  var output: String?
  var outputLink: OutputLink
  var overwrites: Bool
  var table: EnrichPlan.Table?
  var existing: EnrichPlan.Existing
  var badLines: EnrichPlan.BadLines
  /// What stands for what is absent, as MessagePack.
  var absent: [UInt8]?
  var limit: RecordLimit
  var threadCount: Int
  var printsJSON: Bool
  var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    let path = try arguments.path("FILE")
    let words = try arguments.remainingPaths("INPUT")
    sources = try Self.sources(first: path, arguments)
    let format: FuseInput.Format? = try arguments.choice(
      of: "--format", ["ndjson": .ndjson, "csv": .csv, "tsv": .tsv])
    inputs = (words.isEmpty ? [Arguments.standardInput] : words).map { InputName($0, format: format) }
    guard !inputs.contains(where: { $0.path == "" }) else { throw arguments.emptyPath("INPUT") }
    guard inputs.count(where: { $0.path == nil }) <= 1 else {
      throw arguments.error("standard input can be read only once")
    }
    guard let kind = inputs.first?.format, inputs.allSatisfy({ $0.format == kind }) else {
      throw arguments.error(
        "the INPUTs are of several formats, and what is written has one; say --format, or enrich them apart")
    }
    guard kind != .msgpack else { throw arguments.error("lines are NDJSON, CSV or TSV, and not MessagePack") }
    output = try arguments.path(of: Arguments.outputOption.name, "OUTPUT")
    try arguments.requireFile(output, "OUTPUT")
    outputLink = try arguments.outputLink()
    overwrites = arguments.has("--overwrite")
    for option in ["--overwrite", Arguments.linkOption.name] where arguments.has(option) && output == nil {
      throw arguments.error("\(option) is about the file that -o OUTPUT names")
    }
    existing =
      try arguments.choice(
        of: "--existing", ["error": .error, "keep": .keep, "replace": .replace]) ?? .error
    badLines = try arguments.choice(of: "--bad-lines", ["fail": .fail, "keep": .keep, "drop": .drop]) ?? .fail
    absent = try Self.absent(arguments)
    limit = RecordLimit(byteCount: 16 << 20)
    if let text = arguments.text(of: "--record-limit") {
      guard let size = Arguments.byteCount(text), (1...RecordLimit.mostBytes).contains(size) else {
        throw arguments.error(
          "the option --record-limit takes bytes up to 8G, or a number with K, M or G as in 64M, and not '\(text)'")
      }
      limit = RecordLimit(byteCount: size)
    }
    threadCount = try arguments.resources().threadCount ?? Parallel.processorCount
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
    table = try Self.table(kind, arguments)
  }

  private static func absent(_ arguments: borrowing Arguments) throws(UsageError) -> [UInt8]? {
    guard let text = arguments.text(of: "--default") else { return nil }
    do throws(FuseError) {
      return try FuseJSON.messagePack(from: text)
    } catch {
      throw arguments.error("--default takes JSON, such as null or '\"none\"', and not '\(text)': \(error.message)")
    }
  }

  private static func table(
    _ format: FuseInput.Format, _ arguments: borrowing Arguments
  ) throws(UsageError) -> EnrichPlan.Table? {
    guard format.isTable else {
      for option in ["--columns", "--no-quotes", "--skip-comments"] where arguments.has(option) {
        throw arguments.error(
          "\(option) is for tables, and no input is one; say --format csv or --format tsv if it is one")
      }
      return nil
    }
    let prefix = arguments.values(of: "--skip-comments").first
    if let prefix {
      guard !prefix.isEmpty, !prefix.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else {
        throw arguments.error("--skip-comments takes what comments begin with, as in --skip-comments '#'")
      }
    }
    let columns = arguments.values(of: "--columns").first.map {
      $0.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { [UInt8]($0) }
    }
    return EnrichPlan.Table(
      separator: format.separator, takesQuotes: !arguments.has("--no-quotes"), commentPrefix: prefix ?? [],
      columns: columns)
  }

  // MARK: Sources

  /// Options that belong to the FILE before them.
  private static func sources(first path: String, _ arguments: borrowing Arguments) throws(UsageError) -> [EnrichSource]
  {
    var groups = [SourceOptions(path: path)]
    for (option, value) in arguments.inOrder {
      if option == "--from" {
        let text = String(decoding: value, as: UTF8.self)
        guard !value.isEmpty else { throw arguments.emptyPath("OTHER") }
        guard Array(text.utf8) == value else {
          throw arguments.error("the path \(quoted(value)) is not UTF-8; rename the file or make a link to it")
        }
        groups.append(SourceOptions(path: text))
      } else {
        try groups[groups.count - 1].take(option, value, arguments)
      }
    }
    var sources: [EnrichSource] = []
    for group in groups {
      guard let key = group.key ?? sources.last?.key else {
        throw arguments.error("--on FIELD is missing: it names the field of a line that holds the key")
      }
      sources.append(try group.source(key, arguments))
    }
    try checkTargets(sources, arguments)
    return sources
  }

  private static func checkTargets(_ sources: [EnrichSource], _ arguments: borrowing Arguments) throws(UsageError) {
    var targets = WantedPaths()
    var names: Set<[UInt8]> = []
    for (number, field) in sources.flatMap({ $0.fields }).enumerated() {
      guard targets.add(field: number, at: field.target), names.insert(field.columnName).inserted else {
        throw arguments.error(
          "two fields go to \(quoted(field.columnName)), or one into the other; give each a place of its own with --as")
      }
    }
  }

  /// What was said of one FILE.
  private struct SourceOptions {
    let path: String
    var key: FusePath?
    var matching: Get.Matching?
    var fields: [(path: FusePath, text: [UInt8], target: FusePath?)] = []
    /// Where the whole value goes.
    var wholeTarget: FusePath?
    var keyTarget: FusePath?

    mutating func take(_ option: String, _ value: [UInt8], _ arguments: borrowing Arguments) throws(UsageError) {
      switch option {
      case "--on":
        try requireNone(key, option, arguments)
        key = FusePath(value)
      case "--match":
        try requireNone(matching, option, arguments)
        matching = try arguments.matching(value)
      case "--field":
        guard wholeTarget == nil else {
          throw arguments.error("--as follows the --field that it is for; before any --field it is for a whole value")
        }
        fields.append((FusePath(value), value, nil))
      case "--as":
        if fields.isEmpty {
          try requireNone(wholeTarget, option, arguments)
          wholeTarget = FusePath(value)
        } else {
          try requireNone(fields[fields.count - 1].target, option, arguments)
          fields[fields.count - 1].target = FusePath(value)
        }
      case "--matched-key":
        try requireNone(keyTarget, option, arguments)
        keyTarget = FusePath(value)
      default: break
      }
    }

    private func requireNone<Value>(
      _ value: Value?, _ option: String, _ arguments: borrowing Arguments
    ) throws(UsageError) {
      guard value == nil else {
        let place = option == "--as" ? "for one field" : "for \(quoted(Array(path.utf8)))"
        throw arguments.error("the option \(option) is given twice \(place)")
      }
    }

    func source(_ key: FusePath, _ arguments: borrowing Arguments) throws(UsageError) -> EnrichSource {
      var source = EnrichSource(path: path, key: key, matching: matching)
      for field in fields {
        guard field.target != nil || !field.path.steps.contains(where: { $0.number != nil }) else {
          throw arguments.error("\(quoted(field.text)) has a number in it; say with --as where the field goes")
        }
        source.fields.append(EnrichSource.Field(content: .part(field.path), target: field.target ?? field.path))
      }
      if fields.isEmpty {
        guard wholeTarget != nil || !source.defaultName.isEmpty else {
          throw arguments.error("say with --as where the value goes")
        }
        source.fields.append(
          EnrichSource.Field(content: .value, target: wholeTarget ?? FusePath(name: source.defaultName)))
      }
      if let keyTarget { source.fields.append(EnrichSource.Field(content: .key, target: keyTarget)) }
      return source
    }
  }
}

extension Arguments {
  /// The rule that a word names.
  fileprivate func matching(_ word: [UInt8]) throws(UsageError) -> Get.Matching {
    let rules: [(String, Get.Matching)] = [
      ("exact", .exact), ("network", .network), ("domain", .domain), ("prefix", .prefix), ("email", .email),
    ]
    let text = String(decoding: word, as: UTF8.self)
    if let rule = rules.first(where: { $0.0 == text }) { return rule.1 }
    let names = rules.map { $0.0 }
    throw error(
      "the option --match takes \(listed(names, "or")), and not '\(text)'" + nearestName(to: text, among: names))
  }
}
