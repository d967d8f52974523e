public import FuseDBFormat
internal import FuseDBSystem
public import FuseDBWriting

/// Files of records that a database is built from: NDJSON, CSV, TSV or MessagePack, packed by gzip or zstd or not.
///
///     var input = FuseInput("networks.csv")    // network,asn,name
///     input.keyFields = ["network"]
///     input.types = ["asn": .int]
///     let writer = FuseWriter()
///     let read = try writer.add(input)         // read.recordCount == 585321
///     try writer.build(to: "networks.fsdb")
///
/// Without ``keyFields`` and ``addressRange`` each record says its keys itself, as `{"keys": ["8.8.8.8"], "value": …}`
/// in NDJSON: the form that `fusedb dump` writes. Such files and tables are read in a stream: however large one is, it
/// takes no more memory than the writer has. See spec/json.md, "Inputs".
public struct FuseInput: Sendable {
  /// The paths of the files, read in their order.
  public var paths: [String]
  /// How their records are written; nil for what the name of each says, and NDJSON where it says nothing.
  public var format: Format?
  /// The names of the fields, or columns, that hold keys. In NDJSON and MessagePack a field may hold a list of keys.
  public var keyFields: [String] = []
  /// The names of the fields that hold the first and the last address of a range: the CIDR blocks that cover it are keys.
  public var addressRange: (first: String, last: String)?
  /// The names of the fields that the object has; when there are none, all that hold no keys.
  public var keptFields: [String] = []
  /// Whether ``keyFields`` and ``keptFields`` may name a field that no record has. A table always needs its columns.
  public var allowsMissingFields = false
  /// The names of a table's columns; nil when its first row has them.
  public var columns: [String]?
  /// What the cells of a column hold, where that is not text. An empty cell of such a column is null.
  public var types: [String: FieldType] = [:]
  /// Whether a cell of a table may stand in quotes, as RFC 4180 says.
  public var takesQuotes = true
  /// What those lines of a table begin with that are passed over; empty when all lines are rows.
  public var commentPrefix = ""
  /// How many bytes a record may have, up to 8 GiB; nil for a thirty-second of the writer's memory, and at least 64 KiB.
  public var recordLimit: Int?

  /// - Parameters:
  ///   - paths: the files; at least one, and no more than 65,536.
  ///   - format: how their records are written; nil for what the name of each says.
  public init(_ paths: String..., format: Format? = nil) { self.init(paths: paths, format: format) }

  /// - Parameters:
  ///   - paths: the files; at least one, and no more than 65,536.
  ///   - format: how their records are written; nil for what the name of each says.
  public init(paths: [String], format: Format? = nil) {
    precondition(
      (1...InputPosition.mostInputs).contains(paths.count), "an input has 1 to \(InputPosition.mostInputs) files")
    self.paths = paths
    self.format = format
  }

  /// How much was read.
  public struct Counts: Sendable, Equatable {
    /// The records that were read, each an object.
    public var recordCount = 0
    /// The keys that they gave, repeated ones included.
    public var keyCount = 0
  }

  /// The files, and how the records of each are written.
  private var files: [(name: String, format: Format)] {
    paths.map { ($0, format ?? Format(guessedFrom: $0) ?? .ndjson) }
  }

  /// What a loader is told, where the writer has `memory` bytes.
  fileprivate func job(memory: Int, threadCount: Int) -> InputLoader.Job {
    precondition(recordLimit ?? 1 > 0, "a record has at least a byte")
    let files = files
    let isTable = files.contains { $0.format.isTable }
    precondition(!isTable || !keyFields.isEmpty || addressRange != nil, "a table needs keyFields or an addressRange")
    func bytes(_ names: [String]) -> [[UInt8]] { names.map { Array($0.utf8) } }
    var fields: FieldSelection?
    if !keyFields.isEmpty || addressRange != nil {
      fields = FieldSelection(
        keys: bytes(keyFields),
        range: addressRange.map { FieldSelection.Range(first: Array($0.first.utf8), last: Array($0.last.utf8)) },
        kept: bytes(keptFields))
    }
    let table = TableOptions(
      columns: columns.map { bytes($0) },
      types: Dictionary(uniqueKeysWithValues: types.map { (Array($0.key.utf8), $0.value) }), takesQuotes: takesQuotes,
      commentPrefix: Array(commentPrefix.utf8))
    let limit =
      recordLimit.map { RecordLimit(byteCount: $0, names: .library) } ?? RecordLimit(memory: memory, names: .library)
    return InputLoader.Job(
      inputs: files, fields: fields, table: table, threadCount: threadCount, memory: memory, limit: limit)
  }
}

extension FuseWriter {
  /// Adds the records of files, on as many threads as the writer has.
  ///
  /// - Parameters:
  ///   - input: what is read, and how.
  ///   - progress: is given what was read so far, now and then, on this thread.
  /// - Returns: how much was read.
  /// - Throws: ``FuseError`` with the file and the line: with code `invalidValue` for the first record that cannot be
  ///   read, `limitExceeded` for one that is too long, `notFound` when a file cannot be read; and as
  ///   ``addObject(_:)`` does. What was read before has been added: the writer is of no use then.
  @discardableResult
  public func add(
    _ input: FuseInput, progress: (FuseInput.Counts) -> Void = { _ in }
  ) throws(FuseError) -> FuseInput.Counts {
    // Before an hour's work: all files are there.
    for path in input.paths { try Descriptor.checkReadable(path) }
    let memory = InputLoader.memory(of: options)
    let loader = try InputLoader(input.job(memory: memory, threadCount: InputLoader.threadCount(of: options)), self)
    try loader.run { number throws(FuseError) in
      try InputFile(path: input.paths[number], windowByteCount: PackedInput.windowByteCount(memory: memory))
    } progress: {
      progress($0.totals)
    }
    if !input.allowsMissingFields { try loader.fields?.checkAllSeen(.library) }
    return loader.totals
  }
}
