/// What MessagePack bytes say, read by plain recursion after the table of spec/format.md §12: what views are compared with.
indirect enum DecodedValue: Equatable {
  case null
  case bool(Bool)
  case unsigned(UInt64)
  case signed(Int64)
  case float(bits: UInt64)
  case double(bits: UInt64)
  case string([UInt8])
  case bytes([UInt8])
  case `extension`(type: Int8, [UInt8])
  case array([Part])
  case map([Pair])

  /// A value and the bytes that it is.
  struct Part: Equatable {
    let value: DecodedValue
    let bytes: [UInt8]
  }

  struct Pair: Equatable {
    let key: Part
    let value: Part
  }

  /// The value that `bytes` are; nil where they are not exactly one.
  static func of(_ bytes: [UInt8]) -> DecodedValue? {
    guard ReferenceValue.isOneValue(bytes) else { return nil }
    var place = 0
    return next(bytes, &place).value
  }

  private static func next(_ bytes: [UInt8], _ place: inout Int) -> Part {
    let start = place
    let value = value(bytes, &place)
    return Part(value: value, bytes: [UInt8](bytes[start..<place]))
  }

  private static func value(_ bytes: [UInt8], _ place: inout Int) -> DecodedValue {
    func number(_ byteCount: Int) -> UInt64 {
      defer { place += byteCount }
      return bytes.number(at: place, byteCount)
    }
    func payload(_ count: Int) -> [UInt8] {
      defer { place += count }
      return [UInt8](bytes[place..<place + count])
    }
    func ext(_ count: Int) -> DecodedValue { .extension(type: Int8(bitPattern: UInt8(number(1))), payload(count)) }
    func array(_ count: Int) -> DecodedValue { .array((0..<count).map { _ in next(bytes, &place) }) }
    func map(_ count: Int) -> DecodedValue {
      .map(
        (0..<count).map { _ in
          let key = next(bytes, &place)
          return Pair(key: key, value: next(bytes, &place))
        })
    }
    let first = Int(number(1))
    switch first {
    case 0x00...0x7F: return .unsigned(UInt64(first))
    case 0x80...0x8F: return map(first - 0x80)
    case 0x90...0x9F: return array(first - 0x90)
    case 0xA0...0xBF: return .string(payload(first - 0xA0))
    case 0xC0: return .null
    case 0xC2: return .bool(false)
    case 0xC3: return .bool(true)
    case 0xC4...0xC6: return .bytes(payload(Int(number(1 << (first - 0xC4)))))
    case 0xC7...0xC9: return ext(Int(number(1 << (first - 0xC7))))
    case 0xCA: return .float(bits: number(4))
    case 0xCB: return .double(bits: number(8))
    case 0xCC...0xCF: return .unsigned(number(1 << (first - 0xCC)))
    case 0xD0: return .signed(Int64(Int8(bitPattern: UInt8(number(1)))))
    case 0xD1: return .signed(Int64(Int16(bitPattern: UInt16(number(2)))))
    case 0xD2: return .signed(Int64(Int32(bitPattern: UInt32(number(4)))))
    case 0xD3: return .signed(Int64(bitPattern: number(8)))
    case 0xD4...0xD8: return ext(1 << (first - 0xD4))
    case 0xD9...0xDB: return .string(payload(Int(number(1 << (first - 0xD9)))))
    case 0xDC, 0xDD: return array(Int(number(2 << (first - 0xDC))))
    case 0xDE, 0xDF: return map(Int(number(2 << (first - 0xDE))))
    default: return .signed(Int64(first) - 256)
    }
  }
}
