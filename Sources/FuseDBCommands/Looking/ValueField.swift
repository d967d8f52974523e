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

/// Looks up fields, and notes which of them no value has: mostly a slip of the pen.
final class FieldWitness {
  private static let mostLooks = 100

  let fields: [ValueField]
  private var isSeen: [Bool]
  /// The fields of some values that lack one.
  private var others = FieldNames()
  private var lookCount = 0

  init(_ fields: [ValueField]) {
    self.fields = fields
    isSeen = [Bool](repeating: false, count: fields.count)
  }

  /// The value of a field.
  @_lifetime(copy value)
  func find(_ number: Int, in value: FuseView) -> FuseView? {
    let found = value[path: fields[number].path]
    if found != nil {
      isSeen[number] = true
    } else if !isSeen[number], lookCount < Self.mostLooks {
      lookCount += 1
      others.add(value)
    }
    return found
  }

  /// Notes which fields a value has.
  func look(at value: FuseView) {
    for number in fields.indices where !isSeen[number] { _ = find(number, in: value) }
  }

  /// Appends an object of the fields that a value has.
  func append(_ value: FuseView, to writer: inout JSONWriter) throws(FuseError) {
    writer.append("{")
    var isFirst = true
    for number in fields.indices {
      guard let found = find(number, in: value) else { continue }
      if !isFirst { writer.append(",") }
      isFirst = false
      writer.append(string: fields[number].text)
      writer.append(":")
      try writer.append(found)
    }
    writer.append("}")
  }

  /// Says which fields no value had, of those that `path` names; nothing where none was looked at.
  ///
  /// - Parameters:
  ///   - option: the option that names them, where that is not `--field`.
  ///   - mayBeAbsent: whether it is right that values lack them, so that a name is a slip only where another is near.
  func finish(_ path: String, option: String? = nil, mayBeAbsent: Bool = false, _ console: Console) {
    guard lookCount > 0 else { return }
    for (field, isSeen) in zip(fields, isSeen) where !isSeen {
      let name = quoted(Array(field.text.utf8)) + (option.map { ", which \($0) names" } ?? "")
      let hint = others.hint(for: field.text)
      if mayBeAbsent, hint.isEmpty { continue }
      console.note("\(path): no value that was looked at has the field \(name)\(hint)")
    }
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
