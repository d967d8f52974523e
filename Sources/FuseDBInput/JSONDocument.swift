internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// What stands around the records of a JSON document, passed over piece by piece: they are the elements of an array, which
/// is the document or lies inside of it under a path, or the document is its records, one after the other. [S8]
///
/// However long it is, it takes no memory but for a name.
struct JSONDocument {
  /// What is reached.
  enum Place {
    case before, records, after
  }

  /// A part of a document around the records.
  private enum State {
    /// Before a value, that of the path so far.
    case value
    /// After `[` or `,` in an array, before the element of the given number; or after `{` or `,` in an object, before a name.
    case element(Int), name(isFirst: Bool)
    /// In a name, and after it.
    case inName(isEscaped: Bool), colon
    /// In a value that is passed over, so many brackets deep, and what follows.
    case skipping(depth: Int), inString(depth: Int, isEscaped: Bool)
    /// After the bracket of the array of records.
    case firstRecord
  }

  /// A longer name than this is none of the path.
  private static let mostNameBytes = 1 << 12
  private static let mostNames = 16

  private(set) var place = Place.before
  /// Whether records are elements of an array.
  private(set) var isList = false

  private let path: FusePath?
  private var state = State.value
  /// How many steps of the path were taken.
  private var level = 0
  /// The number of the element that is being passed over, where an array is on the path; nil in an object.
  private var elements: [Int?] = []
  private var name: [UInt8] = []
  private var names: [String] = []

  /// - Parameter path: where the array of the records is; nil where it is the document, or its records stand in it.
  init(_ path: FusePath?) { self.path = path }

  /// Passes over what is in `bytes` from `offset` on before or after the records, and moves it to where that ends.
  mutating func skip(_ bytes: RawSpan, _ offset: inout Int, upTo end: Int) throws(JSONFlawSearch.Stop) {
    let each = Span<UInt8>(_bytes: bytes)
    while offset < end, place != .records {
      let byte = each[offset]
      if path == nil, case .value = state, !Self.isSpace(byte) {
        // The first byte of all tells.
        isList = byte == UInt8(ascii: "[")
        guard isList else {
          place = .records
          return
        }
      }
      guard try take(byte) else { return }
      offset += 1
    }
  }

  /// The array ends, at a bracket that is the next byte to be passed over.
  mutating func endRecords() {
    place = .after
    state = .skipping(depth: level + 1)
  }

  /// Says what is wrong where the document ends here; nil where it may.
  var flawAtEnd: String? {
    switch place {
    case .before: path == nil && !isList ? nil : "the text ends before its records do"
    case .records: isList ? "the text ends inside of the array of records" : nil
    case .after: if case .skipping(0) = state { nil } else { "the text ends inside of the document" }
    }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

  /// Takes the next byte; returns false where it is that of a record.
  private mutating func take(_ byte: UInt8) throws(JSONFlawSearch.Stop) -> Bool {
    switch state {
    case .inString(let depth, let isEscaped):
      if byte == UInt8(ascii: "\""), !isEscaped {
        state = .skipping(depth: depth)
      } else {
        state = .inString(depth: depth, isEscaped: !isEscaped && byte == UInt8(ascii: "\\"))
      }
    case .skipping(let depth): try skip(byte, depth)
    case .inName(let isEscaped):
      if byte == UInt8(ascii: "\""), !isEscaped {
        state = .colon
      } else {
        state = .inName(isEscaped: !isEscaped && byte == UInt8(ascii: "\\"))
        if name.count < Self.mostNameBytes { name.append(byte) }
      }
    case _ where Self.isSpace(byte): break
    case .value: try open(byte)
    case .name(let isFirst):
      if byte == UInt8(ascii: "}"), isFirst { throw missing() }
      guard byte == UInt8(ascii: "\"") else { throw .init(reason: "a name in double quotes is missing") }
      name.removeAll(keepingCapacity: true)
      state = .inName(isEscaped: false)
    case .colon:
      guard byte == UInt8(ascii: ":") else { throw .init(reason: "':' is missing") }
      if isStep(name) {
        level += 1
        state = .value
      } else {
        state = .skipping(depth: 0)
      }
    case .element(let number):
      if byte == UInt8(ascii: "]"), number == 0 { throw missing() }
      if number == path?.steps[level].number {
        level += 1
        state = .value
        return try take(byte)
      }
      state = .skipping(depth: 0)
      try skip(byte, 0)
    case .firstRecord:
      if byte == UInt8(ascii: "]") {
        endRecords()
        try skip(byte, level + 1)
        return true
      }
      place = .records
      return false
    }
    return true
  }

  /// Goes into a value on the path.
  private mutating func open(_ byte: UInt8) throws(JSONFlawSearch.Stop) {
    let isAtEnd = level == path?.steps.count ?? 0
    switch byte {
    case UInt8(ascii: "["):
      if isAtEnd {
        isList = true
        state = .firstRecord
      } else {
        elements.append(0)
        state = .element(0)
      }
    case UInt8(ascii: "{") where !isAtEnd:
      elements.append(nil)
      names = []
      state = .name(isFirst: true)
    default:
      guard isAtEnd else { throw missing() }
      throw .init(reason: "the path of the records leads to no array")
    }
  }

  /// Takes a byte of a value that is passed over, or of what follows it.
  private mutating func skip(_ byte: UInt8, _ depth: Int) throws(JSONFlawSearch.Stop) {
    let isInside = place == .before || depth > 0
    switch byte {
    case UInt8(ascii: "\"") where isInside: state = .inString(depth: depth, isEscaped: false)
    case UInt8(ascii: "{") where isInside, UInt8(ascii: "[") where isInside: state = .skipping(depth: depth + 1)
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      guard depth > 0 else {
        if place == .before { throw missing() }
        throw .init(reason: "more follows the document")
      }
      state = .skipping(depth: depth - 1)
    case UInt8(ascii: ",") where place == .before && depth == 0:
      if let number = elements.last! {
        elements[elements.count - 1] = number + 1
        state = .element(number + 1)
      } else {
        state = .name(isFirst: false)
      }
    default:
      guard isInside || Self.isSpace(byte) else { throw .init(reason: "more follows the document") }
    }
  }

  /// Whether a name is the next step of the path.
  private mutating func isStep(_ name: [UInt8]) -> Bool {
    let plain = Self.unescaped(name)
    if names.count < Self.mostNames { names.append(quoted(plain)) }
    return plain == path?.steps[level].name
  }

  /// The characters of a name, as it stands between quotes.
  private static func unescaped(_ name: [UInt8]) -> [UInt8] {
    guard name.contains(UInt8(ascii: "\\")) else { return name }
    var text: [UInt8]?
    let quote = [UInt8(ascii: "\"")]
    try? JSONParser().withNode(of: (quote + name + quote).rawSpan) { node throws(FuseError) in text = node.text.array()
    }
    return text ?? name
  }

  private func missing() -> JSONFlawSearch.Stop {
    let known = names.isEmpty || elements.last != .some(nil) ? "" : "; there is \(listed(names, "and"))"
    let way = path?.steps.prefix(level + 1).map { String(decoding: $0.name, as: UTF8.self) } ?? []
    return .init(reason: "there is no \(way.joined(separator: ".")) in the document\(known)")
  }
}

/// Goes through the records of a block of JSON.
struct JSONElements {
  private var rest: Range<Int>
  private let block: InputBlock
  private let isList: Bool
  /// The number of the record that ``next(_:)`` returned last, from 1, and the line on which it begins.
  private(set) var number: Int
  private(set) var line: Int
  /// Up to where ``line`` counts.
  private var counted: Int

  init(_ block: InputBlock) {
    self.block = block
    rest = block.range
    isList = block.isList
    number = block.firstRecord - 1
    line = block.firstLine
    counted = rest.lowerBound
  }

  /// Where the next record stands in the block's bytes, without what is around it; nil after the last. An empty range
  /// where there is none between two commas.
  mutating func next(_ bytes: RawSpan) -> Range<Int>? {
    var start = rest.lowerBound
    let each = Span<UInt8>(_bytes: bytes)
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
    while start < rest.upperBound, isSpace(each[start]) { start += 1 }
    guard start < rest.upperBound else { return nil }
    let found = JSONParser.elementEnd(bytes, start..<rest.upperBound, isList: isList)
    var end = found.offset
    rest = min(end + (found.stop == .comma ? 1 : 0), rest.upperBound)..<rest.upperBound
    while end > start, isSpace(each[end - 1]) { end -= 1 }
    line += bytes.extracting(counted..<start).count(of: UInt8(ascii: "\n"))
    counted = start
    number += 1
    return start..<end
  }

  /// The column, from 1, at which `offset` in the block's bytes stands.
  func column(of offset: Int, _ bytes: RawSpan) -> Int {
    let before = bytes.extracting(block.range.lowerBound..<offset)
    return before.columnAfter(block.firstColumn, lineFeedCount: before.count(of: UInt8(ascii: "\n")))
  }
}

extension RawSpan {
  /// How many bytes there are from the first on that is no space of JSON.
  var textByteCount: Int {
    let each = Span<UInt8>(_bytes: self)
    for i in 0..<byteCount where ![0x20, 0x09, 0x0A, 0x0D].contains(each[i]) { return byteCount - i }
    return 0
  }

  var hasText: Bool { textByteCount > 0 }

  /// The column after these bytes of text, the first of which is in the given column: characters are counted, from 1.
  func columnAfter(_ column: Int, lineFeedCount: Int) -> Int {
    let each = Span<UInt8>(_bytes: self)
    let lineFeed = lineFeedCount == 0 ? nil : lastIndex(of: UInt8(ascii: "\n"), in: 0..<byteCount)
    var column = lineFeed == nil ? column : 1
    for i in (lineFeed.map { $0 + 1 } ?? 0)..<byteCount where each[i] & 0xC0 != 0x80 { column += 1 }
    return column
  }
}
