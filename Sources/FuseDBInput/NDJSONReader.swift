internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Reads records that are JSON objects, one a line, or elements of a document. See spec/json.md, "NDJSON" and "Records".
final class NDJSONReader {
  private static let keysName = [UInt8]("keys".utf8)
  private static let valueName = [UInt8]("value".utf8)

  private let sink: RecordSink
  /// Which fields hold keys, or nil when lines are in the native form.
  private(set) var fields: FieldSelection?
  /// Which fields of values stay in the native form; nil for all.
  private(set) var valueFields: FieldSelection?
  /// Whether a field may be inside of another.
  private let hasPaths: Bool
  // The parts of the record that is being read; kept, so that the memory is.
  /// While records of a document are read: where they begin.
  private var elements: JSONElements?
  private var keyNodes: [JSONNode] = []
  private var isKept: [Bool] = []
  private var rangeNodes: (first: JSONNode?, last: JSONNode?)
  /// Whether a range had an end that the parser does not take as an integer: others will have some, too.
  private var hasLongIntegers = false

  init(_ sink: RecordSink, fields: FieldSelection?, valueFields: FieldSelection? = nil) {
    self.sink = sink
    self.fields = fields
    self.valueFields = valueFields
    hasPaths = fields?.hasPaths ?? false
  }

  /// Reads all records of `block`.
  ///
  /// - Throws: ``FuseError``; the sink adds the position.
  func read(_ block: InputBlock) throws(FuseError) {
    let bytes = block.bytes
    guard block.format != .json else { return try readElements(block) }
    var lines = LineReader(block)
    while let line = lines.next(bytes.rawSpan) {
      sink.line = lines.number
      try sink.attempt { () throws(FuseError) in try add(line, of: bytes.rawSpan) }
    }
  }

  private func readElements(_ block: InputBlock) throws(FuseError) {
    let bytes = block.bytes
    var elements = JSONElements(block)
    self.elements = elements
    defer { self.elements = nil }
    while let element = elements.next(bytes.rawSpan) {
      sink.line = elements.number
      sink.textLine = elements.line
      try sink.attempt { () throws(FuseError) in
        guard !element.isEmpty else {
          let column = elements.column(of: element.lowerBound, bytes.rawSpan)
          throw FuseError(.invalidValue, "a value is missing at column \(column), before ','; correct it")
        }
        try add(element, of: bytes.rawSpan)
      }
    }
  }

  private func add(_ line: Range<Int>, of bytes: RawSpan) throws(FuseError) {
    guard line.count <= sink.limit.byteCount else {
      throw elements == nil ? sink.limit.tooLongLine : sink.limit.tooLongElement
    }
    guard !Self.isBlank(bytes.extracting(line)) else { return }
    try parse(line, of: bytes) { record throws(FuseError) in
      guard case .object = record.kind else {
        guard elements == nil else {
          throw FuseError(.invalidValue, "a record is a JSON object, and here one is \(record.article)")
        }
        var advice = ""
        if case .array = record.kind { advice = "; \(Self.arrayAdvice)" }
        throw FuseError(
          .invalidValue, "a line must hold one JSON object, and this one holds \(record.article)\(advice)")
      }
      if fields == nil { try addNative(record) } else { try addRecord(record) }
    }
  }

  private static func isBlank(_ line: RawSpan) -> Bool {
    let line = Span<UInt8>(_bytes: line)
    for i in 0..<line.count {
      guard line[i] == UInt8(ascii: " ") || line[i] == UInt8(ascii: "\t") || line[i] == UInt8(ascii: "\r") else {
        return false
      }
    }
    return true
  }

  private func parse(
    _ line: Range<Int>, of bytes: RawSpan, _ body: (JSONNode) throws(FuseError) -> Void
  ) throws(FuseError) {
    if hasLongIntegers, try parseLongIntegers(line, of: bytes, body) { return }
    var isJSON = false
    do throws(FuseError) {
      try sink.parse(bytes, line) { node throws(FuseError) in
        isJSON = true
        try body(node)
      }
    } catch {
      guard !isJSON, error.code == .invalidValue else { throw error }
      if !hasLongIntegers, try parseLongIntegers(line, of: bytes, body) { return }
      throw notJSON(line, of: bytes, error)
    }
  }

  /// Parses a line in which the ends of the range are integers that may be longer than the parser takes. Returns false
  /// when it has none, or is no JSON.
  private func parseLongIntegers(
    _ line: Range<Int>, of bytes: RawSpan, _ body: (JSONNode) throws(FuseError) -> Void
  ) throws(FuseError) -> Bool {
    // In an object they would be texts.
    guard let range = fields?.range, !fields!.kept.contains(where: { $0.name == range.first || $0.name == range.last }),
      let text = LongIntegers.quoted(bytes.extracting(line), in: range, padding: JSONParser.padding)
    else { return false }
    var isJSON = false
    do throws(FuseError) {
      try sink.parse(text.rawSpan, 0..<text.count - JSONParser.padding) { node throws(FuseError) in
        isJSON = true
        hasLongIntegers = true
        try body(node)
      }
    } catch {
      guard !isJSON else { throw error }
    }
    return isJSON
  }

  private static let arrayAdvice = "jq -c '.[]' makes a line of each element of an array"

  /// The error of a line or element that is not JSON.
  private func notJSON(_ range: Range<Int>, of bytes: RawSpan, _ error: FuseError) -> FuseError {
    let line = bytes.extracting(range)
    guard let flaw = JSONFlaw.first(in: line) else { return FuseError(error.code, error.message) }
    if let elements {
      let before = flaw.line == 0 ? elements.column(of: range.lowerBound, bytes) - 1 : 0
      let advice = flaw.isCut ? "copy the input again if it is cut short here" : "correct it"
      return FuseError(
        .invalidValue,
        "not JSON at line \(sink.textLine + flaw.line), column \(before + flaw.column): \(flaw.reason); \(advice)")
    }
    let start = line.array().first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
    let advice =
      switch start {
      case UInt8(ascii: "[") where flaw.isCut: Self.arrayAdvice
      case UInt8(ascii: "{") where flaw.isCut:
        "copy the input again if it is cut short here; if the object goes on in the next line, say \(sink.limit.names.format(.json))"
      case UInt8(ascii: "{") where flaw.follower == UInt8(ascii: "{"):
        "correct the line, or if objects follow one another in it, say \(sink.limit.names.format(.json))"
      case UInt8(ascii: "{"): "correct the line"
      default:
        "a line must hold one JSON object (for tables say \(sink.limit.names.format(.csv)) or \(sink.limit.names.format(.tsv)))"
      }
    return FuseError(.invalidValue, "not JSON at column \(flaw.column): \(flaw.reason); \(advice)")
  }

  // MARK: The native form

  private func addNative(_ record: JSONNode) throws(FuseError) {
    guard let (keys, value) = nativeParts(of: record) else { throw notNative(record) }
    if valueFields == nil {
      try sink.packer.pack(value)
    } else {
      try valueFields!.packParts(of: value, record: sink.line, to: sink.packer)
    }
    try sink.addPacked()
    try keys.forEachElement { key throws(FuseError) in
      let isKey: Void? = try withKeyBytes(of: key) { bytes throws(FuseError) in try sink.addKey(bytes) }
      guard isKey != nil else {
        throw FuseError(
          .invalidValue, "a key is a string or {\"$bin\": \"hexadecimal digits\"}, and here one is \(key.article)")
      }
    }
  }

  /// The members `keys`, an array, and `value`; nil unless the record has these and no others.
  private func nativeParts(of record: JSONNode) -> (keys: JSONNode, value: JSONNode)? {
    guard record.count == 2 else { return nil }
    var keys: JSONNode?
    var value: JSONNode?
    try? record.forEachMember { name, node throws(FuseError) in
      if name.equals(Self.keysName) { keys = node }
      if name.equals(Self.valueName) { value = node }
    }
    guard let keys, let value, case .array = keys.kind else { return nil }
    return (keys, value)
  }

  /// The member `keys`, if it stands beside `value` alone and is no array.
  private func loneKeys(of record: JSONNode) -> JSONNode? {
    guard record.count == 2 else { return nil }
    var keys: JSONNode?
    var hasValue = false
    try? record.forEachMember { name, node throws(FuseError) in
      if name.equals(Self.keysName) { keys = node }
      if name.equals(Self.valueName) { hasValue = true }
    }
    return hasValue ? keys : nil
  }

  private func notNative(_ record: JSONNode) -> FuseError {
    if let keys = loneKeys(of: record) {
      return FuseError(
        .invalidValue,
        """
        "keys" holds \(keys.article) and must be an array of keys, as in {"keys": ["8.8.8.8"], "value": ...}; \
        for other records name the field that holds the key, as in \(sink.limit.names.example(key: "keys"))
        """)
    }
    var names: [String] = []
    // Enough to recognize the record by.
    try? record.forEachMember { name, _ throws(FuseError) in if names.count < 8 { names.append(quoted(name)) } }
    let has = names.isEmpty ? "no members" : "the member\(names.count == 1 ? "" : "s") \(listed(names, "and"))"
    return FuseError(
      .invalidValue,
      """
      the line is not {"keys": [...], "value": ...}: it has \(has)\(record.count > names.count ? " and others" : ""); \
      for other records name the field that holds the key, as in \(sink.limit.names.example(key: "id"))
      """)
  }

  // MARK: Any record

  private func addRecord(_ record: JSONNode) throws(FuseError) {
    guard !hasPaths else { return try addNested(record) }
    keyNodes.removeAll(keepingCapacity: true)
    isKept.removeAll(keepingCapacity: true)
    rangeNodes = (nil, nil)
    var keptCount = 0
    try record.forEachMember { name, node throws(FuseError) in
      let role = fields!.role(of: name)
      if sink.line <= FieldSelection.mostRecords { fields!.note(name) }
      if role.isKey { keyNodes.append(node) }
      if role.isRangeFirst || role.isRangeLast {
        guard !role.isRangeFirst || rangeNodes.first == nil, !role.isRangeLast || rangeNodes.last == nil else {
          throw FuseError(.invalidValue, "\(quoted(name)) comes twice, and a range has one first and one last address")
        }
        if role.isRangeFirst { rangeNodes.first = node }
        if role.isRangeLast { rangeNodes.last = node }
      }
      if role.isKept { keptCount += 1 }
      isKept.append(role.isKept)
    }
    // With none of the named fields it would give no key, and be refused: so it can be a line of the native form. [R6]
    if keyNodes.isEmpty, rangeNodes.first == nil, rangeNodes.last == nil, nativeParts(of: record) != nil {
      return try addNative(record)
    }
    fields!.beginRecord()
    sink.packer.packMap(count: keptCount)
    var number = 0
    try record.forEachMember { name, node throws(FuseError) in
      if isKept[number] {
        sink.packer.pack(string: name)
        try sink.packer.pack(node, depth: 1)
      }
      number += 1
    }
    try addKeys(of: record)
  }

  /// The same where fields may be inside of others.
  private func addNested(_ record: JSONNode) throws(FuseError) {
    if sink.line <= FieldSelection.mostRecords {
      try record.forEachMember { name, _ throws(FuseError) in fields!.note(name) }
    }
    let found = try FoundFields(record, &fields!)
    if found.keys.isEmpty, found.first == nil, found.last == nil, nativeParts(of: record) != nil {
      return try addNative(record)
    }
    fields!.beginRecord()
    keyNodes = found.keys
    rangeNodes = (found.first, found.last)
    try found.parts.pack(record, to: sink.packer, depth: 0)
    try addKeys(of: record)
  }

  /// Adds what was packed, with the keys of ``keyNodes`` and ``rangeNodes``.
  private func addKeys(of record: JSONNode) throws(FuseError) {
    try sink.addPacked()
    let keysBefore = sink.keyCount
    for node in keyNodes { try addKeys(node) }
    if let names = fields!.range { try addRange(names, of: record) }
    guard sink.keyCount > keysBefore || fields!.range != nil else { throw fields!.noKey(in: record, null: "null") }
  }

  /// The keys that a field gives: one, those of a list, or none.
  private func addKeys(_ node: JSONNode) throws(FuseError) {
    switch node.kind {
    case .null: break
    case .array: try node.forEachElement { element throws(FuseError) in try addKey(element, isInList: true) }
    default: try addKey(node, isInList: false)
    }
  }

  private func addKey(_ node: JSONNode, isInList: Bool) throws(FuseError) {
    switch node.kind {
    case .signed(let value): try addKey(String(value))
    case .unsigned(let value): try addKey(String(value))
    default:
      // A text of no bytes is no key: exports of tables have it for what is not there. [R2]
      let isKey: Void? = try withKeyBytes(of: node) { bytes throws(FuseError) in
        if !bytes.isEmpty { try sink.addKey(bytes) }
      }
      guard isKey != nil else {
        let allowed = "a string, an integer, {\"$bin\": \"hexadecimal digits\"}"
        throw FuseError(
          .invalidValue,
          isInList
            ? "a key field holds a list with \(node.article) in it; each element can be \(allowed), and nothing else"
            : "a key field holds \(node.article); it can hold \(allowed), a list of these, or null")
      }
    }
  }

  /// The keys that the range of the record gives.
  private func addRange(_ names: FieldSelection.Range, of record: JSONNode) throws(FuseError) {
    let first = try addressText(rangeNodes.first, names.first, of: record)
    let last = try addressText(rangeNodes.last, names.last, of: record)
    try sink.addRange(from: first.rawSpan, to: last.rawSpan, names)
  }

  /// The text of one end of a range: a string or an integer.
  private func addressText(_ node: JSONNode?, _ name: [UInt8], of record: JSONNode) throws(FuseError) -> [UInt8] {
    switch node?.kind {
    case .string: return node!.text.array()
    case .signed(let value): return [UInt8](String(value).utf8)
    case .unsigned(let value): return [UInt8](String(value).utf8)
    case nil, .null: throw AddressRange.missingEnd(name, hint: fields!.hint(for: name, in: record))
    default:
      throw FuseError(
        .invalidValue, "\(quoted(name)) holds \(node!.article); the end of a range is a string or an integer")
    }
  }

  private func addKey(_ text: String) throws(FuseError) {
    try sink.addKey(text.keyBytes)
  }
}

extension JSONNode {
  /// What the node is, to stand in a sentence.
  var article: String {
    switch kind {
    case .null: "null"
    case .bool: "a boolean"
    case .signed, .unsigned: "an integer"
    case .double: "a number with a point or an exponent"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
