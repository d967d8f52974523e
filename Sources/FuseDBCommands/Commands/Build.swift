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
  /// Whether an option may name a field that no record has.
  var allowsMissingFields = false
  var printsJSON: Bool
  var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    (output, isOutputOption) = try arguments.output()
    var words = try arguments.remainingPaths("INPUT")
    try Self.check(output, isOption: isOutputOption, arguments)
    if words.isEmpty { words = [Arguments.standardInput] }
    let format: FuseInput.Format? = try arguments.choice(
      of: "--format", ["ndjson": .ndjson, "csv": .csv, "tsv": .tsv, "msgpack": .msgpack])
    inputs = words.map { InputName($0, format: format) }
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
    try parseFields(arguments)
    try parseTable(arguments)
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
    Overwriting.refusal(
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
      of: "--on-duplicate", ["last": .last, "first": .first, "error": .error])
    writerOptions.onDuplicate = onDuplicate ?? .last
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
  }

  private mutating func parseFields(_ arguments: borrowing Arguments) throws(UsageError) {
    let keys = arguments.values(of: "--key")
    let kept = arguments.values(of: "--keep")
    let range = try parseRange(arguments)
    allowsMissingFields = arguments.has("--allow-missing")
    if !keys.isEmpty || range != nil { fields = FieldSelection(keys: keys, range: range, kept: kept) }
    guard fields != nil || kept.isEmpty else {
      throw arguments.error(
        "--keep chooses fields of records, and those need --key FIELD or --range FIRST,LAST for the fields that give the keys"
      )
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

  private mutating func parseTable(_ arguments: borrowing Arguments) throws(UsageError) {
    table.takesQuotes = !arguments.has("--no-quotes")
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

  private func checkTable(_ arguments: borrowing Arguments) throws(UsageError) {
    guard inputs.contains(where: { $0.format.isTable }) else {
      for option in ["--columns", "--type", "--no-quotes", "--skip-comments"] where arguments.has(option) {
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
    for name in fields.keys.map({ $0.name }) + range + fields.kept.map({ $0.name }) + table.types.keys {
      guard columns.contains(name) else {
        throw arguments.error("--columns names no column \(quoted(name)), and another option does")
      }
    }
  }
}
