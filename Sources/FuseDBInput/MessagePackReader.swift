internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Reads records that are MessagePack values, one after the other. See spec/json.md, "MessagePack". [S3]
final class MessagePackReader {
  private let sink: RecordSink
  private let records: MessagePackRecords

  init(_ sink: RecordSink, fields: FieldSelection?, valueFields: FieldSelection? = nil) {
    self.sink = sink
    records = MessagePackRecords(sink, fields: fields, valueFields: valueFields)
  }

  /// Which fields of values stay in arrays of keys and a value; nil for all.
  var valueFields: FieldSelection? { records.valueFields }

  /// Which fields hold keys, or nil when there are only arrays of keys and a value.
  var fields: FieldSelection? { records.fields }

  /// Reads all records of `block`.
  ///
  /// - Throws: ``FuseError`` with the offset in the unpacked input; the sink knows the number of the record.
  func read(_ block: InputBlock) throws(FuseError) {
    let bytes = block.bytes
    var rest = block.range
    sink.line = block.firstLine
    while !rest.isEmpty {
      do throws(FuseError) {
        let record = bytes.rawSpan.extracting(rest)
        guard let byteCount = try MessagePackCursor.byteCountOfFirstValue(in: record) else {
          throw FuseError(
            .invalidValue, "the record ends in its middle; copy or write the input again", offset: UInt64(rest.count))
        }
        guard byteCount <= sink.limit.byteCount else { throw sink.limit.tooLongValue }
        let start = block.offset + rest.lowerBound - block.range.lowerBound
        try sink.attempt { () throws(FuseError) in
          do throws(FuseError) {
            try records.add(record.extracting(0..<byteCount))
          } catch {
            guard sink.goesOn else { throw error }
            let offset = UInt64(start + Int(clamping: error.offset ?? 0))
            throw FuseError(error.code, error.message, offset: offset, path: error.path, errno: error.errno)
          }
        }
        rest = rest.lowerBound + byteCount..<rest.upperBound
      } catch {
        // Counted from the start of the record.
        let offset = block.offset + rest.lowerBound - block.range.lowerBound + Int(clamping: error.offset ?? 0)
        throw FuseError(error.code, error.message, offset: UInt64(offset), path: error.path, errno: error.errno)
      }
      sink.line += 1
    }
  }
}

/// Takes records in MessagePack apart: arrays of keys and a value, or maps with named fields. See spec/json.md,
/// "MessagePack".
///
/// Offsets of its errors count within the record.
final class MessagePackRecords {
  private let sink: RecordSink
  /// Which fields hold keys, or nil when there are only arrays of keys and a value.
  private(set) var fields: FieldSelection?
  /// Which fields of values stay in arrays of keys and a value; nil for all.
  private(set) var valueFields: FieldSelection?
  // The offsets of the record's parts; kept, so that the memory is.
  private var keyValues: [Int] = []
  private var keptPairs: [Range<Int>] = []
  private var keptCount = 0
  private var rangeValues: (first: Int?, last: Int?)

  init(_ sink: RecordSink, fields: FieldSelection?, valueFields: FieldSelection? = nil) {
    self.sink = sink
    self.fields = fields
    self.valueFields = valueFields
  }

  /// Adds a record.
  ///
  /// - Precondition: `record` is as long as ``MessagePackCursor/byteCountOfFirstValue(in:)`` says.
  func add(_ record: RawSpan) throws(FuseError) {
    var cursor = MessagePackCursor(record)
    switch try cursor.readHead() {
    case .array(2): try addNative(record)  // [S1]
    case .map(let count) where fields != nil: try addMap(record, count)  // [S2]
    case .map:
      throw FuseError(
        .invalidValue,
        "a record is an array of keys and a value, and here one is a map; name the field that holds the key, as in \(sink.limit.names.example(key: "id"))"
      )
    case .array(let count):
      throw FuseError(
        .invalidValue,
        "a record is an array of keys and a value, and here one is an array of \(counted(count, "value"))")
    case let token:
      throw FuseError(
        .invalidValue, "a record is an array of keys and a value, and here one is \(token.article)")
    }
  }

  // MARK: [[key, ...], value]

  private func addNative(_ record: RawSpan) throws(FuseError) {
    var cursor = MessagePackCursor(record)
    _ = try cursor.readHead()
    let keysStart = cursor.offset
    let token = try cursor.readHead()
    guard case .array(let keyCount) = token else {
      throw FuseError(
        .invalidValue,
        "a record is an array of keys and a value, and instead of the array of keys there is \(token.article)",
        offset: UInt64(keysStart))
    }
    let firstKey = cursor.offset
    for _ in 0..<keyCount {
      let offset = cursor.offset
      let token = try cursor.readHead()
      switch token {
      case .string(let byteCount), .binary(let byteCount): _ = cursor.readPayload(byteCount: byteCount)
      default:
        throw FuseError(
          .invalidValue, "a key is a string or binary, and here one is \(token.article)", offset: UInt64(offset))
      }
    }
    let value = cursor.offset
    do throws(FuseError) {
      if valueFields == nil {
        try sink.addObject(record.extracting(value..<record.byteCount))
      } else {
        let whole = record.extracting(value..<record.byteCount)
        try MessagePackCursor.validate(whole)
        let node = MessagePackNode(record: whole.array(), offset: 0)
        try valueFields!.packParts(of: node, record: sink.line, to: sink.packer)
        try sink.addPacked()
      }
    } catch {
      throw FuseError(error.code, error.message, offset: UInt64(value) + (error.offset ?? 0))
    }
    cursor = MessagePackCursor(record, at: firstKey)
    for _ in 0..<keyCount {
      let byteCount = try cursor.readHead().payloadByteCount
      try sink.addKey(cursor.readPayload(byteCount: byteCount))
    }
  }

  // MARK: Any map

  private func addMap(_ record: RawSpan, _ count: Int) throws(FuseError) {
    fields!.beginRecord()
    if fields!.hasPaths {
      try findNested(record)
    } else {
      try findMembers(record, count)
      sink.packer.packMap(count: keptCount)
      for pair in keptPairs { sink.packer.append(record.extracting(pair)) }
    }
    do throws(FuseError) {
      try sink.validatePacked()
      try sink.addPacked()
    } catch {
      // Its offset counts in the object, which is not what the record is.
      throw FuseError(error.code, error.message)
    }
    let keysBefore = sink.keyCount
    for offset in keyValues { try addKeys(record, at: offset) }
    if let names = fields?.range {
      let first = try addressText(record, at: rangeValues.first, names.first)
      let last = try addressText(record, at: rangeValues.last, names.last)
      try sink.addRange(from: first.rawSpan, to: last.rawSpan, names)
    }
    guard sink.keyCount > keysBefore || fields?.range != nil else {
      throw fields!.noKey(in: MessagePackNode(record: record.array(), offset: 0), null: "nil")
    }
  }

  /// Finds the fields that may be inside of others, and packs what stays.
  private func findNested(_ record: RawSpan) throws(FuseError) {
    let node = MessagePackNode(record: record.array(), offset: 0)
    if sink.line <= FieldSelection.mostRecords {
      try node.forEachPart { (part, _) throws(FuseError) in
        var cursor = MessagePackCursor(record, at: part.name?.range.lowerBound ?? 0)
        if let name = try cursor.readText() { fields!.note(name) }
      }
    }
    let found = try FoundFields(node, &fields!)
    keyValues = found.keys.map { $0.offset }
    rangeValues = (found.first?.offset, found.last?.offset)
    try found.parts.pack(node, to: sink.packer, depth: 0)
  }

  private func findMembers(_ record: RawSpan, _ count: Int) throws(FuseError) {
    keyValues.removeAll(keepingCapacity: true)
    keptPairs.removeAll(keepingCapacity: true)
    keptCount = 0
    rangeValues = (nil, nil)
    var cursor = MessagePackCursor(record)
    _ = try cursor.readHead()
    for _ in 0..<count {
      let start = cursor.offset
      // What is no text is the name of no field, and stays where all others do.
      var role = FieldSelection.Role(
        isKey: false, isRangeFirst: false, isRangeLast: false, isKept: fields!.kept.isEmpty)
      if let name = try cursor.readText() {
        role = fields!.role(of: name)
        if sink.line <= FieldSelection.mostRecords { fields!.note(name) }
      }
      let value = cursor.offset
      try cursor.skipValue()
      if role.isKey { keyValues.append(value) }
      if role.isRangeFirst { rangeValues.first = try only(value, rangeValues.first) }
      if role.isRangeLast { rangeValues.last = try only(value, rangeValues.last) }
      if role.isKept {
        keptCount += 1
        // Neighbours are copied as one.
        if let last = keptPairs.last, last.upperBound == start {
          keptPairs[keptPairs.count - 1] = last.lowerBound..<cursor.offset
        } else {
          keptPairs.append(start..<cursor.offset)
        }
      }
      guard keyValues.count + keptPairs.count <= sink.limit.valueCount else {
        throw sink.limit.tooMany("fields", sink.limit.valueCount)
      }
    }
  }

  private func only(_ offset: Int, _ known: Int?) throws(FuseError) -> Int {
    guard known == nil else {
      throw FuseError(
        .invalidValue, "a field of the range comes twice, and a range has one first and one last address",
        offset: UInt64(offset))
    }
    return offset
  }

  /// The keys that the value at `offset` gives: one, those of an array, or none.
  private func addKeys(_ record: RawSpan, at offset: Int) throws(FuseError) {
    var cursor = MessagePackCursor(record, at: offset)
    switch try cursor.readHead() {
    case .null: break
    case .array(let count):
      for _ in 0..<count { try addKey(&cursor, isInList: true) }
    default:
      cursor = MessagePackCursor(record, at: offset)
      try addKey(&cursor, isInList: false)
    }
  }

  @_lifetime(cursor: copy cursor)
  private func addKey(_ cursor: inout MessagePackCursor, isInList: Bool) throws(FuseError) {
    let offset = cursor.offset
    let token = try cursor.readHead()
    switch token {
    case .string(let byteCount), .binary(let byteCount):
      // Of no bytes it is no key, as in other formats. [R2]
      if byteCount > 0 { try sink.addKey(cursor.readPayload(byteCount: byteCount)) }
    case .signed(let value): try addKey(String(value))
    case .unsigned(let value): try addKey(String(value))
    default:
      throw FuseError(
        .invalidValue,
        isInList
          ? "a key field holds an array with \(token.article) in it; each element can be a string, binary or an integer, and nothing else"
          : "a key field holds \(token.article); it can hold a string, binary, an integer, an array of these, or nil",
        offset: UInt64(offset))
    }
  }

  private func addKey(_ text: String) throws(FuseError) {
    try sink.addKey(text.keyBytes)
  }

  /// The text of one end of a range: a string or an integer.
  private func addressText(_ record: RawSpan, at offset: Int?, _ name: [UInt8]) throws(FuseError) -> [UInt8] {
    guard let offset else {
      let node = MessagePackNode(record: record.array(), offset: 0)
      throw AddressRange.missingEnd(name, hint: fields!.hint(for: name, in: node))
    }
    var cursor = MessagePackCursor(record, at: offset)
    let token = try cursor.readHead()
    switch token {
    case .string(let byteCount): return cursor.readPayload(byteCount: byteCount).array()
    case .signed(let value): return [UInt8](String(value).utf8)
    case .unsigned(let value): return [UInt8](String(value).utf8)
    case .null: throw AddressRange.missingEnd(name)
    default:
      throw FuseError(
        .invalidValue, "\(quoted(name)) holds \(token.article); the end of a range is a string or an integer",
        offset: UInt64(offset))
    }
  }
}

extension MessagePackToken {
  /// What the value is, to stand in a sentence.
  fileprivate var article: String {
    switch self {
    case .null: "nil"
    case .bool: "a boolean"
    case .unsigned, .signed: "an integer"
    case .float32, .float64: "a float"
    case .string: "a string"
    case .binary: "binary"
    case .extension: "an extension"
    case .array: "an array"
    case .map: "a map"
    }
  }
}
