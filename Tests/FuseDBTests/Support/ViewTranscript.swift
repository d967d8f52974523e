import FuseDB

extension FuseView {
  /// What all accessors of this value say, as text; those of what it holds after it, down to a depth.
  func transcript(depth: Int = 130) -> String {
    var lines: [String] = []
    append(to: &lines, depth: depth)
    return lines.joined(separator: "\n")
  }

  private func append(to lines: inout [String], depth: Int) {
    lines.append("\(kind) \(accessors)")
    guard depth > 0, lines.count < 10_000 else { return }
    if var elements {
      while let element = elements.next(), lines.count < 10_000 { element.append(to: &lines, depth: depth - 1) }
    }
    if var pairs {
      while let pair = pairs.next(), lines.count < 10_000 {
        pair.key.append(to: &lines, depth: depth - 1)
        pair.value.append(to: &lines, depth: depth - 1)
      }
    }
  }

  /// What each accessor says, "-" for nil, in the order of ``DecodedValue/accessors``.
  var accessors: String {
    // Bound to names first: a span in an expression with `??` is more than the compiler takes.
    let text = stringBytes
    let binary = bytes
    let payload = extensionPayload
    return [
      isNil ? "nil" : "-", said(bool), said(int), said(int64), said(uint64), said(integer(Int8.self)),
      said(integer(UInt8.self)), said(integer(Int128.self)), said(double?.bitPattern), said(float?.bitPattern),
      said(string), said(hex(text)), said(hex(binary)), said(extensionType),
      said(hex(payload)), said(timestamp?.seconds), said(timestamp?.nanoseconds), said(count),
    ].joined(separator: " ")
  }
}

private func hex(_ bytes: RawSpan?) -> String? {
  guard let bytes else { return nil }
  return "x" + bytes.array().hex
}

private func said<Value>(_ value: Value?) -> String { value.map { "\($0)" } ?? "-" }

extension DecodedValue {
  /// What the accessors of a view have to say.
  var accessors: String {
    var integer: Int128?
    var (isNil, bool, text, binary, count): (Bool, Bool?, [UInt8]?, [UInt8]?, Int?) = (false, nil, nil, nil, nil)
    var (double, float): (UInt64?, UInt32?) = (nil, nil)
    var (type, payload): (Int8?, [UInt8]?) = (nil, nil)
    switch self {
    case .null: isNil = true
    case .bool(let value): bool = value
    case .unsigned(let value): integer = Int128(value)
    case .signed(let value): integer = Int128(value)
    case .float(let bits):
      float = UInt32(bits)
      double = Double(Float(bitPattern: UInt32(bits))).bitPattern
    case .double(let bits):
      double = bits
      let (value, narrow) = (Double(bitPattern: bits), Float(Double(bitPattern: bits)))
      if value.isNaN || Double(narrow) == value { float = narrow.bitPattern }
    case .string(let bytes): text = bytes
    case .bytes(let bytes): binary = bytes
    case .extension(let number, let bytes): (type, payload) = (number, bytes)
    case .array(let values): count = values.count
    case .map(let pairs): count = pairs.count
    }
    if let integer, Int128(Double(integer)) == integer { double = Double(integer).bitPattern }
    if let integer, Int128(Float(integer)) == integer { float = Float(integer).bitPattern }
    let string = text.flatMap { String(validating: $0, as: UTF8.self) }
    let moment = moment
    return [
      isNil ? "nil" : "-", said(bool), said(integer.flatMap { Int(exactly: $0) }),
      said(integer.flatMap { Int64(exactly: $0) }), said(integer.flatMap { UInt64(exactly: $0) }),
      said(integer.flatMap { Int8(exactly: $0) }), said(integer.flatMap { UInt8(exactly: $0) }), said(integer),
      said(double), said(float), said(string), said(text.map { "x" + $0.hex }),
      said(binary.map { "x" + $0.hex }), said(type), said(payload.map { "x" + $0.hex }), said(moment?.seconds),
      said(moment?.nanoseconds), said(count),
    ].joined(separator: " ")
  }

  var kind: FuseValueKind {
    switch self {
    case .null: .null
    case .bool: .bool
    case .unsigned, .signed: .integer
    case .float: .float
    case .double: .double
    case .string: .string
    case .bytes: .bytes
    case .extension: moment == nil ? .extension : .timestamp
    case .array: .array
    case .map: .map
    }
  }

  /// By MessagePack's specification, "Timestamp extension type".
  private var moment: (seconds: Int64, nanoseconds: UInt64)? {
    guard case .extension(-1, let payload) = self else { return nil }
    let moment: (seconds: Int64, nanoseconds: UInt64)
    switch payload.count {
    case 4: moment = (Int64(payload.number(at: 0, 4)), 0)
    case 8: moment = (Int64(payload.number(at: 0, 8) % (1 << 34)), payload.number(at: 0, 8) / (1 << 34))
    case 12: moment = (Int64(bitPattern: payload.number(at: 4, 8)), payload.number(at: 0, 4))
    default: return nil
    }
    return moment.nanoseconds < 1_000_000_000 ? moment : nil
  }
}
