import Foundation

extension Table {
  /// Where encodings and types change, and their neighbours.
  private static let integers: [Int128] =
    [5, 7, 8, 15, 16, 31, 32, 63, 64].flatMap { bits -> [Int128] in
      let edge = Int128(1) << bits
      return [edge - 1, edge, edge + 1, -edge + 1, -edge, -edge - 1]
    } + [0, 1, -1]

  static let lengths = [0, 1, 31, 32, 255, 256, 65535, 65536]

  static func addScalars(to rows: inout Rows) throws {
    func add<T: FixedWidthInteger & Encodable>(_ type: T.Type) throws {
      for number in integers {
        if let value = T(exactly: number), Int64(exactly: number) != nil || UInt64(exactly: number) != nil {
          try rows.add("\(type) \(number)", value)
        }
      }
    }
    try add(Int.self)
    try add(Int8.self)
    try add(Int16.self)
    try add(Int32.self)
    try add(Int64.self)
    try add(Int128.self)
    try add(UInt.self)
    try add(UInt8.self)
    try add(UInt16.self)
    try add(UInt32.self)
    try add(UInt64.self)
    try add(UInt128.self)

    try rows.add("true", true)
    try rows.add("false", false)
    for length in lengths {
      try rows.add("string \(length)", String(repeating: "s", count: length))
      try rows.add("bytes \(length)", [UInt8](repeating: 0xA5, count: length))
      try rows.add("data \(length)", Data(repeating: 0xA5, count: length))
      try rows.add("part of data \(length)", Data(repeating: 0xA5, count: length + 2).dropFirst().prefix(length))
      try rows.add("contiguous \(length)", ContiguousArray<UInt8>(repeating: 0xA5, count: length))
    }
    for text in ["é", "e\u{301}", "日本語", "👩‍👩‍👧‍👦", "\0", "\u{10FFFF}", "a\"\\\n", "ключ"] {
      try rows.add("text \(text.utf8.hex)", text)
    }

    try addFloats(to: &rows)
  }

  private static func addFloats(to rows: inout Rows) throws {
    let doubles: [UInt64] = [
      0, 1 << 63, 0x3FF0_0000_0000_0000, 0x3FB9_9999_9999_999A, 1, 0x000F_FFFF_FFFF_FFFF, 0x0010_0000_0000_0000,
      0x7FEF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000, 0xFFF0_0000_0000_0000, 0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0001,
      0x4340_0000_0000_0000, 0x3FF8_0000_0000_0000, 0x4014_0000_0000_0000,
    ]
    for bits in doubles { try rows.add("double \(bits)", Double(bitPattern: bits)) }
    let floats: [UInt32] = [
      0, 1 << 31, 0x3F80_0000, 0x3DCC_CCCD, 1, 0x007F_FFFF, 0x0080_0000, 0x7F7F_FFFF, 0x7F80_0000, 0xFF80_0000,
      0x7FC0_0000, 0x40A0_0000,
    ]
    for bits in floats { try rows.add("float \(bits)", Float(bitPattern: bits)) }
  }
}

extension String.UTF8View {
  fileprivate var hex: String { [UInt8](self).hex }
}
