internal import FuseDB

/// A field of values that `--field` asks for.
struct ValueField {
  /// As it was given.
  let text: String
  let path: FusePath

  static let option = Option.value(
    "--field", "PATH", "print only the value at PATH: names and numbers with dots between them; may be repeated",
    repeats: true)

  /// All fields that are asked for.
  static func all(parsing arguments: borrowing Arguments) throws(UsageError) -> [ValueField] {
    var fields: [ValueField] = []
    for word in arguments.values(of: option.name) {
      let text = String(decoding: word, as: UTF8.self)
      // Members of JSON have each name once.
      guard !fields.contains(where: { $0.text == text }) else {
        throw arguments.error("the field \(quoted(word.rawSpan)) is given twice")
      }
      fields.append(ValueField(text: text, path: FusePath(word)))
    }
    return fields
  }
}

/// How rows are printed.
enum RowFormat: String {
  /// Columns with tabs between them.
  case text
  case ndjson
  case csv
  case tsv
  case msgpack

  var isTable: Bool { self == .csv || self == .tsv }
  /// What stands between cells.
  var separator: UInt8 { self == .csv ? UInt8(ascii: ",") : UInt8(ascii: "\t") }

  /// The option, for a command whose rows are text or JSON otherwise.
  static func option(_ formats: [RowFormat]) -> Option {
    .value(
      "--format", formats.map { $0.rawValue }.joined(separator: "|"),
      "how rows are printed: columns with tabs between them, JSON lines, tables, or MessagePack (default: \(formats[0].rawValue))"
    )
  }

  /// The format that `--format` or `--json` names, or else the first of `formats`.
  init(parsing arguments: borrowing Arguments, _ formats: [RowFormat]) throws(UsageError) {
    let text = arguments.text(of: "--format")
    let names = formats.map { $0.rawValue }
    guard let format = text.map({ RowFormat(rawValue: $0) }) ?? formats[0], formats.contains(format) else {
      throw arguments.wrongChoice(of: "--format", text ?? "", among: names)
    }
    guard arguments.has("--json") else {
      self = format
      return
    }
    guard text == nil || format == .ndjson else {
      throw arguments.error("--json is --format ndjson; give one of them")
    }
    self = .ndjson
  }
}
