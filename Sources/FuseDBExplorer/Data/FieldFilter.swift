internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBValues

/// Chooses keys by a field of their values.
struct FieldFilter: Sendable {
  /// The path of names, as it was asked for.
  let field: [UInt8]
  /// What the field is to be: a text, or a value spelled as JSON.
  let value: [UInt8]
  private let path: FusePath
  /// What is known of objects already: keys next to each other often share one.
  private var known: [UInt64: Bool] = [:]

  init(field: [UInt8], value: [UInt8]) {
    self.field = field
    self.value = value
    path = FusePath(field)
  }

  /// How a value is written in a question, as ``matches(_:of:)`` takes it; nil where it is no text and no number.
  static func spelling(of value: FuseValue) -> [UInt8]? {
    switch value {
    case .string, .verbatim: value.stringBytes
    case .int, .uint, .double, .float, .bool: Array(value.description.utf8)
    default: nil
    }
  }

  mutating func matches(_ offset: UInt64, of reader: FuseReader) throws -> Bool {
    if let known = known[offset] { return known }
    var found = false
    try reader.withValue(at: offset) { view in
      guard let part = view[path: path] else { return }
      if let text = part.stringBytes { found = text.equals(value) } else { found = Array(part.json.utf8) == value }
    }
    if known.count > 10_000 { known.removeAll(keepingCapacity: true) }
    known[offset] = found
    return found
  }
}
