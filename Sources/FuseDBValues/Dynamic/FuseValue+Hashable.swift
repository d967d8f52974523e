// Values are equal exactly when their MessagePack bytes are.
internal import FuseDBFormat

extension FuseValue: Hashable {
  /// Whether the MessagePack bytes of both are the same.
  public static func == (left: FuseValue, right: FuseValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.int(let left), .int(let right)): left == right
    case (.uint(let left), .uint(let right)): left == right
    case (.int(let signed), .uint(let unsigned)), (.uint(let unsigned), .int(let signed)):
      UInt64(exactly: signed) == unsigned
    case (.float(let left), .float(let right)): left.bitPattern == right.bitPattern
    case (.double(let left), .double(let right)): left.bitPattern == right.bitPattern
    // Not as texts, which are equal already when they look the same.
    case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
    case (.bytes(let left), .bytes(let right)): left == right
    case (.array(let left), .array(let right)): left == right
    case (.map(let left), .map(let right)): left == right
    case (.ext(let leftType, let left), .ext(let rightType, let right)): leftType == rightType && left == right
    case (.timestamp(let left), .timestamp(let right)): left == right
    case (.ext(let type, let bytes), .timestamp(let moment)), (.timestamp(let moment), .ext(let type, let bytes)):
      type == FuseTimestamp.extensionType && bytes == moment.payload
    case (.verbatim(let left), .verbatim(let right)): left == right
    default: false
    }
  }

  /// Feeds what makes the bytes.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .int(let value): hasher.combine(value)
    // What is equal to an `int` has its bits.
    case .uint(let value): hasher.combine(Int64(bitPattern: value))
    case .float(let value): hasher.combine(value.bitPattern)
    case .double(let value): hasher.combine(value.bitPattern)
    // Texts of equal bytes are equal texts.
    case .string(let text): hasher.combine(text)
    case .bytes(let bytes): hasher.combine(bytes)
    case .array(let values): hasher.combine(values)
    case .map(let pairs): hasher.combine(pairs)
    // A moment may stand in either case.
    case .ext(let type, let bytes):
      hasher.combine(type)
      hasher.combine(bytes)
    case .timestamp(let moment):
      hasher.combine(FuseTimestamp.extensionType)
      hasher.combine(moment.payload)
    case .verbatim(let verbatim): hasher.combine(verbatim)
    }
  }
}
