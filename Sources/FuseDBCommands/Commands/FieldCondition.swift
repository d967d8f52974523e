internal import FuseDB
internal import FuseDBInput

/// `PATH=VALUE`: that a value has a field which `fusedb get --field PATH` prints as VALUE. See spec/reverse.md §8.
struct FieldCondition {
  /// The field, with its path as it was given.
  let field: ValueField
  let text: [UInt8]

  /// - Parameter word: split at the first `=` that no backslash stands before; nil without one. [Y10]
  init?(_ word: [UInt8]) {
    var isEscaped = false
    let end = word.firstIndex { byte in
      if isEscaped {
        isEscaped = false
        return false
      }
      isEscaped = byte == UInt8(ascii: "\\")
      return byte == UInt8(ascii: "=")
    }
    guard let end else { return nil }
    let path = [UInt8](word[..<end])
    field = ValueField(text: String(decoding: path, as: UTF8.self), path: FusePath(path))
    text = [UInt8](word[(end + 1)...])
  }

  /// Whether it holds for a value. [Y11]
  ///
  /// - Parameter writer: for what has to be written to be compared.
  func holds(for value: FuseView, _ writer: inout JSONWriter) throws(FuseError) -> Bool {
    guard let found = value[path: field.path] else { return false }
    if let string = found.stringBytes { return string.equals(text.rawSpan) }
    // What begins differently need not be written: it may be long.
    let first = text.first
    if found.kind == .map, first != UInt8(ascii: "{") { return false }
    if found.kind == .array, first != UInt8(ascii: "[") { return false }
    writer.out.removeAll(keepingCapacity: true)
    try writer.append(found)
    return writer.out == text
  }
}

/// Which entries have values for which all conditions hold. Each object is read once, or again where so many came between that it
/// was forgotten.
struct FieldFilter {
  /// Some 20 MB.
  private static let mostRemembered = 1 << 20

  private let conditions: [FieldCondition]
  private let reader: FuseReader
  /// Of the fields of the conditions.
  private let witness: FieldWitness
  private let mostRemembered: Int
  private var known: [UInt64: Bool] = [:]
  private var last: (object: UInt64, holds: Bool)?
  private var writer = JSONWriter()
  /// How often an object was read.
  private(set) var readCount = 0

  init(_ conditions: [FieldCondition], _ reader: FuseReader, remembering mostRemembered: Int = Self.mostRemembered) {
    self.conditions = conditions
    self.reader = reader
    witness = FieldWitness(conditions.map { $0.field })
    self.mostRemembered = mostRemembered
  }

  mutating func holds(for entry: Entry) throws(FuseError) -> Bool {
    guard !conditions.isEmpty else { return true }
    let object = entry.objectOffset
    // Keys beside one another often share an object.
    if let last, last.object == object { return last.holds }
    let holds: Bool
    if let found = known[object] {
      holds = found
    } else {
      holds = try read(entry)
      if known.count >= mostRemembered { known.removeAll(keepingCapacity: true) }
      known[object] = holds
    }
    last = (object, holds)
    return holds
  }

  /// Says which fields of the conditions no value had.
  func finish(_ console: Console) { witness.finish(reader.path, option: "--where", console) }

  private mutating func read(_ entry: Entry) throws(FuseError) -> Bool {
    readCount += 1
    var holds = true
    var writer = writer
    self.writer = JSONWriter()
    let conditions = conditions
    try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in
      let view = try FuseView(validating: entry.bytes)
      witness.look(at: view)
      for condition in conditions where holds { holds = try condition.holds(for: view, &writer) }
    }
    self.writer = writer
    return holds
  }
}
