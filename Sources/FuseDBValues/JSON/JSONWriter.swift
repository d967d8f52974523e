public import FuseDBFormat
internal import FuseDBSystem

/// Writes MessagePack values as JSON, reversibly. See spec/json.md.
package struct JSONWriter {
  /// The text so far.
  package var out: [UInt8] = []

  package init() {}

  /// Appends the JSON spelling of `messagePack`, on one line.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the bytes are not exactly one MessagePack value.
  package mutating func append(messagePack: RawSpan) throws(FuseError) {
    try MessagePackCursor.validate(messagePack)
    if messagePack.byteCount >= MemoryRoom.leastByteCount { try out.makeRoom(for: 2 * messagePack.byteCount) }
    var cursor = MessagePackCursor(messagePack)
    try append(&cursor, depth: 0)
  }

  /// Appends the JSON spelling of a value that was checked before, on one line.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when its bytes changed since.
  package mutating func append(_ view: FuseView) throws(FuseError) {
    var cursor = MessagePackCursor(view.plain.base)
    try append(&cursor, depth: 0)
  }

  /// Appends the next value of `cursor`. [V3]
  private mutating func append(_ cursor: inout MessagePackCursor, depth: Int) throws(FuseError) {
    guard depth <= FormatLimits.nesting else {
      throw .invalidValue("arrays and maps are nested deeper than \(FormatLimits.nesting) levels", at: cursor.offset)
    }
    let start = cursor.offset
    let token = try cursor.readHead()
    guard cursor.offset - start == token.shortestHeadByteCount else {
      cursor = MessagePackCursor(cursor.bytes, at: start)
      try cursor.skipValue()
      return append("$msgpack", hex: cursor.bytes.extracting(start..<cursor.offset))
    }
    switch token {
    case .null: append("null")
    case .bool(let value): append(value ? "true" : "false")
    case .unsigned(let value): append(String(value))
    case .signed(let value): append(String(value))
    case .float32(let bits): append(float32: bits)
    case .float64(let bits): append(float64: bits)
    case .string(let byteCount):
      let text = cursor.readPayload(byteCount: byteCount)
      if text.isUTF8 { append(string: text) } else { append("$str", hex: text) }
    case .binary(let byteCount):
      append("$bin", hex: cursor.readPayload(byteCount: byteCount))
    case .extension(let type, let byteCount):
      append("{\"$ext\":[\(type),\"")
      Hex.append(cursor.readPayload(byteCount: byteCount), to: &out)
      append("\"]}")
    case .array(let count):
      append("[")
      for i in 0..<count {
        if i > 0 { append(",") }
        try append(&cursor, depth: depth + 1)
      }
      append("]")
    case .map(let count):
      if try Self.isObject(cursor, count: count) {
        try appendMembers(
          count, of: &cursor, depth: depth, opening: "{", separator: ":", between: ",", closing: "}")
      } else {
        try appendMembers(
          count, of: &cursor, depth: depth, opening: "{\"$map\":[[", separator: ",", between: "],[", closing: "]]}")
      }
    }
  }

  private mutating func appendMembers(
    _ count: Int, of cursor: inout MessagePackCursor, depth: Int, opening: StaticString, separator: StaticString,
    between: StaticString, closing: StaticString
  ) throws(FuseError) {
    append(opening)
    for i in 0..<count {
      if i > 0 { append(between) }
      try append(&cursor, depth: depth + 1)
      append(separator)
      try append(&cursor, depth: depth + 1)
    }
    append(closing)
  }

  /// Whether the map of `count` pairs before `cursor` can be a JSON object: text keys, and no single one that is a
  /// spelling's name. [J6]
  private static func isObject(_ map: borrowing MessagePackCursor, count: Int) throws(FuseError) -> Bool {
    var cursor = MessagePackCursor(map.bytes, at: map.offset)
    for _ in 0..<count {
      let start = cursor.offset
      let token = try cursor.readHead()
      guard case .string(let byteCount) = token, cursor.offset - start == token.shortestHeadByteCount else {
        return false
      }
      let name = cursor.readPayload(byteCount: byteCount)
      guard name.isUTF8, count > 1 || JSONSpelling(name) == nil else { return false }
      try cursor.skipValue()
    }
    return true
  }

  /// Appends a key of the database: a string, or the spelling of one that is not UTF-8.
  package mutating func append(key: RawSpan) {
    if key.isUTF8 { append(string: key) } else { append("$bin", hex: key) }
  }

  /// Appends UTF-8 text in quotes.
  package mutating func append(string text: RawSpan) {
    out.append(UInt8(ascii: "\""))
    for i in 0..<text.byteCount {
      let byte = text.loadInside(at: i, as: UInt8.self)
      switch byte {
      case UInt8(ascii: "\""): append("\\\"")
      case UInt8(ascii: "\\"): append("\\\\")
      case UInt8(ascii: "\n"): append("\\n")
      case UInt8(ascii: "\r"): append("\\r")
      case UInt8(ascii: "\t"): append("\\t")
      case 0..<0x20:
        append("\\u00")
        Hex.append(byte, to: &out)
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }

  /// Appends text in quotes.
  package mutating func append(string text: String) {
    let bytes = text.keyBytes
    append(string: bytes)
    bytes.hold()
  }

  /// Appends text as it is.
  package mutating func append(_ text: StaticString) {
    // SAFETY: a static string has this many bytes for ever.
    unsafe out.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Appends text as it is.
  package mutating func append(_ text: String) { out.append(contentsOf: text.utf8) }

  private mutating func append(_ name: StaticString, hex bytes: RawSpan) {
    append("{\"")
    append(name)
    append("\":\"")
    Hex.append(bytes, to: &out)
    append("\"}")
  }

  private mutating func append(float32 bits: UInt32) {
    let value = Float(bitPattern: bits)
    append("{\"$float32\":")
    let text = value.description
    // Reading goes by way of a float64; the rare text that this rounds to a neighbour is written by its bits. [J5]
    if value.isFinite, let wide = Double(text), Float(wide).bitPattern == bits {
      append(text)
    } else if value.isInfinite || bits == JSONSpelling.plainNaN32 {
      append("\"\(value < 0 ? "-inf" : value > 0 ? "inf" : "nan")\"")
    } else {
      append("\"\(bits.hexadecimal)\"")
    }
    append("}")
  }

  private mutating func append(float64 bits: UInt64) {
    let value = Double(bitPattern: bits)
    // Swift's description is the shortest text that reads back, and has a point or an exponent.
    guard !value.isFinite else { return append(value.description) }
    if value.isInfinite || bits == JSONSpelling.plainNaN64 {
      append("{\"$float64\":\"\(value < 0 ? "-inf" : value > 0 ? "inf" : "nan")\"}")
    } else {
      append("{\"$float64\":\"\(bits.hexadecimal)\"}")
    }
  }
}

/// The names of the one-member objects that spell what JSON cannot say. The list is closed. See spec/json.md.
package enum JSONSpelling: String {
  case float64 = "$float64"
  case float32 = "$float32"
  case binary = "$bin"
  case string = "$str"
  case `extension` = "$ext"
  case map = "$map"
  case messagePack = "$msgpack"

  package static let plainNaN32: UInt32 = 0x7FC0_0000
  package static let plainNaN64: UInt64 = 0x7FF8_0000_0000_0000

  package init?(_ name: RawSpan) {
    guard name.byteCount >= 4, name.byteCount <= 8, name.loadInside(at: 0, as: UInt8.self) == UInt8(ascii: "$")
    else { return nil }
    self.init(rawValue: String(decoding: name.array(), as: UTF8.self))
  }
}

/// Values as JSON text: the same reversible spelling that the command reads and writes. See spec/json.md.
///
///     let bytes = try FuseJSON.messagePack(from: #"{"org": "Google LLC", "asn": 15169}"#)
///     try FuseJSON.text(from: bytes)   // {"org":"Google LLC","asn":15169}
public enum FuseJSON {
  /// The JSON text of a MessagePack value, on one line.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the bytes are not exactly one MessagePack value.
  public static func text(from messagePack: RawSpan) throws(FuseError) -> String {
    var writer = JSONWriter()
    try writer.append(messagePack: messagePack)
    return String(decoding: writer.out, as: UTF8.self)
  }

  /// The JSON text of a MessagePack value, on one line.
  ///
  /// - Throws: as ``text(from:)-(RawSpan)``.
  public static func text(from messagePack: [UInt8]) throws(FuseError) -> String {
    try text(from: messagePack.rawSpan)
  }
}
