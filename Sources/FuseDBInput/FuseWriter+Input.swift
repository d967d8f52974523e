public import FuseDBFormat
internal import FuseDBSystem
public import FuseDBWriting

extension FuseWriter {
  /// Adds the records of files, on as many threads as the writer has.
  ///
  /// - Parameters:
  ///   - input: the files, and how their records are written.
  ///   - progress: is called now and then with what was read so far, on the calling thread.
  /// - Returns: how much was read.
  /// - Throws: ``FuseError`` with the file and the line: with code `invalidValue` for the first record that cannot be
  ///   read, `limitExceeded` for one that is too long, `notFound` when a file cannot be read; and as
  ///   ``addObject(_:)`` does. The records before it have been added already, so don't build with this writer.
  @discardableResult
  public func add(
    _ input: FuseInput, progress: (FuseInput.Counts) -> Void = { _ in }
  ) throws(FuseError) -> FuseInput.Counts {
    // All files must be readable before work begins that may take an hour.
    for path in input.paths { try Descriptor.checkReadable(path) }
    let memory = InputLoader.memory(of: options)
    var job = input.job(memory: memory, options)
    if input.skipsBadRecords { job.flaws = .skipped }
    let loader = try InputLoader(job, self)
    try loader.run { number throws(FuseError) in
      try InputFile(path: input.paths[number], windowByteCount: PackedInput.windowByteCount(memory: memory))
    } progress: {
      progress($0.totals)
    }
    if !input.allowsMissingFields { try loader.fields?.checkAllSeen(.library) }
    var totals = loader.totals
    (totals.skippedCount, totals.firstSkipped) = loader.skipped
    return totals
  }
}

extension FuseInput {
  /// The job of a loader for a writer that has `memory` bytes.
  fileprivate func job(memory: Int, _ options: FuseWriter.Options) -> InputLoader.Job {
    precondition(recordLimit ?? 1 > 0, "a record has at least a byte")
    precondition(
      addressRange == nil || options.onDuplicate != .collect,
      "an address of several ranges has no list of their objects")
    let files = files
    let isTable = files.contains { $0.format.isTable }
    precondition(!isTable || !keyFields.isEmpty || addressRange != nil, "a table needs keyFields or an addressRange")
    precondition(
      delimiter?.isValid ?? true, "a delimiter is a byte of ASCII, and neither a quote nor the end of a line")
    func bytes(_ names: [String]) -> [[UInt8]] { names.map { Array($0.utf8) } }
    var fields: FieldSelection?
    if !keyFields.isEmpty || addressRange != nil {
      fields = FieldSelection(
        keys: bytes(keyFields),
        range: addressRange.map { FieldSelection.Range(first: Array($0.first.utf8), last: Array($0.last.utf8)) },
        kept: bytes(keptFields), dropped: bytes(droppedFields))
    }
    let values =
      fields == nil && !(keptFields.isEmpty && droppedFields.isEmpty)
      ? FieldSelection(keys: [], kept: bytes(keptFields), dropped: bytes(droppedFields)) : nil
    var table = TableOptions(
      columns: columns.map { bytes($0) },
      types: Dictionary(uniqueKeysWithValues: types.map { (Array($0.key.utf8), $0.value) }), takesQuotes: takesQuotes,
      commentPrefix: Array(commentPrefix.utf8))
    table.delimiter = delimiter
    table.padsRows = padsRows
    table.nullWords = bytes(nullWords)
    table.lastColumnIsList = lastColumnIsList
    table.skipsRepeatedHeaders = skipsRepeatedHeaders
    let limit =
      recordLimit.map { RecordLimit(byteCount: $0, names: .library) } ?? RecordLimit(memory: memory, names: .library)
    var job = InputLoader.Job(
      inputs: files, fields: fields, table: table, threadCount: InputLoader.threadCount(of: options), memory: memory,
      limit: limit,
      records: recordsPath,
      // That the last one counts is the default, which says nothing of ranges.
      ranges: RangeOptions(overlap: overlap, onDuplicate: options.onDuplicate == .last ? nil : options.onDuplicate))
    job.valueFields = values
    if !languages.isEmpty { job.languages = bytes(languages) }
    return job
  }
}
