internal import CFuseDB
internal import FuseDB

/// What a column holds.
enum ColumnType: Int32 {
  case bool = 1
  case int64, uint64, float64, string, bytes, timestamp, json, messagePack

  /// As Arrow spells it, where values with lengths of their own have offsets of 32 bits or of 64.
  func format(isSmall: Bool) -> StaticString {
    switch self {
    case .bool: "b"
    case .int64: "l"
    case .uint64: "L"
    case .float64: "g"
    case .string, .json: isSmall ? "u" : "U"
    case .bytes, .messagePack: isSmall ? "z" : "Z"
    case .timestamp: "tsn:UTC"
    }
  }

  /// Whether values have lengths of their own.
  var isVariable: Bool {
    switch self {
    case .string, .json, .bytes, .messagePack: true
    default: false
    }
  }
}

/// The kinds of values that a column has in a sample.
struct ColumnSample {
  private var seen: Set<ColumnType> = []
  private var hasNegative = false

  mutating func see(_ view: FuseView) {
    switch view.kind {
    case .null: break
    case .bool: seen.insert(.bool)
    case .integer:
      if let number = view.int64 {
        seen.insert(.int64)
        hasNegative = hasNegative || number < 0
      } else {
        seen.insert(.uint64)
      }
    case .float, .double: seen.insert(.float64)
    case .string: seen.insert(.string)
    case .bytes: seen.insert(.bytes)
    case .timestamp: seen.insert(.timestamp)
    case .array, .map, .extension: seen.insert(.json)
    }
  }

  /// The type that has room for all that was seen.
  var type: ColumnType {
    switch seen {
    case []: .string
    case [.int64, .uint64]: hasNegative ? .json : .uint64
    case [.int64, .float64]: .float64
    case let only where only.count == 1: only.first!
    default: .json
    }
  }
}
