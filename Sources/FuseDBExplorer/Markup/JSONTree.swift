internal import FuseDBFormat
internal import FuseDBValues

/// What the JSON twin of a page says. Keys and values are spelled as everywhere: see spec/json.md.
indirect enum JSONTree: Sendable {
  case null
  case bool(Bool)
  case number(Int)
  case real(Double)
  case text(String)
  /// A key: a text, or bytes.
  case key([UInt8])
  /// An object, as MessagePack; where it is none, its bytes in hexadecimal digits.
  case value([UInt8])
  case list([JSONTree])
  case object([(StaticString, JSONTree)])
  case named([(String, JSONTree)])

  var bytes: [UInt8] {
    var writer = JSONWriter()
    append(to: &writer)
    writer.append("\n" as StaticString)
    return writer.out
  }

  private func append(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.append("null" as StaticString)
    case .bool(let value): writer.append(value ? "true" as StaticString : "false")
    case .number(let value): writer.append(String(value))
    case .real(let value): writer.append(value.isFinite ? String(value) : "null")
    case .text(let value): writer.append(string: value)
    case .key(let key): writer.append(key: key.rawSpan)
    case .value(let bytes):
      var spelled = JSONWriter()
      do throws(FuseError) {
        try spelled.append(messagePack: bytes.rawSpan)
        writer.append(String(decoding: spelled.out, as: UTF8.self))
      } catch {
        JSONTree.object([("notMessagePack", .text(VisibleText.hexadecimal(bytes)))]).append(to: &writer)
      }
    case .list(let elements):
      writer.append("[" as StaticString)
      for (number, element) in elements.enumerated() {
        if number > 0 { writer.append("," as StaticString) }
        element.append(to: &writer)
      }
      writer.append("]" as StaticString)
    case .object(let members): JSONTree.named(members.map { ($0.0.description, $0.1) }).append(to: &writer)
    case .named(let members):
      writer.append("{" as StaticString)
      for (number, member) in members.enumerated() {
        if number > 0 { writer.append("," as StaticString) }
        writer.append(string: member.0)
        writer.append(":" as StaticString)
        member.1.append(to: &writer)
      }
      writer.append("}" as StaticString)
    }
  }

  /// What is there, or null.
  static func optional<T>(_ value: T?, _ make: (T) -> JSONTree) -> JSONTree { value.map(make) ?? .null }
}
