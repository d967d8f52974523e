// Values are equal exactly when their MessagePack bytes are.

extension FuseValue: Hashable {
  /// Whether the MessagePack bytes of both are the same.
  public static func == (left: FuseValue, right: FuseValue) -> Bool {
    switch (left.canonical, right.canonical) {
    case (.null, .null): return true
    case (.bool(let left), .bool(let right)): return left == right
    case (.int(let left), .int(let right)): return left == right
    case (.uint(let left), .uint(let right)): return left == right
    case (.float(let left), .float(let right)): return left.bitPattern == right.bitPattern
    case (.double(let left), .double(let right)): return left.bitPattern == right.bitPattern
    // Not as texts, which are equal already when they look the same.
    case (.string(let left), .string(let right)): return left.keyBytes.equals(right.keyBytes)
    case (.bytes(let left), .bytes(let right)): return left == right
    case (.array(let left), .array(let right)): return left == right
    case (.map(let left), .map(let right)): return left == right
    case (.ext(let leftType, let left), .ext(let rightType, let right)): return leftType == rightType && left == right
    case (.timestamp(let left), .timestamp(let right)): return left == right
    case (.verbatim(let left), .verbatim(let right)): return left == right
    default: return false
    }
  }

  /// Feeds what makes the bytes.
  public func hash(into hasher: inout Hasher) {
    switch canonical {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .int(let value): hasher.combine(value)
    case .uint(let value): hasher.combine(value)
    case .float(let value): hasher.combine(value.bitPattern)
    case .double(let value): hasher.combine(value.bitPattern)
    // Texts of equal bytes are equal texts.
    case .string(let text): hasher.combine(text)
    case .bytes(let bytes): hasher.combine(bytes)
    case .array(let values): hasher.combine(values)
    case .map(let pairs): hasher.combine(pairs)
    case .ext(let type, let bytes):
      hasher.combine(type)
      hasher.combine(bytes)
    case .timestamp(let moment): hasher.combine(moment)
    case .verbatim(let verbatim): hasher.combine(verbatim)
    }
  }

  /// The same value as reading its bytes gives it.
  private var canonical: FuseValue {
    switch self {
    case .uint(let number): Int64(exactly: number).map { .int($0) } ?? self
    case .ext(let type, let bytes): FuseValue(shortestTimestamp: type, bytes.rawSpan) ?? self
    default: self
    }
  }

  /// The moment that an extension says, unless a shorter payload says the same one.
  init?(shortestTimestamp type: Int8, _ payload: RawSpan) {
    guard type == FuseTimestamp.extensionType, let moment = FuseTimestamp(payload: payload),
      moment.payloadByteCount == payload.byteCount
    else { return nil }
    self = .timestamp(moment)
  }
}
