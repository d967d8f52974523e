package import FuseDB

/// A value in a report.
package indirect enum ReportValue {
  case text(String)
  case key([UInt8])
  case count(Int)
  case offset(UInt64)
  case number(Double)
  case flag(Bool)
  case members([(name: String, value: ReportValue)])
  case list([ReportValue])
  case null

  /// The database that was replaced: the number of its keys, or null where there was none.
  static func replaced(keys: Int?) -> ReportValue { keys.map { .members([("keys", .count($0))]) } ?? .null }
}

extension JSONWriter {
  /// Appends an object of named values.
  package mutating func append(members: [(name: String, value: ReportValue)]) {
    append("{")
    for (index, member) in members.enumerated() {
      if index > 0 { append(",") }
      append(string: member.name)
      append(":")
      append(member.value)
    }
    append("}")
  }

  /// Appends a value of a report.
  mutating func append(_ value: ReportValue) {
    switch value {
    case .text(let text): append(string: text)
    case .key(let key): append(key: key.rawSpan)
    case .count(let count): append(String(count))
    case .offset(let offset): append(String(offset))
    case .number(let number): append("\(number)")
    case .flag(let flag): append(flag ? "true" : "false")
    case .members(let members): append(members: members)
    case .null: append("null")
    case .list(let values):
      append("[")
      for (index, value) in values.enumerated() {
        if index > 0 { append(",") }
        append(value)
      }
      append("]")
    }
  }
}

extension JSONWriter {
  /// Appends bytes as they are.
  mutating func append(text bytes: RawSpan) {
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe bytes.withUnsafeBytes { unsafe out.append(contentsOf: $0) }
  }
}
