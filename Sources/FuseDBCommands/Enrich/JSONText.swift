internal import FuseDB

/// Strings of JSON.
enum JSONText {
  /// What a hexadecimal digit stands for.
  static func digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- UInt8(ascii: "A")) + 10
    default: nil
    }
  }

  /// What stands between the quotes of a sound string, its escapes resolved; nil where half of a surrogate pair stands alone, which no text has.
  static func unescaped(_ string: RawSpan) -> [UInt8]? {
    let bytes = Span<UInt8>(_bytes: string)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    func unit(_ offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 << 4 | (digit(bytes[offset + $1]) ?? 0) } }
    var offset = 0
    while offset < bytes.count {
      guard bytes[offset] == UInt8(ascii: "\\") else {
        out.append(bytes[offset])
        offset += 1
        continue
      }
      let escape = bytes[offset + 1]
      offset += 2
      switch escape {
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "u"):
        var code = unit(offset)
        offset += 4
        if code >> 10 == 0x36 {
          guard offset + 6 <= bytes.count, bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u"),
            case let low = unit(offset + 2), low >> 10 == 0x37
          else { return nil }
          code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
          offset += 6
        }
        guard let scalar = Unicode.Scalar(code) else { return nil }
        out.append(contentsOf: UTF8.encode(scalar)!)
      default: out.append(escape)
      }
    }
    return out
  }
}
