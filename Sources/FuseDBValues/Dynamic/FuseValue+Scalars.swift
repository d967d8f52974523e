// What a value says, where it is of the type that is asked for. Nothing is converted in silence.
internal import FuseDBFormat

extension FuseValue {
  /// Whether the value is nil.
  public var isNil: Bool { self == .null }

  /// A bool, or nil for anything else.
  public var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  /// An integer that fits into an `Int`, however it is written, or nil for anything else.
  public var int: Int? { integer() }

  /// An integer that fits into an `Int64`, however it is written, or nil for anything else.
  public var int64: Int64? { integer() }

  /// An integer that fits into a `UInt64`, however it is written, or nil for anything else.
  public var uint64: UInt64? { integer() }

  /// An integer that fits into a `T`, however it is written, or nil for anything else.
  ///
  ///     value["asn"]?.integer(UInt32.self)   // 15169
  public func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
    switch plain {
    case .int(let value): T(exactly: value)
    case .uint(let value): T(exactly: value)
    default: nil
    }
  }

  /// A number that a `Double` holds exactly: a float of 64 or of 32 bits, or an integer; or nil for anything else.
  public var double: Double? {
    guard case .double(let value) = self else { return exactly(Double.self) }
    return value
  }

  /// A number that a `Float` holds exactly: a float of 32 or of 64 bits, or an integer; or nil for anything else.
  public var float: Float? {
    guard case .float(let value) = self else { return exactly(Float.self) }
    return value
  }

  private func exactly<T: BinaryFloatingPoint>(_ type: T.Type) -> T? {
    switch plain {
    case .int(let value): T(exactly: value)
    case .uint(let value): T(exactly: value)
    case .float(let value): value.exactly(type)
    case .double(let value): value.exactly(type)
    default: nil
    }
  }

  /// A string, or nil for anything else, and for a string whose bytes are not UTF-8; ``stringBytes`` has those.
  public var string: String? {
    guard case .string(let text) = plain else { return nil }
    return text
  }

  /// The bytes of a string, UTF-8 or not, or nil for anything else.
  public var stringBytes: [UInt8]? {
    switch plain {
    case .string(let text): return Array(text.utf8)
    case .verbatim(let verbatim):
      // A string that is not UTF-8: nothing else stays verbatim.
      let bytes = verbatim.messagePack.rawSpan
      return bytes.extracting(droppingFirst: MessagePackHead(at: 0, in: bytes).end).array()
    default: return nil
    }
  }

  /// Bytes that are no text, or nil for anything else.
  public var bytes: [UInt8]? {
    guard case .bytes(let bytes) = plain else { return nil }
    return bytes
  }

  /// A moment: an extension of type -1 whose payload says one; or nil for anything else.
  public var timestamp: FuseTimestamp? {
    switch plain {
    case .timestamp(let moment): moment
    case .ext(FuseTimestamp.extensionType, let bytes): FuseTimestamp(payload: bytes.rawSpan)
    default: nil
    }
  }

  /// The type of an extension, also of one that is a ``timestamp``, or nil for anything else.
  public var extensionType: Int8? {
    switch plain {
    case .ext(let type, _): type
    case .timestamp: FuseTimestamp.extensionType
    default: nil
    }
  }

  /// The payload of an extension, also of one that is a ``timestamp``, or nil for anything else.
  public var extensionPayload: [UInt8]? {
    switch plain {
    case .ext(_, let bytes): bytes
    case .timestamp(let moment): moment.payload
    default: nil
    }
  }

  /// The value without its longer encoding: verbatim is only a string that is not UTF-8.
  var plain: FuseValue {
    guard case .verbatim(let verbatim) = self else { return self }
    return verbatim.value ?? self
  }
}
