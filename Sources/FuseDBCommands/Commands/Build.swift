internal import FuseDB
internal import FuseDBInput

/// `fusedb build`: makes a database from records.
struct Build: Command {
  var output: String
  private var isOutputOption: Bool
  var inputs: [InputName]
  var fields: FieldSelection?
  var table = TableOptions()
  var ranges = RangeOptions()
  var writerOptions = FuseWriter.Options()
  /// How many bytes a record may have; nil for a share of the memory.
  var recordLimit: Int?
  /// Where the array of the records is in JSON.
  var records: FusePath?
  /// What happens to bad records.
  var flaws = FlawPolicy.told(atMost: 1)
  /// Which fields of values stay, where records have keys of their own.
  var valueFields: FieldSelection?
  /// Of MaxMind DB files, the languages whose names stay; nil for all.
  var languages: [[UInt8]]?
  /// Whether an option may name a field that no record has.
  var allowsMissingFields = false
  /// How the output is divided into shards; nil where it is one file.
  var shards: ShardPlan?
  var printsJSON: Bool
  var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    (output, isOutputOption) = try arguments.output()
    var words = try arguments.remainingPaths("INPUT")
    try Self.check(output, isOption: isOutputOption, arguments)
    if words.isEmpty { words = [Arguments.standardInput] }
    let format: FuseInput.Format? = try arguments.choice(
      of: "--format", ["ndjson": .ndjson, "json": .json, "csv": .csv, "tsv": .tsv, "msgpack": .msgpack, "mmdb": .mmdb])
    table.delimiter = try Self.delimiter(arguments, format)
    let otherwise: FuseInput.Format = table.delimiter == nil ? .ndjson : .csv
    inputs = words.map { InputName($0, format: format, otherwise: otherwise) }
    guard !inputs.contains(where: { $0.path == "" }) else { throw arguments.emptyPath("INPUT") }
    guard inputs.count <= InputPosition.mostInputs else {
      throw arguments.error("there are \(inputs.count) INPUTs, and \(InputPosition.mostInputs) are possible")
    }
    guard inputs.count(where: { $0.path == nil }) <= 1 else {
      throw arguments.error("standard input can be read only once")
    }
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
    try parseWriterOptions(arguments)
    try parseKeyRules(arguments)
    try parseRecordLimit(arguments)
    try parseRecords(arguments)
    try parseFlaws(arguments)
    try parseFields(arguments)
    try parseTable(arguments)
    try parseMaxMind(arguments)
    try parseShards(arguments)
  }

  private mutating func parseShards(_ arguments: borrowing Arguments) throws(UsageError) {
    shards = try arguments.shardPlan()
    guard shards != nil else { return }
    guard writerOptions.order == .key, writerOptions.sharing == .identicalObjects else {
      throw arguments.error(
        "shards are in the order of keys and store objects once; leave out --order and --objects, or --shards")
    }
  }

  /// Whether an input is a MaxMind DB.
  var hasMaxMind: Bool { inputs.contains { $0.format == .mmdb } }

  private mutating func parseMaxMind(_ arguments: borrowing Arguments) throws(UsageError) {
    if let word = arguments.values(of: "--languages").first {
      guard hasMaxMind else {
        throw arguments.error("--languages is for MaxMind DB files, and no input is one; say --format mmdb if one is")
      }
      let names = word.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { [UInt8]($0) }
      guard !names.contains([]) else {
        throw arguments.error("--languages takes languages with commas between them, as in --languages en,pt-BR")
      }
      languages = names
    }
    guard !arguments.has("--family") else {
      guard writerOptions.form == .family else {
        throw arguments.error("--family and --compact are two forms; give one of them")
      }
      return
    }
    // Values of an MMDB share parts, which version 2 has to write again and again. What has no place in the compact form is asked for instead of it.
    if hasMaxMind, writerOptions.layout == .indexed, !writerOptions.reverseIndex, !arguments.has("--compact") {
      writerOptions.form = .compact
    }
  }

  private static let mostFlaws = 1000

  private mutating func parseFlaws(_ arguments: borrowing Arguments) throws(UsageError) {
    if let count = try arguments.count(of: "--max-errors", in: 1...Self.mostFlaws) {
      guard !arguments.has("--skip-bad-rows") else {
        throw arguments.error(
          "--max-errors is for a build that fails, and --skip-bad-rows for one that does not; give one of them")
      }
      flaws = .told(atMost: count)
    }
    if arguments.has("--skip-bad-rows") { flaws = .skipped }
  }

  private mutating func parseRecords(_ arguments: borrowing Arguments) throws(UsageError) {
    guard let path = arguments.values(of: "--records").first else { return }
    guard inputs.contains(where: { $0.format == .json || $0.format == .ndjson }) else {
      throw arguments.error("--records is for JSON, and no input is; say --format json if one is")
    }
    guard !path.isEmpty else {
      throw arguments.error("--records takes the path of an array, as in --records data.items")
    }
    records = FusePath(path)
  }

  /// Refuses an OUTPUT that looks like an input: data would be overwritten by mistake.
  private static func check(_ output: String, isOption: Bool, _ arguments: borrowing Arguments) throws(UsageError) {
    guard FuseInput.Format(guessedFrom: output) == nil else {
      throw arguments.error(
        "'\(output)' looks like an INPUT\(isOption ? "" : ", and OUTPUT comes first"); give OUTPUT another ending, as in networks.fsdb"
      )
    }
  }

  /// Why ``output`` must not be overwritten.
  var refusalToOverwrite: String? {
    if shards != nil { return Overwriting.refusalOfSet(output) }
    return Overwriting.refusal(
      of: output, unless: Overwriting.database, links: writerOptions.outputLink,
      advice: (isOutputOption ? "" : "OUTPUT comes first: ") + "give it another name, or remove that file")
  }

  private mutating func parseWriterOptions(_ arguments: borrowing Arguments) throws(UsageError) {
    writerOptions.layout = arguments.has("--plain") ? .plain : .indexed
    if let metadata = try arguments.metadata() {
      guard writerOptions.layout == .indexed else {
        throw arguments.error("--meta needs the index that --plain leaves out; give one of them")
      }
      writerOptions.metadata = metadata
    }
    if let form = try arguments.form() {
      guard writerOptions.layout == .indexed else {
        throw arguments.error("--compact files have their index always, and --plain leaves it out; give one of them")
      }
      guard !arguments.has("--reverse-index") else {
        throw arguments.error("--compact files have no place for --reverse-index; give one of them")
      }
      writerOptions.form = form
    }
    writerOptions.reverseIndex = arguments.has("--reverse-index")
    writerOptions.keyLengths = arguments.has("--key-lengths")
    for option in ["--reverse-index", "--key-lengths"] where arguments.has(option) && writerOptions.layout == .plain {
      throw arguments.error("\(option) needs the index that --plain leaves out; give one of them")
    }
    writerOptions.order = try arguments.choice(of: "--order", ["key": .key, "insertion": .insertion]) ?? .key
    // In insertion order every object is kept, as version 0.3.0 does.
    let sharing: FuseWriter.Sharing = writerOptions.order == .key ? .identicalObjects : .none
    writerOptions.sharing =
      try arguments.choice(of: "--objects", ["shared": .identicalObjects, "every": .none]) ?? sharing
    let resources = try arguments.resources()
    writerOptions.memory = resources.memory
    writerOptions.temporaryFolder = resources.temporaryFolder
    writerOptions.threadCount = resources.threadCount
    writerOptions.leastKeyCount = try arguments.leastKeyCount()
    writerOptions.greatestShrink = try arguments.greatestShrink()
    writerOptions.outputLink = try arguments.outputLink()
    writerOptions.keepsOtherFiles = true
    let onDuplicate: FuseWriter.DuplicatePolicy? = try arguments.choice(
      of: "--on-duplicate", ["last": .last, "first": .first, "error": .error, "collect": .collect])
    writerOptions.onDuplicate = onDuplicate ?? .last
    if onDuplicate == .collect {
      guard writerOptions.order == .key else {
        throw arguments.error("--on-duplicate collect makes new objects, and --order insertion is that of the old ones")
      }
      guard !arguments.has("--range") else {
        throw arguments.error(
          "--on-duplicate collect is for keys, and of ranges the innermost or --overlap says which one counts")
      }
    }
    let overlap: FuseInput.Overlap? = try arguments.choice(
      of: "--overlap", ["first": .first, "last": .last, "smallest": .smallest])
    guard overlap == nil || arguments.has("--range") else {
      throw arguments.error("--overlap is for ranges of addresses, which --range FIRST,LAST names")
    }
    ranges = RangeOptions(overlap: overlap, onDuplicate: onDuplicate)
  }

  /// What keys are, and how they are written.
  private mutating func parseKeyRules(_ arguments: borrowing Arguments) throws(UsageError) {
    writerOptions.normalisation = try arguments.choice(
      of: "--normalise", ["network": .network, "domain": .domain, "lower": .lower, "mac": .mac])
    writerOptions.masksHostBits = arguments.has("--mask-host-bits")
    let isIndexed = writerOptions.layout == .indexed
    for option in ["--network", "--normalise"] where arguments.has(option) && !isIndexed {
      throw arguments.error("\(option) needs the index that --plain leaves out; give one of them")
    }
    if arguments.has("--range") {
      guard writerOptions.normalisation != .mac else {
        throw arguments.error(
          "--normalise mac is for MAC addresses, and the keys of --range are blocks of IP addresses")
      }
      writerOptions.networks = isIndexed ? .always : .never
    }
    if arguments.has("--network") { writerOptions.networks = .always }
    if let rule = writerOptions.metadata[KeyNormalisation.metadataName],
      let normalisation = writerOptions.normalisation,
      rule != normalisation.rawValue
    {
      throw arguments.error(
        "--meta and --normalise name two rules, \(rule) and \(normalisation); give --normalise alone")
    }
  }

  private mutating func parseRecordLimit(_ arguments: borrowing Arguments) throws(UsageError) {
    guard let text = arguments.text(of: "--record-limit") else { return }
    guard let size = Arguments.byteCount(text), (1...RecordLimit.mostBytes).contains(size) else {
      throw arguments.error(
        "the option --record-limit takes bytes up to 8G, or a number with K, M or G as in 64M, and not '\(text)'")
    }
    recordLimit = size
    writerOptions.mostListBytes = size
  }

  private mutating func parseFields(_ arguments: borrowing Arguments) throws(UsageError) {
    let keys = arguments.values(of: "--key")
    let kept = arguments.values(of: "--keep")
    let dropped = arguments.values(of: "--drop")
    let range = try parseRange(arguments)
    allowsMissingFields = arguments.has("--allow-missing")
    if !keys.isEmpty || range != nil {
      fields = FieldSelection(keys: keys, range: range, kept: kept, dropped: dropped)
    } else if !kept.isEmpty || !dropped.isEmpty {
      valueFields = FieldSelection(keys: [], kept: kept, dropped: dropped)
    }
  }

  private func parseRange(_ arguments: borrowing Arguments) throws(UsageError) -> FieldSelection.Range? {
    guard let word = arguments.values(of: "--range").first else { return nil }
    let names = word.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { [UInt8]($0) }
    guard names.count == 2, !names.contains([]) else {
      throw arguments.error("--range takes the names of two fields, as in --range first,last, and not \(quoted(word))")
    }
    return FieldSelection.Range(first: names[0], last: names[1])
  }

  /// What stands between the cells of all tables.
  private static func delimiter(
    _ arguments: borrowing Arguments, _ format: FuseInput.Format?
  ) throws(UsageError) -> FuseInput.Delimiter? {
    guard let word = arguments.values(of: "--delimiter").first else { return nil }
    guard format == nil || format == .csv else {
      throw arguments.error("--delimiter is for tables whose format is not said, or csv; give no other --format")
    }
    switch word {
    case Array("whitespace".utf8): return .whitespace
    case Array("tab".utf8), Array("\\t".utf8): return .byte(UInt8(ascii: "\t"))
    default:
      guard word.count == 1, FuseInput.Delimiter.byte(word[0]).isValid else {
        throw arguments.error(
          "--delimiter takes one character of ASCII but quotes and line ends, or tab, or whitespace, and not \(quoted(word))"
        )
      }
      return .byte(word[0])
    }
  }

  private mutating func parseTable(_ arguments: borrowing Arguments) throws(UsageError) {
    table.takesQuotes = !arguments.has("--no-quotes")
    table.padsRows = arguments.has("--pad-rows")
    table.nullWords = arguments.values(of: "--null")
    table.lastColumnIsList = arguments.has("--list-rest")
    table.skipsRepeatedHeaders = arguments.has("--skip-headers")
    if let prefix = arguments.values(of: "--skip-comments").first {
      guard !prefix.isEmpty, !prefix.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else {
        throw arguments.error("--skip-comments takes what comments begin with, as in --skip-comments '#'")
      }
      table.commentPrefix = prefix
    }
    if let columns = arguments.values(of: "--columns").first {
      let names = columns.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { [UInt8]($0) }
      guard Set(names).count == names.count else { throw arguments.error("--columns gives two columns the same name") }
      table.columns = names
    }
    for word in arguments.values(of: "--type") {
      // The last one: a name may contain '='.
      guard let equals = word.lastIndex(of: UInt8(ascii: "=")) else {
        throw arguments.error("--type takes FIELD=TYPE, and \(quoted(word)) has no '='")
      }
      let name = String(decoding: word[(equals + 1)...], as: UTF8.self)
      guard let type = FuseInput.FieldType(rawValue: name) else {
        let names = FuseInput.FieldType.allCases.map { $0.rawValue }
        throw arguments.error(
          "there is no type '\(name)'; there are \(listed(names, "and"))" + nearestName(to: name, among: names))
      }
      guard table.types.updateValue(type, forKey: Array(word[..<equals])) == nil else {
        throw arguments.error("--type names the field \(quoted(Array(word[..<equals]))) twice")
      }
    }
    try checkTable(arguments)
  }

  private static let tableOptions = [
    "--columns", "--type", "--delimiter", "--pad-rows", "--null", "--list-rest", "--skip-headers", "--no-quotes",
    "--skip-comments",
  ]

  private func checkTable(_ arguments: borrowing Arguments) throws(UsageError) {
    guard inputs.contains(where: { $0.format.isTable }) else {
      for option in Self.tableOptions where arguments.has(option) {
        throw arguments.error(
          "\(option) is for tables, and no input is one; say --format csv or --format tsv if it is one")
      }
      return
    }
    guard let fields else {
      throw arguments.error(
        "a table needs --key FIELD for each column that holds keys, or --range FIRST,LAST for ranges of addresses")
    }
    guard let columns = table.columns else { return }
    let range = fields.range.map { [$0.first, $0.last] } ?? []
    for name in fields.keys.map({ $0.name }) + range + fields.kept.map({ $0.name }) + fields.dropped.map({ $0.name })
      + table.types.keys
    {
      guard columns.contains(name) else {
        throw arguments.error(
          "--columns names no column \(quoted(name)), and another option does"
            + FieldSelection.nearest(to: name, among: columns))
      }
    }
  }
}
