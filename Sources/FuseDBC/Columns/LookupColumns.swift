public import CFuseDB
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

/// A column that is asked for.
private struct ColumnRequest {
  let name: String
  /// Nil for the whole value.
  private let path: PathBox?
  let steps: PathSteps?
  /// Nil where it is to be found.
  var type: ColumnType?

  init(_ column: fuse_column) throws(FuseError) {
    name = try text(column.name.data, column.name.size, "the name of a column")
    guard !name.utf8.contains(0) else { throw .slip("the name of a column holds a zero byte") }
    let path = try given(column.path, "the path of a column")
    self.path = column.path.data == nil ? nil : PathBox(path)
    steps = self.path?.steps
    type = try choice(
      column.type, "the type of a column",
      [nil, .bool, .int64, .uint64, .float64, .string, .bytes, .timestamp, .json, .messagePack])
  }

  /// Calls `body` with the part that the column is made of, unless the path leads nowhere.
  @inline(__always)
  func withPart(of view: FuseView, _ body: (FuseView) throws(FuseError) -> Void) throws(FuseError) {
    guard let steps else { return try body(view) }
    if let part = steps.part(of: view) { try body(part) }
  }
}

/// Where the parts of a column go. It counts no references, as millions of rows would feel: the request and the column are kept elsewhere.
private struct ColumnSink {
  private let steps: PathSteps?
  let column: Unmanaged<ColumnBuilder>
  let type: ColumnType

  init(_ steps: PathSteps?, _ column: ColumnBuilder) {
    self.steps = steps
    self.column = Unmanaged.passUnretained(column)
    type = column.type
  }

  /// Puts a part of an object into a row. Returns false where it is of another type.
  @inline(__always)
  func put(_ view: FuseView, in row: Int) throws(FuseError) -> Bool {
    guard let steps else { return try put(part: view, in: row) }
    guard let part = steps.part(of: view) else { return true }
    return try put(part: part, in: row)
  }

  @inline(__always)
  private func put(part: FuseView, in row: Int) throws(FuseError) -> Bool {
    // Nil is no value, but in a column of MessagePack.
    if part.isNil, type != .messagePack { return true }
    var failure: FuseError?
    let isSet = column._withUnsafeGuaranteedRef { column in
      do throws(FuseError) { return try column.set(part, in: row) } catch {
        failure = error
        return true
      }
    }
    if let failure { throw failure }
    return isSet
  }
}

/// Looks up keys by the column.
private struct ColumnLookup {
  /// So many keys are looked up before anything else is asked for.
  private static let rowsAtOnce = 1024
  private static let usualSample: UInt64 = 1000
  /// The name of the first column.
  static let found = "found"

  let reader: FuseReader
  let keys: ArrowKeys
  var requests: [ColumnRequest] = []
  let sampleSize: UInt64
  let refusesOthers: Bool
  let hasFound: Bool
  let match: ColumnMatch
  let isSmall: Bool
  var foundCount = 0
  var otherCount = 0

  init(_ reader: FuseReader, _ keys: ArrowKeys, _ options: fuse_columns_options) throws(FuseError) {
    self.reader = reader
    self.keys = keys
    for column in try array(options.columns, options.column_count, "columns") {
      requests.append(try ColumnRequest(column))
    }
    var names: Set<[UInt8]> = options.omits_found ? [] : [Array(Self.found.utf8)]
    for request in requests where !names.insert(Array(request.name.utf8)).inserted {
      throw .slip(
        request.name == Self.found && !options.omits_found
          ? "a column is called 'found', as the one that tells which keys are there; give it another name, or leave that one out"
          : "two columns are called \(quoted(Array(request.name.utf8))); give each a name of its own")
    }
    isSmall = options.has_small_offsets
    match = try choice(options.match, "match", ColumnMatch.allCases)
    sampleSize = options.sample_size == 0 ? Self.usualSample : options.sample_size
    refusesOthers = options.refuses_others
    hasFound = !options.omits_found
  }

  /// Calls `body` with the object of each key in order, or nil, for as long as it returns true.
  private func forEach(
    _ progress: ((Double) -> Void)?, _ body: (_ row: Int, _ object: RawSpan?) throws(FuseError) -> Bool
  ) throws(FuseError) {
    let spans = UnsafeMutablePointer<fuse_span>.allocate(capacity: Self.rowsAtOnce)
    defer { spans.deallocate() }
    var start = 0
    var goesOn = true
    while start < keys.count, goesOn {
      try Cancellation.check()
      let count = min(Self.rowsAtOnce, keys.count - start)
      for number in 0..<count {
        spans[number] = keys.isNull(start + number) ? fuse_span() : try keys.span(start + number)
      }
      var row = start
      do throws(FuseError) {
        try match.answer(try SpanKeys(spans, count), in: reader) { (number, object) throws(FuseError) in
          row = start + number
          goesOn = keys.isNull(row) ? try body(row, nil) : try body(row, object)
          row += 1
          return goesOn
        }
      } catch {
        throw row < start + count ? error.naming(spans[row - start]) : error
      }
      start += count
      progress?(Double(start) / Double(keys.count))
    }
  }

  /// Finds the types of columns that have none.
  mutating func findTypes() throws(FuseError) {
    guard requests.contains(where: { $0.type == nil }) else { return }
    var samples = [ColumnSample](repeating: ColumnSample(), count: requests.count)
    var seen: UInt64 = 0
    try forEach(nil) { (_, object) throws(FuseError) in
      guard let object else { return true }
      let view = try reader.view(of: object)
      for number in requests.indices where requests[number].type == nil {
        try requests[number].withPart(of: view) { samples[number].see($0) }
      }
      seen += 1
      return seen < sampleSize
    }
    for number in requests.indices where requests[number].type == nil { requests[number].type = samples[number].type }
  }

  /// Makes the columns; the first says what was found.
  mutating func run(_ progress: ((Double) -> Void)?) throws(FuseError) -> [ColumnBuilder] {
    let found = try ColumnBuilder(.bool, rowCount: keys.count)
    var columns: [ColumnBuilder] = []
    for request in requests {
      columns.append(try ColumnBuilder(request.type ?? .string, rowCount: keys.count, isSmall: isSmall))
    }
    let sinks = UnsafeMutableBufferPointer<ColumnSink>.allocate(capacity: columns.count)
    defer { sinks.deallocate() }
    for number in columns.indices {
      sinks.initializeElement(at: number, to: ColumnSink(requests[number].steps, columns[number]))
    }
    let all = [found] + columns
    // The columns live until the end.
    (foundCount, otherCount) = try withExtendedLifetime(all) { () throws(FuseError) in
      try fill(Unmanaged.passUnretained(found), UnsafeBufferPointer(sinks), progress)
    }
    return all
  }

  private func fill(
    _ found: Unmanaged<ColumnBuilder>, _ sinks: UnsafeBufferPointer<ColumnSink>, _ progress: ((Double) -> Void)?
  ) throws(FuseError) -> (found: Int, other: Int) {
    let reader = self.reader
    let refusesOthers = refusesOthers
    var (foundCount, otherCount) = (0, 0)
    try forEach(progress) { (row, object) throws(FuseError) in
      found._withUnsafeGuaranteedRef { $0.set(object != nil, in: row) }
      if let object {
        foundCount += 1
        let view = try reader.view(of: object)
        for number in sinks.indices where try !sinks[number].put(view, in: row) {
          otherCount += 1
          if refusesOthers { throw refusal(sinks[number].type, number, row) }
        }
      }
      for number in sinks.indices { sinks[number].column._withUnsafeGuaranteedRef { $0.end(row) } }
      return true
    }
    try reader.checkNotShrunk()
    return (foundCount, otherCount)
  }

  @inline(never)
  private func refusal(_ type: ColumnType, _ number: Int, _ row: Int) -> FuseError {
    FuseError(
      .invalidValue,
      "the value of column '\(requests[number].name)' in row \(row) does not go into Arrow's '\(type.format(isSmall: isSmall))'; ask for "
        + "another type, or let it be null", path: reader.path)
  }
}

/// Looks up an Arrow array of keys and makes Arrow columns of what is under them, without an object for each row.
@c @implementation
public func fuse_lookup_columns(
  _ reader: OpaquePointer?, _ keys_schema: UnsafePointer<ArrowSchema>?, _ keys: UnsafePointer<ArrowArray>?,
  _ options: UnsafePointer<fuse_columns_options>?, _ call: UnsafePointer<fuse_call>?,
  _ schema: UnsafeMutablePointer<ArrowSchema>?, _ array: UnsafeMutablePointer<ArrowArray>?,
  _ report: UnsafeMutablePointer<fuse_columns_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let reader: FuseReader = try object(reader, HandleKind.reader)
    let schema = try slot(schema, "schema")
    let array = try slot(array, "array")
    let slot = try ReportSlot(report, "report")
    let options = try FuseDBC.options(options, fuse_columns_options(), "options")
    var lookup = try ColumnLookup(reader, try ArrowKeys(keys_schema, keys), options)
    let columns = try longCall(call) { progress throws(FuseError) in
      try lookup.findTypes()
      return try lookup.run(progress)
    }
    let names = [ColumnLookup.found] + lookup.requests.map { $0.name }
    let first = lookup.hasFound ? 0 : 1
    let schemas = (first..<columns.count).map { number in
      ArrowSchema(names[number], columns[number].type.format(isSmall: lookup.isSmall), isNullable: number > 0)
    }
    schema.initialize(to: ArrowSchema("", "+s", isNullable: false, children: schemas))
    array.initialize(
      to: ArrowArray(rowCount: lookup.keys.count, children: columns.dropFirst(first).map { ArrowArray($0) }))
    var told = fuse_columns_report()
    told.row_count = UInt64(lookup.keys.count)
    told.found_count = UInt64(lookup.foundCount)
    told.other_count = UInt64(lookup.otherCount)
    slot.fill(told)
    return Status.ok
  }
}
