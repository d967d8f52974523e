public import FuseDBFormat

// Values as MessagePack bytes. See spec/format.md §12.

extension FuseValue {
  /// Reads the value that MessagePack bytes say.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` and the offset when the bytes are not exactly one MessagePack
  ///   value, or arrays and maps are nested deeper than 128 levels. [V1] [V2] [V3]
  /// - Complexity: O(bytes). At most 64 bytes of memory are taken for each byte, whatever counts it claims.
  public init(messagePack: RawSpan) throws(FuseError) {
    try MessagePackCursor.validate(messagePack)
    self.init(validated: messagePack)
  }

  /// Reads the value that MessagePack bytes say.
  ///
  /// - Throws: as ``init(messagePack:)-(RawSpan)``.
  public init(messagePack: [UInt8]) throws(FuseError) { try self.init(messagePack: messagePack.rawSpan) }

  /// Reads bytes of which ``MessagePackCursor/validate(_:)`` holds.
  package init(validated messagePack: RawSpan) {
    var builder = FuseValueBuilder(messagePack)
    self = builder.value()
  }

  /// The value's MessagePack bytes: what it was read from, or the shortest encoding of what was made.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when arrays and maps are nested deeper than 128 levels, and
  ///   `limitExceeded` when a text or a list is longer than 2^32 - 1. A value that was read has neither.
  /// - Complexity: O(bytes).
  public var messagePack: [UInt8] {
    get throws(FuseError) {
      let packer = MessagePackPacker()
      try packer.pack(self)
      return packer.bytes.array()
    }
  }
}

extension MessagePackPacker {
  /// Packs a value, which stands in `depth` arrays and maps.
  ///
  /// - Throws: as ``FuseValue/messagePack``.
  func pack(_ value: FuseValue, depth: Int = 0) throws(FuseError) {
    switch value {
    case .null: packNull()
    case .bool(let value): pack(value)
    case .int(let value): pack(value)
    case .uint(let value): pack(value)
    case .float(let value): pack(float32: value.bitPattern)
    case .double(let value): pack(float64: value.bitPattern)
    case .string(let text):
      try Self.checkCount(text.utf8.count)
      pack(text: text)
    case .bytes(let bytes):
      try Self.checkCount(bytes.count)
      pack(binary: bytes.rawSpan)
    case .ext(let type, let bytes):
      try Self.checkCount(bytes.count)
      pack(extension: type, bytes.rawSpan)
    case .timestamp(let moment):
      let payload = moment.payload
      pack(extension: FuseTimestamp.extensionType, payload.rawSpan)
    case .verbatim(let verbatim):
      // What was read at one depth may have been put into another.
      var cursor = MessagePackCursor(verbatim.messagePack.rawSpan)
      try cursor.skipValue(nesting: FormatLimits.nesting - depth)
      append(verbatim.messagePack.rawSpan)
    case .array(let values):
      try Self.checkNesting(depth)
      try Self.checkCount(values.count)
      packArray(count: values.count)
      for value in values { try pack(value, depth: depth + 1) }
    case .map(let pairs):
      try Self.checkNesting(depth)
      try Self.checkCount(pairs.count)
      packMap(count: pairs.count)
      for pair in pairs {
        try pack(pair.key, depth: depth + 1)
        try pack(pair.value, depth: depth + 1)
      }
    }
  }

  /// MessagePack counts bytes, elements and pairs in 32 bits.
  private static func checkCount(_ count: Int) throws(FuseError) {
    guard count <= UInt32.max else {
      throw FuseError(
        .limitExceeded, "a part of the value has \(count) bytes or elements and MessagePack allows \(UInt32.max)")
    }
  }
}

// Values as JSON text, exactly. See spec/json.md.

extension FuseValue {
  /// The value as JSON text on one line, which ``init(json:)`` makes the same value of.
  ///
  /// - Throws: as ``messagePack``.
  public var json: String {
    get throws(FuseError) { try FuseJSON.text(from: try messagePack) }
  }
}

extension FuseValue: CustomStringConvertible {
  /// The value as JSON text; of a value that has none, what is wrong with it.
  public var description: String {
    do { return try json } catch { return error.message }
  }
}

extension FuseValue: CustomDebugStringConvertible {
  /// The description, or the first 1,000 characters of it.
  public var debugDescription: String {
    let text = description
    return text.utf8.count > 1000 ? text.prefix(1000) + "…" : text
  }
}
