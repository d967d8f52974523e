internal import CSimdjson
public import FuseDBFormat
public import FuseDBValues

extension MessagePackPacker {
  /// Packs a JSON value, spellings included. See spec/json.md.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when a spelling is malformed or the value is nested deeper than
  ///   128 levels.
  package func pack(_ node: JSONNode, depth: Int = 0) throws(FuseError) {
    switch node.kind {
    case .null: packNull()
    case .bool(let value): pack(value)
    case .signed(let value): pack(value)
    case .unsigned(let value): pack(value)
    case .double(let bits): pack(float64: bits)
    case .string: pack(string: node.text)
    case .array:
      try Self.checkNesting(depth)
      packArray(count: node.count)
      try node.forEachElement { element throws(FuseError) in try pack(element, depth: depth + 1) }
    case .object:
      if let (spelling, value) = try Self.spelling(node) { return try pack(spelling, value, depth: depth) }
      try Self.checkNesting(depth)
      packMap(count: node.count)
      try node.forEachMember { name, value throws(FuseError) in
        pack(string: name)
        try pack(value, depth: depth + 1)
      }
    }
  }

  /// Whether an object spells another value than a map with its members.
  package static func isSpelling(_ object: JSONNode) -> Bool {
    let found = try? spelling(object)
    return found != nil
  }

  /// The spelling that an object is, if it is one.
  private static func spelling(_ object: JSONNode) throws(FuseError) -> (JSONSpelling, JSONNode)? {
    guard object.count == 1 else { return nil }
    var found: (JSONSpelling, JSONNode)?
    try object.forEachMember { name, value throws(FuseError) in
      found = JSONSpelling(name).map { ($0, value) }
    }
    return found
  }

  private func pack(_ spelling: JSONSpelling, _ value: JSONNode, depth: Int) throws(FuseError) {
    switch spelling {
    case .binary:
      let bytes = try Self.hex(value, spelling)
      pack(binary: bytes.rawSpan)
    case .string:
      let bytes = try Self.hex(value, spelling)
      pack(string: bytes.rawSpan)
    case .messagePack:
      let bytes = try Self.hex(value, spelling)
      do throws(FuseError) {
        var cursor = MessagePackCursor(bytes.rawSpan)
        try cursor.skipValue(nesting: FormatLimits.nesting - depth)
        guard cursor.isAtEnd else { throw .invalidValue("bytes follow it", at: cursor.offset) }
      } catch {
        throw Self.malformed(spelling, "is not one MessagePack value: \(error.message)")
      }
      append(bytes.rawSpan)
    case .extension:
      guard case .array = value.kind, value.count == 2, case .signed(let number) = value.element(0).kind,
        let type = Int8(exactly: number)
      else { throw Self.malformed(spelling, "takes [type from -128 to 127, hexadecimal digits]") }
      let bytes = try Self.hex(value.element(1), spelling)
      pack(extension: type, bytes.rawSpan)
    case .map:
      guard case .array = value.kind else { throw Self.malformed(spelling, "takes an array of [key, value] pairs") }
      try Self.checkNesting(depth)
      packMap(count: value.count)
      try value.forEachElement { pair throws(FuseError) in
        guard case .array = pair.kind, pair.count == 2 else {
          throw Self.malformed(spelling, "takes an array of [key, value] pairs")
        }
        try pair.forEachElement { part throws(FuseError) in try pack(part, depth: depth + 1) }
      }
    case .float32: pack(float32: UInt32(truncatingIfNeeded: try Self.float32(value)))
    case .float64:
      guard
        let bits = Self.specialBits(
          value, digits: 16, nan: JSONSpelling.plainNaN64, infinity: Double.infinity.bitPattern)
      else { throw Self.malformed(spelling, "takes \"nan\", \"inf\", \"-inf\" or \"0x\" and 16 hexadecimal digits") }
      pack(float64: bits)
    }
  }

  private static func float32(_ value: JSONNode) throws(FuseError) -> UInt64 {
    let wide: Double? =
      switch value.kind {
      case .double(let pattern): Double(bitPattern: pattern)
      case .signed(let number): Double(number)
      case .unsigned(let number): Double(number)
      default: nil
      }
    if let wide, Float(wide).isFinite { return UInt64(Float(wide).bitPattern) }
    let infinity = UInt64(Float.infinity.bitPattern)
    guard let bits = specialBits(value, digits: 8, nan: UInt64(JSONSpelling.plainNaN32), infinity: infinity) else {
      throw malformed(
        .float32,
        "takes a number that a float32 can hold, \"nan\", \"inf\", \"-inf\" or \"0x\" and 8 hexadecimal digits")
    }
    return bits
  }

  /// The bits that `nan`, `inf`, `-inf` or `0x…` stand for, in a float of `digits` hexadecimal digits.
  private static func specialBits(_ value: JSONNode, digits: Int, nan: UInt64, infinity: UInt64) -> UInt64? {
    guard case .string = value.kind else { return nil }
    switch String(decoding: value.text.array(), as: UTF8.self) {
    case "nan": return nan
    case "inf": return infinity
    case "-inf": return infinity | 1 << UInt64(4 * digits - 1)
    case let text:
      guard text.hasPrefix("0x"), text.utf8.count == digits + 2,
        let bytes = Hex.bytes(value.text.extracting(droppingFirst: 2))
      else { return nil }
      return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
  }

  private static func hex(_ value: JSONNode, _ spelling: JSONSpelling) throws(FuseError) -> [UInt8] {
    guard case .string = value.kind, let bytes = Hex.bytes(value.text) else {
      throw malformed(spelling, "takes an even number of hexadecimal digits in quotes")
    }
    return bytes
  }

  private static func malformed(_ spelling: JSONSpelling, _ rule: String) -> FuseError {
    .invalidValue(
      "{\"\(spelling.rawValue)\": …} \(rule); to store such an object itself, write {\"$map\": [[\"\(spelling.rawValue)\", …]]}",
      at: 0)
  }
}

/// The bytes of a database key in JSON: a string, or `{"$bin": "hex"}` for one that is not UTF-8. Nil for any other
/// value. See spec/json.md.
package func withKeyBytes<Result>(
  of node: JSONNode, _ body: (RawSpan) throws(FuseError) -> Result
) throws(FuseError) -> Result? {
  switch node.kind {
  case .string: return try body(node.text)
  case .object where node.count == 1:
    var bytes: [UInt8]?
    try node.forEachMember { name, value throws(FuseError) in
      if JSONSpelling(name) == .binary, case .string = value.kind { bytes = Hex.bytes(value.text) }
    }
    guard let bytes else { return nil }
    return try body(bytes.rawSpan)
  default: return nil
  }
}

// What JSON text spells. See spec/json.md.

extension FuseJSON {
  /// The MessagePack bytes of the value that `text` spells, each part in its shortest encoding.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the text is not JSON, a spelling is malformed or the value
  ///   is nested too deeply.
  public static func messagePack(from text: String) throws(FuseError) -> [UInt8] {
    let packer = MessagePackPacker()
    try JSONParser().withNode(of: text.keyBytes) { node throws(FuseError) in try packer.pack(node) }
    return packer.bytes.array()
  }
}

extension FuseValue {
  /// Reads the value that JSON text spells.
  ///
  ///     try FuseValue(json: #"{"asn":15169,"raw":{"$bin":"00ff"}}"#)["raw"]?.bytes   // [0, 255]
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the text is not JSON, a spelling is malformed or the value
  ///   is nested too deeply.
  public init(json: String) throws(FuseError) {
    let bytes = try FuseJSON.messagePack(from: json)
    self.init(validated: bytes.rawSpan)
  }
}

extension RawSpan {
  /// Whether all bytes are valid UTF-8; for many bytes much quicker than ``isUTF8``, for few slower.
  package var isLongUTF8: Bool {
    // SAFETY: the function reads the span's bytes alone.
    unsafe withUnsafeBytes { bytes in unsafe bytes.baseAddress.map { unsafe fuse_is_utf8($0, bytes.count) } ?? true }
  }
}
