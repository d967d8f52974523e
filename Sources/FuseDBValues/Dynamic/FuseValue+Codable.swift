// Values with any coder. This library's own carries them exactly; others as far as they have words for them.
internal import FuseDBFormat

extension FuseValue: Encodable {
  /// Encodes the value: bytes as an array of numbers, a moment as text by RFC 3339, and the rest as what it is.
  ///
  /// - Throws: `EncodingError.invalidValue` for what coders have no word for: extensions, strings that are not UTF-8,
  ///   maps with other keys than names, or with equal ones.
  public func encode(to encoder: any Encoder) throws {
    func encodeScalar(_ value: some Encodable) throws {
      var container = encoder.singleValueContainer()
      try container.encode(value)
    }
    // A type that hands its coder on gets here with this library's coder, too.
    if encoder is ValueEncoder { return try encodeScalar(self) }
    switch plain {
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case .bool(let value): try encodeScalar(value)
    case .int(let value): try encodeScalar(value)
    case .uint(let value): try encodeScalar(value)
    case .float(let value): try encodeScalar(value)
    case .double(let value): try encodeScalar(value)
    case .string(let text): try encodeScalar(text)
    case .bytes(let bytes): try encodeScalar(bytes)
    case .timestamp(let moment): try encodeScalar(moment)
    case .array(let values):
      var container = encoder.unkeyedContainer()
      for value in values { try container.encode(value) }
    case .map(let pairs): try encode(pairs, to: encoder)
    case .ext(let type, _): throw unsayable("an extension of type \(type)", encoder)
    case .verbatim: throw unsayable("a string that is not UTF-8", encoder)
    }
  }

  private func encode(_ pairs: [Pair], to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    var names: Set<String> = []
    for pair in pairs {
      guard let name = pair.key.string else {
        throw unsayable("a map with the key \(pair.key), which is no text", encoder)
      }
      guard names.insert(name).inserted else { throw unsayable("a map that has \(pair.key) twice", encoder) }
      try container.encode(pair.value, forKey: Name(stringValue: name))
    }
  }

  private func unsayable(_ what: String, _ encoder: any Encoder) -> EncodingError {
    EncodingError.invalidValue(
      self,
      EncodingError.Context(
        codingPath: encoder.codingPath, debugDescription: "\(what) can be encoded as MessagePack or by its json alone"))
  }
}

extension FuseValue: Decodable {
  /// Decodes what the decoder has: nil, a bool, an integer, a float, text, an array or a map with names, whichever it
  /// is first. The pairs of a map come in the order of their names, because most decoders keep none.
  ///
  /// - Throws: `DecodingError` when it has none of these, or arrays and maps are nested deeper than 128 levels.
  public init(from decoder: any Decoder) throws {
    if decoder is ValueDecoder {
      self = try decoder.singleValueContainer().decode(FuseValue.self)
    } else {
      try self.init(from: decoder, depth: 0)
    }
  }

  private init(from decoder: any Decoder, depth: Int) throws {
    if let scalar = FuseValue(scalarOf: decoder) {
      self = scalar
      return
    }
    func context(_ sentence: String) -> DecodingError.Context {
      DecodingError.Context(codingPath: decoder.codingPath, debugDescription: sentence)
    }
    guard depth < FormatLimits.nesting else {
      throw DecodingError.dataCorrupted(
        context("arrays and maps are nested deeper than \(FormatLimits.nesting) levels"))
    }
    // Each child through a decoder of its own, so that the depth is counted here, whatever the decoder does.
    if var container = try? decoder.unkeyedContainer() {
      var values: [FuseValue] = []
      while !container.isAtEnd { values.append(try FuseValue(from: container.superDecoder(), depth: depth + 1)) }
      self = .array(values)
    } else if let container = try? decoder.container(keyedBy: Name.self) {
      let names = container.allKeys.sorted { $0.stringValue.keyBytes.compare($1.stringValue.keyBytes) < 0 }
      self = .map(
        try names.map { name in
          Pair(
            key: .string(name.stringValue),
            value: try FuseValue(from: container.superDecoder(forKey: name), depth: depth + 1))
        })
    } else {
      throw DecodingError.typeMismatch(
        FuseValue.self, context("this is neither nil, a bool, a number, a text, an array nor a map with names"))
    }
  }

  private init?(scalarOf decoder: any Decoder) {
    guard let container = try? decoder.singleValueContainer() else { return nil }
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .int(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .uint(value)
    } else if let value = try? container.decode(Double.self) {
      self = .double(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else {
      return nil
    }
  }
}

/// The name of a map's pair.
private struct Name: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
